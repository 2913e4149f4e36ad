#!/usr/bin/env python3
"""Asks `kgq serve` with the clients that people have: SPARQLWrapper, rdflib's SPARQLStore, pyoxigraph by SERVICE, curl, Jena's `rsparql`,
Comunica, and YASGUI in Chromium, as a page of another origin. Each must give the same rows; a client that is not there is named.

    python3 benches/clients.py [PROJECT] [--kgq PROGRAM] [--jena FOLDER] [--npm FOLDER] [--all]

--jena names a folder of the jars of Apache Jena and of what they need, for `java`; else `rsparql` is looked for. --npm names a folder in
which npm has installed `@comunica/query-sparql`, `@zazuko/yasgui` and `puppeteer-core`. With --all, a client that is not there is a failure.
"""

import argparse
import json
import pathlib
import shutil
import socket
import subprocess
import sys

QUERY = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?thing ?label WHERE { ?thing a <http://www.w3.org/2002/07/owl#Class> ; rdfs:label ?label
  FILTER(LANG(?label) = "en") } ORDER BY ?label ?thing LIMIT 20"""
GRAPH = "CONSTRUCT { ?s a ?o } WHERE { { SELECT * { ?s a ?o } ORDER BY ?s ?o LIMIT 50 } }"
ASK = "ASK { ?s ?p ?o }"
HERE = pathlib.Path(__file__).resolve().parent


class Missing(Exception):
    """The client is not installed."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# Where a page stands that is none of the server's.
PAGES = free_port()
JENA = NPM = None


def told(command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ends with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def rows_of(document):
    return [(row["thing"]["value"], row["label"]["value"]) for row in json.loads(document)["results"]["bindings"]]


def by_curl(endpoint):
    rows = {}
    for name, options in {
        "GET": ["-G"],
        "form": [],
        "gzip": ["-G", "--compressed"],
    }.items():
        accept = ["-H", "Accept: application/sparql-results+json"]
        rows[name] = rows_of(told(["curl", "-sSf", *options, *accept, "--data-urlencode", f"query={QUERY}", endpoint]))
    direct = ["-H", "Content-Type: application/sparql-query", "--data-binary", QUERY]
    rows["direct"] = rows_of(told(["curl", "-sSf", *direct, endpoint]))
    if len({tuple(each) for each in rows.values()}) != 1:
        raise RuntimeError(f"the ways differ: {[len(each) for each in rows.values()]}")
    return rows["GET"]


def by_wrapper(endpoint):
    try:
        from SPARQLWrapper import CSV, JSON, POST, POSTDIRECTLY, SPARQLWrapper, TURTLE, XML
    except ImportError as error:
        raise Missing(str(error)) from error
    client = SPARQLWrapper(endpoint)
    client.setQuery(QUERY)
    client.setReturnFormat(JSON)
    rows = [(row["thing"]["value"], row["label"]["value"]) for row in client.queryAndConvert()["results"]["bindings"]]
    client.setMethod(POST)
    client.setReturnFormat(XML)
    if len(client.queryAndConvert().getElementsByTagName("result")) != len(rows):
        raise RuntimeError("XML has another number of rows")
    client.setRequestMethod(POSTDIRECTLY)
    client.setReturnFormat(CSV)
    if client.queryAndConvert().decode().count("\r\n") != len(rows) + 1:
        raise RuntimeError("CSV has another number of rows")
    client.setQuery(GRAPH)
    client.setReturnFormat(TURTLE)
    if b"a " not in client.queryAndConvert():
        raise RuntimeError("CONSTRUCT gives no Turtle")
    client.setQuery(ASK)
    client.setReturnFormat(JSON)
    if client.queryAndConvert()["boolean"] is not True:
        raise RuntimeError("ASK is not true")
    return rows


def by_rdflib(endpoint):
    try:
        from rdflib import Graph, URIRef
        from rdflib.plugins.stores.sparqlstore import SPARQLStore
    except ImportError as error:
        raise Missing(str(error)) from error
    rows = None
    for method in ["GET", "POST", "POST_FORM"]:
        graph = Graph(SPARQLStore(endpoint, method=method, returnFormat="json"))
        found = [(str(row.thing), str(row.label)) for row in graph.query(QUERY)]
        if rows is not None and rows != found:
            raise RuntimeError(f"{method} gives other rows")
        rows = found
    of_one = list(graph.triples((URIRef(rows[0][0]), None, None)))
    if not of_one:
        raise RuntimeError("triples of a thing are not found")
    return rows


def by_pyoxigraph(endpoint):
    try:
        from pyoxigraph import Store
    except ImportError as error:
        raise Missing(str(error)) from error
    prefix, body = QUERY.split("\n", 1)
    inner = body.replace("SELECT ?thing ?label WHERE {", "SELECT ?thing ?label WHERE { SERVICE <%s> {" % endpoint)
    inner = inner.replace("} ORDER BY", "} } ORDER BY")
    try:
        return [(row["thing"].value, row["label"].value) for row in Store().query(f"{prefix}\n{inner}")]
    except (OSError, RuntimeError) as error:
        if "not support" in str(error) or "disabled" in str(error):
            raise Missing(f"this pyoxigraph has no HTTP: {error}") from error
        raise


def by_rsparql(endpoint):
    options = ["--service", endpoint, "--results", "JSON", QUERY]
    if JENA:
        return rows_of(told(["java", "-cp", f"{JENA.resolve()}/*", "arq.rsparql", *options]))
    program = shutil.which("rsparql")
    if program is None:
        raise Missing("rsparql (Apache Jena) is not installed")
    return rows_of(told([program, *options]))


def by_comunica(endpoint):
    program = NPM and shutil.which("comunica-sparql", path=NPM / "node_modules/.bin")
    if not program:
        raise Missing("@comunica/query-sparql is not installed")
    return rows_of(told([program, f"sparql@{endpoint}", QUERY, "-t", "application/sparql-results+json"]))


def by_yasgui(endpoint):
    if not NPM or not (NPM / "node_modules/@zazuko/yasgui").is_dir():
        raise Missing("@zazuko/yasgui is not installed")
    answer = told(["node", HERE / "yasgui.mjs", NPM.resolve(), str(PAGES), endpoint, QUERY])
    if answer.startswith("skipped: "):
        raise Missing(answer.strip())
    return rows_of(answer)


CLIENTS = {
    "curl": by_curl,
    "SPARQLWrapper": by_wrapper,
    "rdflib SPARQLStore": by_rdflib,
    "pyoxigraph SERVICE": by_pyoxigraph,
    "Jena rsparql": by_rsparql,
    "Comunica": by_comunica,
    "YASGUI in Chromium": by_yasgui,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", default=".")
    parser.add_argument("--kgq", default="target/release/kgq")
    parser.add_argument("--jena", type=pathlib.Path, help="a folder of jars")
    parser.add_argument("--npm", type=pathlib.Path, help="a folder with node_modules")
    parser.add_argument("--all", action="store_true", help="fail where a client is not there")
    arguments = parser.parse_args()
    global JENA, NPM
    JENA, NPM = arguments.jena, arguments.npm
    options = ["--listen", "127.0.0.1:0", "--log", "none", "--cors", f"http://127.0.0.1:{PAGES}"]
    command = [arguments.kgq, "-C", arguments.project, "serve", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    failed = False
    try:
        endpoint = server.stdout.readline().strip() + "sparql"
        expected = by_curl(endpoint)
        if len(expected) < 2:
            raise SystemExit("the project has too few classes with names for a test")
        for name, ask in CLIENTS.items():
            try:
                rows = ask(endpoint)
                same = rows == expected
                print(f"{name:20} {'right' if same else 'WRONG'}, {len(rows)} rows")
                failed |= not same
            except Missing as why:
                print(f"{name:20} left out: {why}")
                failed |= arguments.all
            except Exception as error:  # noqa: BLE001: whatever a client raises is its failure
                print(f"{name:20} FAILED: {error}")
                failed = True
    finally:
        server.terminate()
        server.wait()
    sys.exit(failed)


if __name__ == "__main__":
    main()
