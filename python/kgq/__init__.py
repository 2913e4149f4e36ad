"""Answers SPARQL over a folder of RDF files, and can say where every answer comes from.

>>> import kgq
>>> graph = kgq.open("people.ttl")
>>> for row in graph.query("SELECT ?name ?age { ?person e:name ?name ; e:age ?age } ORDER BY ?age"):
...     print(row.name, row.age)
Ada 36
Bob 41
"""

# Made when they are asked for: the command `kgq` needs none of them, and is there sooner.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answer import Answer, Row, Shown
    from .errors import (
        ChangeWarning,
        CheckError,
        DataError,
        EmptyAnswerWarning,
        Error,
        FileError,
        InternalError,
        LimitError,
        PolicyError,
        QueryError,
        QueryWarning,
    )
    from .graph import Graph, open
    from .terms import IRI, BlankNode, Literal, Triple
    from .told import CannedQuery, Change, Citation, Cited, Description, Finding, Parameter, Report, Statement, Why

_ROOMS = {
    "Answer": "answer",
    "BlankNode": "terms",
    "CannedQuery": "told",
    "Change": "told",
    "ChangeWarning": "errors",
    "CheckError": "errors",
    "Citation": "told",
    "Cited": "told",
    "DataError": "errors",
    "Description": "told",
    "EmptyAnswerWarning": "errors",
    "Error": "errors",
    "FileError": "errors",
    "Finding": "told",
    "Graph": "graph",
    "IRI": "terms",
    "InternalError": "errors",
    "LimitError": "errors",
    "Literal": "terms",
    "Parameter": "told",
    "PolicyError": "errors",
    "QueryError": "errors",
    "QueryWarning": "errors",
    "Report": "told",
    "Row": "answer",
    "Shown": "answer",
    "Statement": "told",
    "Triple": "terms",
    "Why": "told",
    "open": "graph",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'kgq' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module("." + _ROOMS[name], "kgq"), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted(_ROOMS)


__all__ = [
    "Answer",
    "BlankNode",
    "CannedQuery",
    "Change",
    "ChangeWarning",
    "CheckError",
    "Citation",
    "Cited",
    "DataError",
    "Description",
    "EmptyAnswerWarning",
    "Error",
    "FileError",
    "Finding",
    "Graph",
    "IRI",
    "InternalError",
    "LimitError",
    "Literal",
    "Parameter",
    "PolicyError",
    "QueryError",
    "QueryWarning",
    "Report",
    "Row",
    "Shown",
    "Statement",
    "Triple",
    "Why",
    "open",
]
