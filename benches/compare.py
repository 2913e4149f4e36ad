#!/usr/bin/env python3
"""Sets kgq beside other engines on the same data and queries, in one run, and compares their answers.

    python3 benches/compare.py --data FILE.nt --queries DIR [--peers oxigraph,maplib,sparq] [--runs 3] [--timeout 30]

Every engine loads the data in a process of its own and answers each query warm; the median of the runs counts, the whole
answer read. The peers are Python packages (pyoxigraph, maplib, sparq-rdf), which must be installed. The table's last columns are
the ratio of kgq's time to the best peer whose answer agrees, times under 0.2 ms counting as 0.2 ms, and to Oxigraph.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FLOOR = 0.2


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


NUMERIC = {"integer", "decimal", "double", "float", "int", "long"}


def canonical(kind, value, datatype=None, language=None):
    """A term as every engine must mean it; the same text as benches/engine.rs makes."""
    if kind == "uri":
        return f"<{value}>"
    if kind == "bnode":
        return "_"
    if datatype and datatype.removeprefix("http://www.w3.org/2001/XMLSchema#") in NUMERIC:
        try:
            mantissa, exponent = f"{float(value):.8e}".split("e")
            return f"{mantissa}e{int(exponent)}"
        except ValueError:
            pass
    return f'"{value}"@{language.lower()}' if language else f'"{value}"'


class Oxigraph:
    def __init__(self, data):
        import pyoxigraph

        self.ox = pyoxigraph
        self.store = pyoxigraph.Store()
        self.store.bulk_load(path=data, format=pyoxigraph.RdfFormat.N_TRIPLES, lenient=True)

    def run(self, text):
        answer = self.store.query(text)
        if isinstance(answer, self.ox.QueryBoolean):
            return [bool(answer)]
        return answer if isinstance(answer, self.ox.QueryTriples) else (answer.variables, list(answer))

    def rows(self, answer):
        if isinstance(answer, list):
            return [str(value).lower() for value in answer]
        variables, rows = answer
        names = sorted(v.value for v in variables)
        return ["\t".join(self.term(row[name]) for name in names) for row in rows]

    def term(self, term):
        if term is None:
            return ""
        if isinstance(term, self.ox.NamedNode):
            return canonical("uri", term.value)
        if isinstance(term, self.ox.BlankNode):
            return canonical("bnode", "")
        return canonical("literal", term.value, term.datatype.value, term.language)


class Sparq:
    def __init__(self, data):
        import sparq

        self.graph = sparq.Graph.load(data)

    def run(self, text):
        return self.graph.query_json(text)

    def rows(self, answer):
        document = json.loads(answer)
        if "boolean" in document:
            return [str(document["boolean"]).lower()]
        names = sorted(document["head"]["vars"])
        return ["\t".join(self.term(row.get(n)) for n in names) for row in document["results"]["bindings"]]

    def term(self, term):
        if term is None:
            return ""
        return canonical(term["type"], term["value"], term.get("datatype"), term.get("xml:lang"))


class Maplib:
    """Its data frames lose what tells terms apart: only the number of rows is compared."""

    def __init__(self, data):
        import maplib

        self.model = maplib.Model()
        self.model.read(data, format="ntriples")

    def run(self, text):
        return self.model.query(text)

    def rows(self, answer):
        return None if isinstance(answer, bool) else answer.height


PEERS = {"oxigraph": Oxigraph, "maplib": Maplib, "sparq": Sparq}


def peer(name, options):
    """Runs one peer; a line of JSON a query."""
    engine = PEERS[name](options.data)
    for path in sorted(pathlib.Path(options.queries).glob("*.rq")):
        text = path.read_text()
        try:
            first = time.perf_counter()
            answer = engine.run(text)
            spent = time.perf_counter() - first
            rows = engine.rows(answer)
            count, digest = (rows, None) if not isinstance(rows, list) else (
                len(rows), f"{sum(fnv(r) for r in rows) & 0xFFFFFFFFFFFFFFFF:016x}" if len(rows) < 200_000 else None)
            times = []
            for _ in range(options.runs if spent < options.timeout else 0):
                started = time.perf_counter()
                engine.run(text)
                times.append((time.perf_counter() - started) * 1000)
            result = {"ms": statistics.median(times or [spent * 1000]), "rows": count, "hash": digest}
        except Exception as error:  # an engine's own failure is its result
            result = {"failed": str(error).split("\n")[0][:80]}
        print(json.dumps({"query": path.stem, **result}), flush=True)


def run_peer(name, options):
    """A peer's results; what it had not answered when its time for all was up is missing."""
    command = [sys.executable, __file__, "--peer", name, "--data", options.data, "--queries", options.queries,
               "--runs", str(options.runs), "--timeout", str(options.timeout)]
    queries = len(list(pathlib.Path(options.queries).glob("*.rq")))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        out, _ = process.communicate(timeout=300 + queries * options.timeout * 2)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    lines = (json.loads(line) for line in out.splitlines() if line.startswith("{"))
    return {line.pop("query"): line for line in lines}


def run_kgq(options):
    command = ["cargo", "bench", "--quiet", "--bench", "engine", "--", "--data", options.data, "--queries",
               options.queries, "--runs", str(options.runs), "--timeout", str(options.timeout)]
    out = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True).stdout
    results = {}
    for line in out.splitlines():
        name, ms, rows, digest = line.split("\t")
        results[name] = {"failed": rows} if ms == "failed" else {"ms": float(ms), "rows": int(rows), "hash": digest}
    return results


def agrees(own, other):
    if "failed" in own or "failed" in other:
        return False
    return own["rows"] == other["rows"] and (other["hash"] is None or own["hash"] == other["hash"])


def mean(ratios):
    return math.exp(statistics.fmean(math.log(r) for r in ratios)) if ratios else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.data = str(pathlib.Path(options.data).resolve())
    options.queries = str(pathlib.Path(options.queries).resolve())
    if options.peer:
        return peer(options.peer, options)

    names = [name for name in options.peers.split(",") if name]
    own = run_kgq(options)
    peers = {name: run_peer(name, options) for name in names}
    print("\t".join(["query", "rows", "kgq_ms", *[f"{n}_ms" for n in names], "to_best", "to_oxigraph", "remarks"]))
    best_ratios, oxigraph_ratios = [], []
    for query, result in sorted(own.items()):
        cells, remarks, correct = [], [], []
        for name in names:
            other = peers[name].get(query, {"failed": "no answer in time"})
            if "failed" in other:
                cells.append("-")
                remarks.append(f"{name}: {other['failed']}")
                continue
            cells.append(f"{other['ms']:.3f}")
            if agrees(result, other):
                correct.append((max(other["ms"], FLOOR), name))
            else:
                remarks.append(f"{name} differs ({other['rows']} rows)")
        if "failed" in result:
            print("\t".join([query, "-", "failed", *cells, "-", "-", result["failed"]]))
            continue
        ms = max(result["ms"], FLOOR)
        ratio = ms / min(correct)[0] if correct else None
        oxigraph = next((ms / t for t, name in correct if name == "oxigraph"), None)
        best_ratios += [ratio] if ratio else []
        oxigraph_ratios += [oxigraph] if oxigraph else []
        show = lambda r: f"{r:.3f}" if r else "-"
        print("\t".join([query, str(result["rows"]), f"{result['ms']:.3f}", *cells, show(ratio), show(oxigraph), "; ".join(remarks)]))
    worst = max(best_ratios, default=float("nan"))
    print(f"geometric mean of the ratios to the best correct peer: {mean(best_ratios):.3f}, worst {worst:.3f}")
    print(f"geometric mean of the ratios to Oxigraph in memory: {mean(oxigraph_ratios):.4f}")


if __name__ == "__main__":
    main()
