"""The same questions to kgq, pyoxigraph and rdflib: the same answers, term by term."""

import collections
import pathlib

import pytest

import kgq

rdflib = pytest.importorskip("rdflib")
pyoxigraph = pytest.importorskip("pyoxigraph")

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PREFIXES = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
"""
QUESTIONS = {
    "labels": "SELECT ?s ?l { ?s rdfs:label ?l }",
    "counts of classes": "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c",
    "what has no label": "SELECT DISTINCT ?s { ?s a ?c FILTER NOT EXISTS { ?s rdfs:label ?l } }",
    "optional": "SELECT ?s ?d ?b { ?s rdfs:label ?l OPTIONAL { ?s dcterms:date ?d } OPTIONAL { ?s skos:broader ?b } }",
    "paths": "SELECT ?s ?t { ?s skos:broader+ ?t }",
    "languages": "SELECT ?l (LANG(?l) AS ?t) (STRLEN(?l) AS ?n) { ?s rdfs:label ?l FILTER(LANGMATCHES(LANG(?l), 'zh')) }",
    "union and minus": "SELECT ?s { { ?s a skos:Concept } UNION { ?s a owl:Class } MINUS { ?s skos:broader ?b } }",
    "sorted": "SELECT ?l { ?s rdfs:label ?l } ORDER BY STR(?l) LANG(?l) LIMIT 20",
    "values": "SELECT ?s ?o { VALUES ?p { skos:broader skos:narrower } ?s ?p ?o }",
    "computed": "SELECT ?s (CONCAT(STR(?l), '!') AS ?t) (1 + 2 AS ?n) { ?s a owl:Class ; rdfs:label ?l }",
}


def files():
    return sorted((REPOSITORY / "data").glob("**/*.ttl")) + sorted((REPOSITORY / "ontology").glob("**/*.ttl"))


def plain(path):
    """The statements of a file without blank nodes and without triple terms, which rdflib does not know."""
    for quad in pyoxigraph.parse(path=str(path), format=pyoxigraph.RdfFormat.TURTLE):
        parts = (quad.subject, quad.predicate, quad.object)
        if all(isinstance(part, (pyoxigraph.NamedNode, pyoxigraph.Literal)) for part in parts):
            yield quad.triple


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    path = tmp_path_factory.mktemp("beside") / "all.nt"
    triples = {triple for file in files() for triple in plain(file)}
    path.write_text("".join(f"{triple} .\n" for triple in sorted(triples, key=str)), encoding="utf-8")
    store = pyoxigraph.Store()
    store.load(path=str(path), format=pyoxigraph.RdfFormat.N_TRIPLES)
    graph = rdflib.Graph()
    graph.parse(str(path), format="nt")
    assert len(triples) > 1_000
    return kgq.open(path), store, graph


def ours(graph, query):
    return [tuple(None if term is None else term.n3() for term in row) for row in graph.query(query).terms()]


def oxigraph_s(store, query):
    return [tuple(None if term is None else str(term) for term in row) for row in store.query(query)]


def literal_n3(term):
    """rdflib's `n3` writes numbers short; here each is written as a literal."""
    if isinstance(term, rdflib.Literal) and term.language is None:
        datatype = None if term.datatype is None else str(term.datatype)
        return kgq.Literal(str(term), datatype).n3()
    if isinstance(term, rdflib.Literal):
        return kgq.Literal(str(term), None, term.language).n3()
    return kgq.IRI(term).n3()


def rdflib_s(graph, query):
    return [tuple(None if term is None else literal_n3(term) for term in row) for row in graph.query(query)]


def lower_tags(rows):
    """The same rows with language tags in lower case: their case means nothing, and each writes them in its own."""
    def lower(text):
        head, at, tag = text.rpartition('"@') if text is not None else ("", "", "")
        return f"{head}{at}{tag.lower()}" if at else text

    return [tuple(lower(text) for text in row) for row in rows]


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_same_answers(three, name):
    graph, store, other = three
    query = PREFIXES + QUESTIONS[name]
    found = lower_tags(ours(graph, query))
    assert found, "a question without an answer compares nothing"
    for rows in (lower_tags(oxigraph_s(store, query)), lower_tags(rdflib_s(other, query))):
        if name == "sorted":
            assert rows == found
        else:
            assert collections.Counter(rows) == collections.Counter(found)


def test_terms_of_others_can_be_bound(three):
    graph, _, _ = three
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    count = "SELECT (COUNT(*) AS ?n) { ?s $p ?o }"
    counts = {graph.query(count, p=term).first().n for term in (rdflib.URIRef(label), pyoxigraph.NamedNode(label), kgq.IRI(label))}
    assert len(counts) == 1 and counts != {0}


def test_answers_become_rdflib_s(three):
    graph, _, other = three
    made = graph.query(PREFIXES + "CONSTRUCT { ?s rdfs:label ?l } { ?s rdfs:label ?l }").to_rdflib()
    expected = rdflib.Graph()
    expected += other.triples((None, rdflib.RDFS.label, None))
    assert set(made) == set(expected)
    rows = graph.query(PREFIXES + "SELECT ?s { ?s a owl:Class }").to_rdflib()
    assert {row["s"] for row in rows} == set(other.subjects(rdflib.RDF.type, rdflib.OWL.Class))
