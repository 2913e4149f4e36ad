"""Terms for rdflib."""

from __future__ import annotations

from typing import Any, Iterable

import rdflib

from .terms import IRI, XSD, BlankNode, Literal, Triple


def term_of(term: Any) -> Any:
    """The term of rdflib for one of ours."""
    if isinstance(term, IRI):
        return rdflib.URIRef(term)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term)
    if isinstance(term, Literal):
        if term.language is not None:
            return rdflib.Literal(str(term), lang=term.language)
        if term.datatype == XSD + "string":
            return rdflib.Literal(str(term))
        # What is written stays: rdflib would turn 042 into 42.
        return rdflib.Literal(str(term), datatype=rdflib.URIRef(term.datatype), normalize=False)
    if isinstance(term, Triple):
        raise TypeError("rdflib has no triple terms")
    raise TypeError(f"{term!r} is no term")


def graph_of(triples: Iterable[Triple]) -> "rdflib.Graph":
    """A graph of these triples."""
    graph = rdflib.Graph()
    for triple in triples:
        graph.add((term_of(triple.subject), term_of(triple.predicate), term_of(triple.object)))
    return graph
