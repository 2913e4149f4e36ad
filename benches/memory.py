#!/usr/bin/env python3
"""Measures the memory of kgq's commands, one after the other, on one file, and prints the table of "Memory of the commands" in README.md.

    python3 benches/memory.py DATA.nt [--kgq PROGRAM] [--before PROGRAM] [--only REGEX] [--seconds N] [--name TEXT] [--about IRI]

The file becomes a project in a temporary folder: with a canned query and its expected answer, two shapes, and a git repository whose last
commit has one statement less. Memory is polled while a command runs: what the process holds itself (`RssAnon`) and mapped pages of files
(`RssFile`), each at its peak. With --before, a second program runs the same commands on a folder of its own. Each has a cache of its own, which
is empty at first: what one program leaves there would spare the other the building of a snapshot. A command that fails, or takes longer than
--seconds, is marked.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

POLL = 0.005

MANIFEST = """name = "memory"
base = "{base}"
data = ["{data}"]
queries = ["queries/*.rq"]

[limits]
timeout = "1h"
"""
TITLES = ["http://purl.org/dc/elements/1.1/title", "http://xmlns.com/foaf/0.1/name", "http://www.w3.org/2000/01/rdf-schema#label"]
COUNT = "#+ title: How many statements each property has\nSELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n) ?p\n"
SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix e: <http://e.example/> .
e:Named a sh:NodeShape ; sh:targetSubjectsOf <{title}> ; sh:property [ sh:path <{title}> ; sh:minCount 1 ; sh:nodeKind sh:Literal ] .
e:Typed a sh:NodeShape ; sh:targetSubjectsOf <{title}> ; sh:property [ sh:path rdf:type ; sh:minCount 1 ; sh:nodeKind sh:IRI ] .
"""


def sample(data):
    """A subject that has an IRI and a name; its name; and the property that gives it."""
    pattern = re.compile(r'<([^>]*)> <([^>]*)> "([^"\\]*)"')
    with open(data, encoding="utf-8") as lines:
        for line in lines:
            found = pattern.match(line)
            if found and found[2] in TITLES:
                return found[1], found[3], found[2]
    raise SystemExit(f"{data} has nothing with a name")


def prepare(folder, data, about, title):
    """Makes the project, with a commit before the last statement."""
    (folder / "queries").mkdir()
    (folder / "queries" / "count.rq").write_text(COUNT)
    (folder / "shapes.ttl").write_text(SHAPES.format(title=title))
    base = about.rsplit("/", 1)[0] + "/"
    (folder / "kgq.toml").write_text(MANIFEST.format(base=base, data=data.name))
    text = data.read_bytes()
    (folder / data.name).write_bytes(text[: text.rstrip(b"\n").rfind(b"\n") + 1])
    git = ["git", "-C", str(folder), "-c", "user.name=memory", "-c", "user.email=memory@localhost"]
    for command in [["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all but one"]]:
        subprocess.run(git + command, check=True)
    (folder / data.name).write_bytes(text)


def commands(about, name):
    """What is measured: how it is called in the table, its arguments, and how it may end beside with 0."""
    one = f"SELECT ?p ?o {{ <{about}> ?p ?o }}"
    return [
        ("the first query, which builds and saves the snapshot", ["query", one]),
        ("`query` of one subject", ["query", one]),
        ("… with `--cite`", ["query", one, "--cite"]),
        ("`describe` of an IRI", ["describe", about]),
        ("… of a name", ["describe", name]),
        ("… of a name that nothing has", ["describe", name + " and more"], 3),
        ("`check`", ["check"], 1),
        ("`validate` with two shapes", ["validate", "--shapes", "shapes.ttl"], 1),
        ("`export`", ["export", "--format", "nquads"]),
        ("… `--sorted`, as TriG", ["export", "--sorted", "--format", "trig"]),
        ("… `--canonical`", ["export", "--canonical"]),
        ("`diff` of one statement", ["diff"], 1),
        ("`bundle` of one answer", ["bundle", one, "--output", "answer.zip"]),
        ("`test --accept`", ["test", "--accept"]),
        ("`test`", ["test"]),
        ("`publish`", ["publish", "--output", "site"]),
    ]


def status(pid):
    """What a process holds itself, and what of files it has mapped, in kB; zeros when it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    of = {key: int(value) for key, value in re.findall(r"^(RssAnon|RssFile):\s+(\d+)", text, re.MULTILINE)}
    return of.get("RssAnon", 0), of.get("RssFile", 0)


def measure(program, arguments, right, folder, limit):
    """The peaks in MB, the seconds, and a remark where it ends with another code than the right ones."""
    log = folder / ".log"
    own_cache = {**os.environ, "XDG_CACHE_HOME": str(folder.with_suffix(".cache"))}
    with open(log, "wb") as errors:
        started = time.monotonic()
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": errors}
        process = subprocess.Popen([program, *arguments], cwd=folder, env=own_cache, **quiet)
        own, mapped, remark = 0, 0, ""
        while process.poll() is None:
            held, files = status(process.pid)
            own, mapped = max(own, held), max(mapped, files)
            if time.monotonic() - started > limit:
                process.kill()
                process.wait()
                remark = f" (stopped after {limit:.0f} s)"
            time.sleep(POLL)
    if not remark and process.returncode not in right:
        remark = f" (failed: {log.read_text(errors='replace').strip().splitlines()[:1]})"
    return own / 1024, mapped / 1024, time.monotonic() - started, remark


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--kgq", default="target/release/kgq")
    parser.add_argument("--before")
    parser.add_argument("--only", default="", help="measure only the commands whose line matches; the first query always runs")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--name", help="what is described by name; by default the first name in the file")
    parser.add_argument("--about", help="the subject that is asked about; by default the one with that name")
    args = parser.parse_args()
    if not args.data.is_file():
        parser.error(f"{args.data}: there is no such file")
    about, name, title = sample(args.data)
    about, name = args.about or about, args.name or name
    programs = [str(pathlib.Path(program).resolve()) for program in [args.kgq, args.before] if program]
    head = ["command", "holds", "mapped", "seconds"] + (["held before", "mapped before", "seconds before"] if args.before else [])
    print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1))
    with tempfile.TemporaryDirectory() as temporary:
        folders = [pathlib.Path(temporary) / str(number) for number in range(len(programs))]
        for folder in folders:
            folder.mkdir()
            prepare(folder, args.data, about, title)
        for number, (line, arguments, *codes) in enumerate(commands(about, name)):
            if number > 0 and not re.search(args.only, line):
                continue
            cells = []
            for program, folder in zip(programs, folders):
                own, mapped, seconds, remark = measure(program, arguments, [0, *codes], folder, args.seconds)
                cells += [f"{own:,.0f}{remark}", f"{mapped:,.0f}", f"{seconds:,.1f}"]
            print("| " + " | ".join([line] + cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
