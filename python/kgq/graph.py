"""A graph that is open, and all that can be asked of it."""

from __future__ import annotations

import json
import math
import os
import warnings
from decimal import Decimal
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from . import _kgq
from .answer import Answer
from .errors import ChangeWarning, Error, QueryWarning
from .terms import IRI, BlankNode, Literal, written_term
from .told import CannedQuery, Change, Cited, Description, Report, Why

Path = Union[str, "os.PathLike[str]"]


class Graph:
    """A graph: a project's folder, RDF files, or a saved snapshot. `kgq.open` opens one.

    It is as it was when it was read, until `reload` or `update(…, write=True)`. Any thread may ask it; the interpreter's lock is free while
    it works, and Ctrl-C stops it.
    """

    def __init__(self, inner: "_kgq.Graph") -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """The project's name, or what the statements were read from."""
        return self._inner.name

    def __len__(self) -> int:
        return self._inner.statements()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<kgq.Graph {self.name}: {len(self)} statements>"

    @property
    def prefixes(self) -> "dict[str, str]":
        """The prefixes that queries need not declare."""
        return dict(self._inner.prefixes())

    def query(self, text: str, bindings: Optional[Mapping[str, Any]] = None, /, **named: Any) -> Answer:
        """Asks a SPARQL query. Prefixes of the graph need no declaration.

        Values for variables are given by name, as Python values or terms; a list stands for any of its members. They are bound as terms
        after the text is parsed, so that no value can change the query.

        >>> graph.query("SELECT ?age { ?person e:name $name ; e:age ?age }", name="Ada").first().age
        36
        >>> [row.name for row in graph.query("SELECT ?name { ?p e:name ?name ; e:age $age }", age=[36, 41, 99])]
        ['Ada', 'Bob']
        >>> graph.query("SELECT ?x { ?x ee:name 'Ada' }")
        Traceback (most recent call last):
        ...
        kgq.errors.QueryError: <query>:1:16: unknown prefix `ee`
          1 | SELECT ?x { ?x ee:name 'Ada' }
            |                ^^
          hint: declare it: `PREFIX ee: <…>`
        """
        given = [_given(name, value) for name, value in {**(bindings or {}), **named}.items()]
        return _answer(self._inner.query(text, given))

    def run(self, name: str, parameters: Optional[Mapping[str, Any]] = None, /, **named: Any) -> Answer:
        """Runs a canned query of the project. Values of parameters are texts as on the command line: CURIEs, labels, numbers.

        >>> graph.run("older-than", age=40).first().name
        'Bob'
        """
        values = [(key, text) for key, value in {**(parameters or {}), **named}.items() for text in _texts(value)]
        return _answer(self._inner.run(name, values))

    @property
    def queries(self) -> List[CannedQuery]:
        """The canned queries of the project."""
        return [CannedQuery(query) for query in json.loads(self._inner.queries())]

    def iri(self, name: str) -> IRI:
        """The IRI that a CURIE, an IRI or a label in any language stands for.

        >>> graph.iri("e:ada")
        IRI('http://e/ada')
        """
        return IRI(self._inner.resolve(name))

    def describe(self, name: str) -> Description:
        """All about one thing, named by a CURIE, an IRI or a label.

        >>> graph.describe("e:ada")[graph.iri("e:age")]
        [36]
        """
        return Description(json.loads(self._inner.describe(str(name))))

    def why(self, answer: Union[Answer, str], row: int = 1, **named: Any) -> Why:
        """Why an answer has a row: the statements that make it so, with file, line and citations.

        >>> why = graph.why("SELECT ?age { e:ada e:age ?age }", row=1)
        >>> [(statement.file, statement.line) for statement in why.statements]
        [('people.ttl', 2)]
        """
        return (answer if isinstance(answer, Answer) else self.query(answer, named)).why(row)

    def cite(self, *terms: str) -> List[Cited]:
        """The sources of all statements about one thing; or of those of a subject, a predicate and an object (`"_"` is any)."""
        return [Cited(cited) for cited in json.loads(self._inner.cite([str(term) for term in terms]))]

    def check(self) -> Report:
        """Looks for what is wrong with the project's files as they are now: syntax, undefined terms, broken links, shapes, citations.

        >>> bool(graph.check())
        True
        """
        return Report(json.loads(self._inner.check()))

    def update(self, text: str, write: bool = False, check: bool = True) -> Change:
        """Runs a SPARQL Update, and tells what it changes.

        With `write`, the project's own files change, all or none, as a careful person would have changed them, and the graph is read again;
        unless `check` is false, an update that would add a finding or fail an expected answer is refused: the error's `others` say which.
        A `ChangeWarning` says what is left in the files that is perhaps no longer meant.

        >>> graph.update("DELETE WHERE { e:ada e:age ?age }")
        <kgq.Change: would change 0 added, 1 removed>
        """
        told, remarks = self._inner.update(text, write, check)
        for remark in remarks:
            warnings.warn(ChangeWarning(remark), stacklevel=2)
        return Change(json.loads(told), write)

    def reload(self) -> bool:
        """Reads the files again if they have changed, and tells whether they have."""
        return self._inner.reload()


def _answer(asked: "Tuple[_kgq.Answer, List[Error]]") -> Answer:
    answer, mistakes = asked
    for mistake in mistakes:
        warnings.warn(QueryWarning(mistake), stacklevel=3)
    return Answer(answer)


class _Given:
    """A variable with what is bound to it, as the compiled half reads it."""

    def __init__(self, name: str, terms: "List[Any]", is_list: bool) -> None:
        self.name, self.terms, self.is_list = name, terms, is_list


def _given(name: str, value: Any) -> _Given:
    is_list = isinstance(value, Iterable) and not isinstance(value, (str, IRI, BlankNode, Literal)) and not hasattr(value, "value")
    return _Given(name, [written_term(member) for member in value] if is_list else [written_term(value)], is_list)


def _texts(value: Any) -> List[str]:
    if isinstance(value, (list, tuple, set)):
        return [_listed(text) for member in value for text in _texts(member)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(getattr(value, "value", value) if not isinstance(value, Literal) else str(value))]


def _listed(text: str) -> str:
    # A member of a list is quoted where a comma would part it.
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def open(  # noqa: A001 - it opens a graph as `open` opens a file.
    path: Union[Path, Sequence[Path]] = ".",
    *,
    timeout: Optional[float] = None,
    memory: Optional[int] = None,
    rows: Optional[int] = None,
    base: Optional[str] = None,
    lenient: bool = False,
    trust: bool = False,
) -> Graph:
    """Opens a project's folder (one with a kgq.toml, or below one), a folder of RDF files, files, or a snapshot of `kgq build`.

    `timeout` in seconds, `memory` in bytes and `rows` bound each query; without them, what kgq.toml says. `base` resolves relative
    IRIs; `lenient` takes IRIs that are not well-formed; `trust` lets the project name files outside of its folder, as `--trust` does.

    >>> kgq.open("people.ttl")
    <kgq.Graph people.ttl: 4 statements>
    """
    paths = [os.fspath(path)] if isinstance(path, (str, os.PathLike)) else [os.fspath(one) for one in path]
    if not paths or "" in paths:
        raise ValueError("name a project's folder, files, or a snapshot; `kgq.open()` opens the folder in which you are")
    if timeout is not None and not 0 <= timeout < math.inf:
        raise ValueError(f"timeout is a number of seconds, and {timeout!r} is none")
    # A value stands in one word with its option: it may begin with a hyphen.
    options = ["--quiet"]
    if len(paths) == 1 and paths[0].endswith(".kgq"):
        options += [f"--snapshot={paths[0]}"]
    elif len(paths) == 1 and os.path.isdir(paths[0]):
        options += [f"--directory={paths[0]}"]
    else:
        options += [f"--data={one}" for one in paths]
    seconds = None if timeout is None else f"{Decimal(repr(float(timeout))):f}s"
    for name, value in (("--timeout", seconds), ("--max-memory", memory), ("--max-rows", rows), ("--base", base)):
        if value is not None:
            options += [f"{name}={value}"]
    options += ["--lenient"] * lenient + ["--trust"] * trust
    return Graph(_kgq.open(options))
