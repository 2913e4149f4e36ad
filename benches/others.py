#!/usr/bin/env python3
"""Asks kgq, pyoxigraph and Jena the same queries over the same data, and tells where their answers differ.

    python3 benches/others.py DATA QUERIES… [--kgq PROGRAM] [--jena FOLDER] [--seconds N] [--show]

DATA is a project of kgq, or a folder or a file that `kgq -d` takes; kgq writes it as N-Quads, which all engines read, so that queries are compared and
not parsers. QUERIES are files or folders: `.rq` and `.sparql`, and `.ttl` with SHACL's executables. --jena names a folder of the
jars of Apache Jena and of what they need, for `java`. pyoxigraph comes from pip.

Answers are compared as multisets of solutions, or as sets of triples. Blank nodes are told apart by where they stand. Where the
exact terms differ, they are compared once more by value (01 and 1), then without what SPARQL leaves open: which rows a LIMIT
takes, the order within GROUP_CONCAT, which value SAMPLE takes, what DESCRIBE tells.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from decimal import Decimal, InvalidOperation

from engines import Engine

XSD = "http://www.w3.org/2001/XMLSchema#"
SH = "http://www.w3.org/ns/shacl#"
BASE = "http://example.org/base/"
HERE = pathlib.Path(__file__).resolve()
EXECUTABLE = {SH + name for name in ("select", "ask", "construct")}


# Answers ------------------------------------------------------------------------------------------------------------------------


class Answer:
    """Rows of terms as tuples of text; blank nodes begin with `_:`. `rows` is None where the engine refused."""

    def __init__(self, kind, rows, why=""):
        self.kind, self.rows, self.why = kind, rows, why

    @staticmethod
    def refused(why):
        return Answer("refused", None, why.strip())

    @staticmethod
    def from_json(text):
        document = json.loads(text)
        if "boolean" in document:
            return Answer("ask", [(str(document["boolean"]).lower(),)])
        # A variable that is bound nowhere may be left out of the head or not.
        bindings = document["results"]["bindings"]
        names = sorted({name for row in bindings for name in row})
        return Answer("select", [tuple(term(row.get(name)) for name in names) for row in bindings])

    @staticmethod
    def from_triples(text):
        import pyoxigraph

        triples = pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_TRIPLES, lenient=True)
        return Answer("graph", sorted({tuple(map(written, quad.triple)) for quad in triples}))


def term(value):
    """A term of a JSON result as text. Language tags are compared in lower case, as RDF does."""
    if value is None:
        return ""
    kind, text = value["type"], value["value"]
    if kind == "uri":
        return f"<{text}>"
    if kind == "bnode":
        return f"_:{text}"
    if kind == "triple":
        return "<<" + " ".join(term(text[part]) for part in ("subject", "predicate", "object")) + ">>"
    return literal(text, value.get("datatype"), value.get("xml:lang"))


def written(value):
    """The same for a term of pyoxigraph."""
    import pyoxigraph as ox

    if isinstance(value, ox.Literal):
        return literal(value.value, value.datatype.value, value.language)
    return str(value)


def literal(text, datatype, language):
    if language:
        return f"{json.dumps(text)}@{language.lower()}"
    if datatype in (None, XSD + "string"):
        return json.dumps(text)
    return f"{json.dumps(text)}^^<{datatype}>"


def by_shape(rows):
    """The rows as a multiset, blank nodes renamed by the rows in which they stand, refined until nothing new is learned."""
    names = {cell for row in rows for cell in row if cell.startswith("_:")}
    colours = dict.fromkeys(names, "_")
    for _ in range(3 if names else 0):
        seen = collections.defaultdict(list)
        for row in rows:
            for at, cell in enumerate(row):
                if cell in colours:
                    others = ["*" if other == cell else colours.get(other, other) for other in row]
                    seen[cell].append("\t".join([str(at), *others]))
        colours = {name: "_" + hashlib.sha256("\n".join(sorted(seen[name])).encode()).hexdigest()[:16] for name in names}
    return collections.Counter(tuple(colours.get(cell, cell) for cell in row) for row in rows)


def by_value(cell):
    """A literal as its value where that is a number, a boolean or a time; Oxigraph's store keeps values only."""
    found = re.fullmatch(r'"((?:[^"\\]|\\.)*)"\^\^<' + re.escape(XSD) + r"(\w+)>", cell)
    if not found:
        return cell
    text, kind = found.groups()
    try:
        if kind in ("double", "float"):
            return f"{float(text):.6e}^{kind}"
        if kind == "boolean":
            return {"1": "true", "0": "false"}.get(text, text) + "^boolean"
        if kind == "dateTime" or kind == "time":
            return re.sub(r"(\.\d*?)0+(?=$|Z|[+-])", r"\1", text).replace("+00:00", "Z").replace(".Z", "Z") + f"^{kind}"
        # Quotients have as many places as an engine likes.
        return f"{Decimal(text):.15e}^{'decimal' if kind == 'decimal' else 'integer'}"
    except (InvalidOperation, ValueError):
        return cell


def loosely(answer, text):
    """The answer without what SPARQL leaves open in such a query, and the name of that."""
    if re.search(r"\bGROUP_CONCAT\b", text, re.I):
        return Answer(answer.kind, [tuple("".join(sorted(cell)) for cell in row) for row in answer.rows]), "order within GROUP_CONCAT"
    if re.search(r"\bSAMPLE\b", text, re.I):
        return Answer(answer.kind, [()] * len(answer.rows)), "SAMPLE: number of rows alone"
    if re.search(r"\b(RAND|NOW|UUID|STRUUID)\s*\(", text, re.I):
        return Answer(answer.kind, [()] * len(answer.rows)), "RAND, NOW or UUID: number of rows alone"
    return answer, None


LIMIT = re.compile(r"\b(LIMIT|OFFSET)\s+\d+", re.I)


def compare(ours, theirs, text, again):
    """(verdict, detail) of two answers; `again` asks both without LIMIT and OFFSET."""
    if ours.rows is None or theirs.rows is None:
        if ours.rows is None and theirs.rows is None:
            return "refused by both", f"{ours.why} / {theirs.why}"
        return ("refused by kgq", ours.why) if ours.rows is None else ("refused by the other", theirs.why)
    verdict = same(ours, theirs)
    if verdict:
        return verdict, ""
    if re.search(r"^\s*DESCRIBE\b", text, re.I | re.M):
        return "DESCRIBE, left open", f"{len(ours.rows)} / {len(theirs.rows)} triples"
    (loose, name), (other, _) = loosely(ours, text), loosely(theirs, text)
    if name and same(loose, other):
        return f"same but for {name}", ""
    if LIMIT.search(text) and len(ours.rows) == len(theirs.rows):
        whole = [loosely(answer, text)[0] if answer.rows is not None else answer for answer in again()]
        if all(answer.rows is not None for answer in whole) and same(*whole):
            return "same but for which rows LIMIT takes", ""
    return "DIFFERENT", difference(ours, theirs)


def same(ours, theirs):
    left, right = by_shape(ours.rows), by_shape(theirs.rows)
    if left == right:
        return "same"
    values = [by_shape([tuple(map(by_value, row)) for row in answer.rows]) for answer in (ours, theirs)]
    return "same by value" if values[0] == values[1] else None


def difference(ours, theirs):
    left, right = by_shape(ours.rows), by_shape(theirs.rows)
    more, less = list((left - right).elements()), list((right - left).elements())
    lines = [f"{len(ours.rows)} rows / {len(theirs.rows)} rows; {len(more)} of kgq alone, {len(less)} of the other alone"]
    lines += ["  kgq:   " + " ".join(row)[:300] for row in sorted(more)[:2]]
    lines += ["  other: " + " ".join(row)[:300] for row in sorted(less)[:2]]
    return "\n".join(lines)


# Engines ------------------------------------------------------------------------------------------------------------------------


class Kgq:
    name = "kgq"

    def __init__(self, program, data, seconds):
        self.program, self.data, self.seconds = program, data, seconds

    def ask(self, path):
        # Triples can be written as a table too, a table not as triples: that is refused with code 2 before the query runs.
        for form in ("ntriples", "json"):
            command = [self.program, "query", "--snapshot", self.data, "-f", path, "--format", form, "--no-warnings", "--timeout", f"{self.seconds}s"]
            ran = subprocess.run(command, capture_output=True, text=True, cwd=pathlib.Path(self.data).parent, stdin=subprocess.DEVNULL)
            if ran.returncode == 0:
                return Answer.from_json(ran.stdout) if form == "json" else Answer.from_triples(ran.stdout)
            if ran.returncode != 2:
                break
        return Answer.refused(f"code {ran.returncode}: " + ran.stderr.strip().split("\n")[0])


class Other:
    """An engine in a process that is told names of files, one a line."""

    def __init__(self, name, command, seconds):
        self.name, self.seconds = name, seconds
        self.engine = Engine(name, command, 8 << 30)

    def ask(self, path):
        said = self.engine.ask(path, self.seconds)
        if "failed" in said:
            return Answer.refused(said["failed"].split("\n")[0][:300])
        answer = pathlib.Path(said["answer"]).read_text()
        return Answer.from_json(answer) if said["form"] == "json" else Answer.from_triples(answer)


def pyoxigraph_worker(data):
    import pyoxigraph as ox

    started = time.monotonic()
    store = ox.Store()
    store.bulk_load(path=data, format=ox.RdfFormat.N_QUADS, lenient=True)
    say(ready=time.monotonic() - started)
    out = data + ".pyoxigraph"
    for line in sys.stdin:
        try:
            answer = store.query(pathlib.Path(line.strip()).read_text())
            graph = isinstance(answer, ox.QueryTriples)
            answer.serialize(out, format=ox.RdfFormat.N_TRIPLES if graph else ox.QueryResultsFormat.JSON)
            say(answer=out, form="triples" if graph else "json")
        except Exception as error:  # Whatever it does not take is a refusal, and told as such.
            say(failed=str(error))


def say(**fields):
    print(json.dumps(fields), flush=True)


# Queries ------------------------------------------------------------------------------------------------------------------------


def queries(paths):
    """(name, text) of each query in these files and folders."""
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        declared = collections.defaultdict(dict)
        for file in files:
            if file.suffix == ".ttl" and file.is_file():
                read_declarations(file, declared)
        for file in files:
            if file.suffix in (".rq", ".sparql"):
                yield str(file), file.read_text(errors="replace")
            elif file.suffix == ".ttl" and file.is_file():
                yield from executables(file, declared)


def read_turtle(file):
    """The statements and the prefixes of a file; of one that is no Turtle, none."""
    import pyoxigraph as ox

    try:
        parser = ox.parse(path=str(file), format=ox.RdfFormat.TURTLE, base_iri=file.resolve().as_uri(), lenient=True)
        quads = list(parser)
        return quads, parser.prefixes
    except (SyntaxError, ValueError):
        return [], {}


def read_declarations(file, declared):
    """Which prefixes each thing declares by sh:declare."""
    quads, _ = read_turtle(file)
    fields = collections.defaultdict(dict)
    for quad in quads:
        fields[str(quad.subject)][quad.predicate.value] = quad.object
    for quad in quads:
        if quad.predicate.value == SH + "declare":
            about = fields[str(quad.object)]
            if SH + "prefix" in about and SH + "namespace" in about:
                declared[str(quad.subject)][about[SH + "prefix"].value] = about[SH + "namespace"].value


def executables(file, declared):
    """SHACL's executables, with the prefixes that sh:prefixes names, and those of the file for others."""
    quads, own = read_turtle(file)
    for quad in quads:
        if quad.predicate.value in EXECUTABLE and hasattr(quad.object, "value"):
            prefixes = dict(own)
            for other in quads:
                if other.subject == quad.subject and other.predicate.value == SH + "prefixes":
                    prefixes.update(declared[str(other.object)])
            yield f"{file}#{quad.predicate.value.rsplit('#')[-1]}", "".join(
                f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in prefixes.items()
            ) + quad.object.value


def with_base(text):
    return text if re.search(r"^\s*BASE\s*<", text, re.I | re.M) else f"BASE <{BASE}> {text}"


# The run ------------------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("queries", type=pathlib.Path, nargs="+")
    parser.add_argument("--kgq", default=str(HERE.parent.parent / "target/release/kgq"))
    parser.add_argument("--jena", type=pathlib.Path, help="a folder of jars")
    parser.add_argument("--rdf", choices=["1.1", "1.2"], default="1.2", help="1.1 for an engine that reads no 1.2; reifiers are rdf:Statement then")
    parser.add_argument("--seconds", type=int, default=20, help="most that one query may take")
    parser.add_argument("--show", action="store_true", help="tell of what was refused too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        sys.exit(run(arguments, pathlib.Path(work)))


def run(arguments, work):
    nquads, image = str(work / "data.nq"), str(work / "data.kgq")
    kgq = os.path.abspath(arguments.kgq)
    where = str(arguments.data.resolve())
    source = ["-C", where] if (arguments.data / "kgq.toml").exists() else ["-d", where]
    data = [kgq, *source, "export", "--format", "nquads", "--rdf", arguments.rdf, "--output", nquads]
    for command in (data, [kgq, "build", "-d", nquads, "--output", image]):
        ran = subprocess.run(command, capture_output=True, text=True, cwd=work)
        if ran.returncode:
            sys.exit(f"{' '.join(command)}: code {ran.returncode}\n{ran.stderr}")
    ours = Kgq(kgq, image, arguments.seconds)
    others = [Other("pyoxigraph", [sys.executable, str(HERE), "--worker", nquads], arguments.seconds)]
    if arguments.jena:
        others.append(Other("Jena", ["java", "-Xmx4g", "-cp", f"{arguments.jena.resolve()}/*", str(HERE.parent / "Jena.java"), nquads], arguments.seconds))
    try:
        return ask_all(ours, others, arguments, work)
    finally:
        for other in others:
            other.engine.stop()


def ask_all(ours, others, arguments, work):
    counts = {other.name: collections.Counter() for other in others}
    found = list(queries(arguments.queries))
    if not found:
        sys.exit("no query there")
    path, whole = str(work / "query.rq"), str(work / "whole.rq")
    for name, text in found:
        pathlib.Path(path).write_text(with_base(text))
        pathlib.Path(whole).write_text(with_base(LIMIT.sub("", text)))
        answer = ours.ask(path)
        for other in others:
            verdict, detail = compare(answer, other.ask(path), text, lambda: [ours.ask(whole), other.ask(whole)])
            counts[other.name][verdict] += 1
            if verdict == "DIFFERENT" or (arguments.show and "refused" in verdict):
                print(f"{name}: {other.name}: {verdict}: {detail}", flush=True)
    print(f"\n{len(found)} queries over {arguments.data}")
    for name, verdicts in counts.items():
        print(f"  {name}: " + ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common()))
    return 1 if any(verdicts["DIFFERENT"] for verdicts in counts.values()) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        pyoxigraph_worker(sys.argv[2])
    else:
        main()
