#!/usr/bin/env python3
"""Reads what kgq writes as columns with the readers that people have: DuckDB, Polars, PyArrow, openpyxl, and Spark where
Java and pyspark are. Counts, joins and values must be those that
kgq gives itself. Without data, on the project in the current folder; with a dump, on that.

    python3 benches/columns.py --kgq target/release/kgq [-d DUMP]
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class Kgq:
    def __init__(self, program, data):
        self.program = program
        self.data = [word for dump in data for word in ("-d", dump, "--lenient")]

    def run(self, *words):
        done = subprocess.run([self.program, *words, *self.data], capture_output=True, timeout=3600)
        if done.returncode != 0:
            raise RuntimeError(f"{words} ends with {done.returncode}: {done.stderr.decode()[-500:]}")
        return done.stdout

    def rows(self, query):
        lines = self.run("query", "-F", "ndjson", "--plain", query).decode().splitlines()
        return [tuple(json.loads(line).values()) for line in lines]


def same(what, ours, theirs):
    if ours != theirs:
        raise SystemExit(f"{what} differs: kgq {str(ours)[:300]}, reader {str(theirs)[:300]}")
    print(f"{what}\tequal\t{len(ours) if isinstance(ours, list) else ours}")


def graph(kgq, folder):
    """The two tables of the whole graph: counts, and joins through the terms."""
    import duckdb
    import polars

    kgq.run("export", "--parquet", str(folder))
    terms, triples = folder / "terms.parquet", folder / "triples.parquet"
    database = duckdb.connect()
    database.execute(f"CREATE VIEW terms AS FROM '{terms}'; CREATE VIEW triples AS FROM '{triples}'")

    def sql(text):
        return [tuple(row) for row in database.execute(text).fetchall()]

    everything = "{ ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }"
    counted = kgq.rows(f"SELECT (COUNT(*) AS ?n) {{ {everything} }}")
    same("statements, DuckDB", counted[0][0], sql("SELECT count(*) FROM triples")[0][0])
    same("statements, Polars", counted[0][0], polars.scan_parquet(triples).select(polars.len()).collect().item())

    default = "graph IS NULL"
    predicates = kgq.rows("SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p")
    theirs = sql(f"SELECT value, count(*) FROM triples JOIN terms ON predicate = id WHERE {default} GROUP BY value")
    same("statements by property, DuckDB", sorted(predicates), sorted(theirs))
    frame = polars.scan_parquet(triples).filter(polars.col("graph").is_null()).join(
        polars.scan_parquet(terms).select("id", "value"), left_on="predicate", right_on="id")
    same("statements by property, Polars", sorted(predicates), sorted(frame.group_by("value").len().collect().rows()))

    common = [name for name, _ in sorted(predicates, key=lambda row: (-row[1], row[0]))][:6]
    for one in common:
        for other in common:
            joined = kgq.rows(f"SELECT (COUNT(*) AS ?n) {{ ?x <{one}> ?y . ?y <{other}> ?z }}")[0][0]
            theirs = sql(f"""SELECT count(*) FROM triples a JOIN triples b ON a.object = b.subject
                WHERE a.{default} AND b.{default} AND a.predicate = (SELECT id FROM terms WHERE kind = 'iri' AND value = '{one}')
                AND b.predicate = (SELECT id FROM terms WHERE kind = 'iri' AND value = '{other}')""")[0][0]
            same(f"join of {one.rsplit('/', 1)[-1]} and {other.rsplit('/', 1)[-1]}, DuckDB", joined, theirs)
    languages = kgq.rows("SELECT ?l (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o BIND(LANG(?o) AS ?l) FILTER(?l != '') } GROUP BY ?l")
    theirs = sql(f"""SELECT language, count(*) FROM terms WHERE language IS NOT NULL AND kind = 'literal'
        AND id IN (SELECT object FROM triples WHERE {default}) GROUP BY language""")
    same("texts by language, DuckDB", sorted((l.lower(), n) for l, n in languages), sorted((l.lower(), n) for l, n in theirs))


def spark(kgq, folder):
    """The same counts by Spark, which brings its own reader of Parquet."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        print("Spark\tnot asked: pyspark is not installed")
        return
    if shutil.which("java") is None:
        print("Spark\tnot asked: there is no Java")
        return
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.session.timeZone": "UTC"}
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for name in ("terms", "triples"):
        session.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)

    def sql(text):
        return [tuple(row) for row in session.sql(text).collect()]

    everything = "{ ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }"
    same("statements, Spark", kgq.rows(f"SELECT (COUNT(*) AS ?n) {{ {everything} }}")[0][0], sql("SELECT count(*) FROM triples")[0][0])
    predicates = kgq.rows("SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p")
    theirs = sql("SELECT value, count(*) FROM triples JOIN terms ON predicate = id WHERE graph IS NULL GROUP BY value")
    same("statements by property, Spark", sorted(predicates), sorted(theirs))
    joined = kgq.rows("SELECT (COUNT(*) AS ?n) { ?x ?p ?y . ?y ?q ?z }")[0][0]
    theirs = sql("SELECT count(*) FROM triples a JOIN triples b ON a.object = b.subject WHERE a.graph IS NULL AND b.graph IS NULL")
    same("join of all with all, Spark", joined, theirs[0][0])

    query = """SELECT * { VALUES (?n ?d ?t ?x ?b ?l) { (7 "2026-11-28"^^<http://www.w3.org/2001/XMLSchema#date>
        "2026-11-28T12:00:00+08:00"^^<http://www.w3.org/2001/XMLSchema#dateTime> 12.50 true "价格"@zh) } }"""
    path = folder / "values.parquet"
    kgq.run("query", "-o", str(path), query)
    row = [str(value) for value in session.read.parquet(str(path)).selectExpr("n", "d", "cast(t as string)", "x", "b", "l").collect()[0]]
    same("typed values, Spark", ["7", "2026-11-28", "2026-11-28 04:00:00", "12.5", "True", "价格"], [row[0], row[1], row[2], row[3].rstrip("0"), *row[4:]])
    session.stop()


def answers(kgq, folder):
    """Answers in each format, read back."""
    import duckdb
    import openpyxl
    import polars
    import pyarrow

    query = f"SELECT ?s ?class (STRLEN(STR(?s)) AS ?n) {{ ?s <{TYPE}> ?class FILTER(isIRI(?s)) }} ORDER BY ?s ?class LIMIT 100000"
    expected = kgq.rows(query)
    files = {ending: folder / f"answer.{ending}" for ending in ("arrow", "parquet", "xlsx")}
    for path in files.values():
        kgq.run("query", "-o", str(path), query)
    same("answer as Parquet, DuckDB", expected, duckdb.sql(f"FROM '{files['parquet']}'").fetchall())
    same("answer as Parquet, Polars", expected, polars.read_parquet(files["parquet"]).rows())
    same("answer as Arrow, Polars", expected, polars.read_ipc(files["arrow"]).rows())
    stream = pyarrow.ipc.open_stream(kgq.run("query", "-F", "arrow", query)).read_all()
    same("answer as a stream of Arrow, PyArrow", expected, list(zip(*stream.to_pydict().values())))
    sheet = openpyxl.load_workbook(files["xlsx"], read_only=True).active
    same("answer as xlsx, openpyxl", expected, list(sheet.iter_rows(min_row=2, values_only=True)))

    kgq.run("query", "--terms", "-o", str(files["parquet"]), query)
    terms = duckdb.sql(f"SELECT s.value, s.kind, n.datatype FROM '{files['parquet']}' LIMIT 1").fetchall()
    if expected:
        same("answer as terms, DuckDB", [(expected[0][0], "iri", "http://www.w3.org/2001/XMLSchema#integer")], terms)

    values = """SELECT * { VALUES (?d ?t ?x ?b ?l) {
        ("2026-11-28"^^xsd:date "2026-11-28T12:00:00+08:00"^^xsd:dateTime 12.50 true "价格"@zh-hant) (UNDEF UNDEF -0.125 false "x"@zh-hant) } }"""
    values = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> " + values
    kgq.run("query", "-o", str(files["parquet"]), values)
    kgq.run("query", "-o", str(files["xlsx"]), values)
    row = polars.read_parquet(files["parquet"]).row(0)
    same("typed values, Polars", ["2026-11-28", "2026-11-28 04:00:00+00:00", "12.500", "True", "价格"], [str(value) for value in row])
    if polars.read_parquet(files["parquet"]).row(1)[:2] != (None, None):
        raise SystemExit("unbound is not null")
    cells = next(openpyxl.load_workbook(files["xlsx"]).active.iter_rows(min_row=2))
    same("typed cells, openpyxl", ["2026-11-28 00:00:00", "2026-11-28 04:00:00", "12.5", "True", "价格"], [str(cell.value) for cell in cells])
    same("language of a cell, openpyxl", '@" @zh-Hant"', cells[4].number_format)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kgq", required=True)
    arguments.add_argument("-d", "--data", action="append", default=[])
    given = arguments.parse_args()
    kgq = Kgq(str(pathlib.Path(given.kgq).resolve()), given.data)
    with tempfile.TemporaryDirectory() as folder:
        answers(kgq, pathlib.Path(folder))
        graph(kgq, pathlib.Path(folder) / "graph")
        spark(kgq, pathlib.Path(folder) / "graph")


if __name__ == "__main__":
    sys.exit(main())
