#!/usr/bin/env python3
"""Asks from Python: the questions of python/tests/test_beside_others.py, of kgq, pyoxigraph and rdflib in turn, over the graph in the work tree; and a
million rows as a table of Arrow. Times are the processor's, of all threads, so that other work on the machine counts little; they are medians of warm
runs. Answers are compared by the tests, here by their counts alone.

    python benches/python.py [--runs 5] [--rows 1000000]

Needs the wheel (dist/build makes it), pyoxigraph, rdflib, pyarrow and pytest.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time
import warnings

import kgq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python" / "tests"))
from test_beside_others import PREFIXES, QUESTIONS, files, plain  # noqa: E402


def median(ask, runs):
    """What it gives, and the processor's milliseconds of the middle run; the first one warms up."""
    given = ask()
    times = []
    for _ in range(runs):
        started = time.process_time()
        ask()
        times.append((time.process_time() - started) * 1000)
    return given, statistics.median(times)


def questions(folder, runs):
    import pyoxigraph
    import rdflib

    # One of them is a path that nothing binds, of which kgq warns.
    warnings.simplefilter("ignore", kgq.QueryWarning)
    path = folder / "all.nt"
    triples = sorted({triple for file in files() for triple in plain(file)}, key=str)
    path.write_text("".join(f"{triple} .\n" for triple in triples), encoding="utf-8")
    graph, store, other = kgq.open(path), pyoxigraph.Store(), rdflib.Graph()
    store.load(path=str(path), format=pyoxigraph.RdfFormat.N_TRIPLES)
    other.parse(str(path), format="nt")
    print(f"{len(triples):,} statements; milliseconds, the whole answer as rows of each one's own values\n")
    print("| question | rows | kgq | pyoxigraph | rdflib | to pyoxigraph | to rdflib |\n|---|---:|---:|---:|---:|---:|---:|")
    for name, question in QUESTIONS.items():
        query = PREFIXES + question
        askers = (lambda: len(list(graph.query(query))), lambda: len(list(store.query(query))), lambda: len(list(other.query(query))))
        (rows, ours), (second, oxigraph), (third, rdflibs) = (median(ask, runs) for ask in askers)
        if not rows == second == third:
            sys.exit(f"{name}: kgq gives {rows} rows, pyoxigraph {second}, rdflib {third}")
        print(f"| {name} | {rows} | {ours:.2f} | {oxigraph:.2f} | {rdflibs:.1f} | {ours / oxigraph:.2f} | {ours / rdflibs:.4f} |", flush=True)


def columns(folder, rows, runs):
    path = folder / "rows.nt"
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    with path.open("w", encoding="utf-8") as out:
        for at in range(rows):
            out.write(f'<https://data.example/item/{at:07}> <https://data.example/vocabulary/amount> "{at * 7919 % rows}"^^<{integer}> .\n')
    graph = kgq.open(path)
    print(f"\n{rows:,} rows to Arrow\n\n| columns | seconds | MiB |\n|---|---:|---:|")
    asked = {
        "numbers": "SELECT ?n { ?s ?p ?n }",
        "IRIs": "SELECT ?s { ?s ?p ?n }",
        "IRIs and numbers": "SELECT ?s ?n { ?s ?p ?n }",
        "subject, property and number": "SELECT ?s ?p ?n { ?s ?p ?n }",
    }
    for name, query in asked.items():
        answer = graph.query(query)
        table, milliseconds = median(answer.to_arrow, runs)
        if table.num_rows != rows:
            sys.exit(f"{name}: {table.num_rows} rows")
        print(f"| {name} | {milliseconds / 1000:.3f} | {table.nbytes / 2**20:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    print(f"kgq of {pathlib.Path(kgq.__file__).parent}; load {os.getloadavg()[0]:.1f} at the beginning\n")
    with tempfile.TemporaryDirectory() as folder:
        columns(pathlib.Path(folder), given.rows, given.runs)
        questions(pathlib.Path(folder), given.runs)


if __name__ == "__main__":
    main()
