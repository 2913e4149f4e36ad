"""Threads and interrupts: the interpreter is free while a query runs, and Ctrl-C ends it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

import kgq

LONG = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(STRLEN(CONCAT(STR(?a), STR(?d), STR(?g), STR(?j))) > 9) }"


def many(path):
    lines = (f"<http://e/s{n}> <http://e/p{n % 7}> <http://e/o{n % 50}> .\n" for n in range(3_000))
    path.write_text("".join(lines), encoding="utf-8")


def test_ctrl_c_ends_a_query_and_the_graph_goes_on(tmp_path):
    many(tmp_path / "d.nt")
    program = textwrap.dedent(
        f"""
        import os, signal, threading, kgq
        graph = kgq.open({str(tmp_path / "d.nt")!r})
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            list(graph.query({LONG!r}))
        except KeyboardInterrupt:
            print("interrupted", graph.query("SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }}").first().n)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "interrupted 3000\n", done.stderr


@pytest.mark.parametrize("read", ["to_arrow(terms=True)", "to_polars(terms=True)", "shown()"])
def test_ctrl_c_ends_what_reads_an_answer(tmp_path, read):
    pytest.importorskip("pyarrow")
    pytest.importorskip("polars")
    many(tmp_path / "d.nt")
    program = textwrap.dedent(
        f"""
        import os, signal, threading, kgq, polars, pyarrow
        answer = kgq.open({str(tmp_path / "d.nt")!r}).query({LONG!r})
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            answer.{read}
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "interrupted\n", done.stderr


def test_ctrl_c_ends_the_advice_on_a_text(tmp_path):
    many(tmp_path / "d.nt")
    program = textwrap.dedent(
        f"""
        import os, signal, threading, warnings, kgq
        warnings.simplefilter("ignore")
        graph = kgq.open({str(tmp_path / "d.nt")!r})
        names = [f"some{{n:05}}name" for n in range(1_000)]
        text = "SELECT * {{ " + " ".join(f"?{{name}} <http://e/p1> ?{{name}}s ." for name in names) + " }}"
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            while True:
                graph.query(text)
        except KeyboardInterrupt:
            print("interrupted", graph.query("SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }}").first().n)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "interrupted 3000\n", done.stderr


def test_other_threads_run_while_a_query_does(tmp_path):
    many(tmp_path / "d.nt")
    graph = kgq.open(tmp_path / "d.nt", timeout=1)
    ended = []

    def ask():
        try:
            list(graph.query(LONG))
        except kgq.LimitError as error:
            ended.append(error.limit)

    thread = threading.Thread(target=ask)
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += 1
        thread.join(0.001)
    # With the lock held, this loop would have had a turn before the query and one behind it.
    assert turns > 10
    assert ended == ["time"]


def test_many_threads_ask_one_graph(graph):
    found = []
    query = "SELECT ?name { ?p e:name ?name } ORDER BY ?name"
    threads = [threading.Thread(target=lambda: found.append([row.name for row in graph.query(query)])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["Ada", "Bob"]] * 8


def test_the_program_is_in_the_same_file(folder):
    run = [sys.executable, "-m", "kgq"]
    done = subprocess.run([*run, "query", "SELECT ?n { ?p e:name ?n } ORDER BY ?n", "-F", "csv"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "n\nAda\nBob\n"), done.stderr
    done = subprocess.run([*run, "query", "SELECT"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    if hasattr(signal, "SIGPIPE"):
        done = subprocess.run([*run, "--version"], capture_output=True, text=True, env={**os.environ})
        assert done.stdout.startswith("kgq ")
