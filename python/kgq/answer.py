"""The answer to a query, and what it converts to."""

from __future__ import annotations

import html
import json
import warnings
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Tuple, Type

from .errors import EmptyAnswerWarning, Error
from .told import Citation, Why, cell_html, citations_html
from .terms import Triple

if TYPE_CHECKING:  # pragma: no cover
    import pandas
    import polars
    import pyarrow
    import rdflib

    from . import _kgq


class Row(Tuple[Any, ...]):
    """A row of an answer: a tuple whose members have the names of the columns. An unbound variable is `None`.

    `row.name`, `row["name"]` and `row[0]` are the same; `row.asdict()` has all by name. A column that is itself called `asdict`, or like one
    of Python's own names with underscores, is had by `row["asdict"]` alone.
    """

    __slots__ = ()
    _columns: Dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            return tuple.__getitem__(self, self._columns[name])
        except KeyError:
            known = ", ".join(self._columns)
            raise AttributeError(f"the answer has no column {name!r}: it has {known}") from None

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)
        try:
            return tuple.__getitem__(self, self._columns[key])
        except KeyError:
            raise KeyError(key) from None

    def asdict(self) -> Dict[str, Any]:
        """The values by the names of the columns."""
        return dict(zip(self._columns, self))

    def __repr__(self) -> str:
        return "Row(" + ", ".join(f"{name}={value!r}" for name, value in self.asdict().items()) + ")"

    def __reduce__(self) -> Any:
        return (_row, (tuple(self._columns), tuple(self)))


def _row(columns: Tuple[str, ...], values: Tuple[Any, ...]) -> Row:
    return _row_class(list(columns))(values)


def _row_class(columns: List[str]) -> Type[Row]:
    # A tuple has methods of its own, `count` and `index`: columns of these names come before them.
    hidden = {name: property(itemgetter(at)) for at, name in enumerate(columns) if hasattr(tuple, name) and not name.startswith("_")}
    return type("Row", (Row,), {**hidden, "__slots__": (), "_columns": {name: at for at, name in enumerate(columns)}})


class Answer:
    """The answer to a query. It is found as it is read, and anew each time: the graph that it is asked of never changes.

    Iterating gives `Row`s of Python values for a SELECT, and `Triple`s for a CONSTRUCT or DESCRIBE; `bool(answer)` is what an ASK
    says, and for others whether there is anything. Where there is no row, an `EmptyAnswerWarning` says why.

    >>> answer = graph.query("SELECT ?name ?age { ?person e:name ?name ; e:age ?age } ORDER BY ?name")
    >>> [(row.name, row.age) for row in answer]
    [('Ada', 36), ('Bob', 41)]
    """

    def __init__(self, inner: "_kgq.Answer") -> None:
        self._inner = inner

    @property
    def form(self) -> str:
        """`SELECT`, `ASK`, `CONSTRUCT` or `DESCRIBE`."""
        return self._inner.form

    @property
    def columns(self) -> List[str]:
        """The names of the columns; of triples `subject`, `predicate` and `object`."""
        return self._inner.columns

    @property
    def query(self) -> str:
        """The query's text."""
        return self._inner.text

    def __iter__(self) -> Iterator[Any]:
        return self._rows(False)

    def terms(self) -> Iterator[Any]:
        """The same rows, every literal as it is written: `Literal("042", xsd:integer)` instead of 42."""
        return self._rows(True)

    def _rows(self, exact: bool) -> Iterator[Any]:
        is_empty = True
        for row in self._inner.rows(_row_class(self._inner.columns or ["answer"]), exact):
            is_empty = False
            yield row
        if is_empty:
            self._warn_of_nothing()

    def __bool__(self) -> bool:
        return self._inner.truth()

    def first(self) -> Optional[Any]:
        """The first row, or `None`."""
        return next(iter(self), None)

    def reasons(self) -> List[Error]:
        """Why there is nothing: misspelt names with what was probably meant, conditions that no data meet, what no source says.

        >>> [str(reason.message) for reason in graph.query("SELECT ?x { ?x e:nam ?y }").reasons()]
        ['no statement has the property e:nam [unknown-property]']
        """
        return self._inner.reasons()

    def _warn_of_nothing(self, stacklevel: int = 3) -> None:
        for reason in self._inner.reasons():
            warnings.warn(EmptyAnswerWarning(reason), stacklevel=stacklevel)

    def explain(self, run: bool = False) -> str:
        """How it is answered, as a tree; with `run`, it is answered, and the tree has what was counted."""
        return self._inner.plan(run)

    def why(self, row: int = 1) -> Why:
        """The statements that make the row of this number (from 1), each with its file and line, and what it is cited from."""
        if row < 1:
            raise ValueError(f"rows are numbered from 1: there is no row {row}")
        return Why(json.loads(self._inner.why(row)))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Arrow's C stream of the rows: what Polars, pandas, DuckDB and pyarrow read without a copy."""
        return self._inner.stream(False)

    def to_arrow(self, terms: bool = False) -> "pyarrow.Table":
        """A table of pyarrow. A column of one datatype is typed; others, and with `terms` all, hold terms as structs of `value`, `kind`,
        `datatype` and `language`."""
        import pyarrow

        return self._told(pyarrow.table(_Stream(self._inner, terms)), 4)

    def to_polars(self, terms: bool = False) -> "polars.DataFrame":
        """A data frame of Polars; columns as of `to_arrow`."""
        import polars

        frame = polars.DataFrame(_Stream(self._inner, terms))
        self._told(frame, 4)
        return frame

    def to_pandas(self, terms: bool = False) -> "pandas.DataFrame":
        """A data frame of pandas; columns as of `to_arrow`."""
        import pyarrow

        return self._told(pyarrow.table(_Stream(self._inner, terms)), 4).to_pandas()

    def _told(self, table: Any, stacklevel: int) -> Any:
        if len(table) == 0:
            self._warn_of_nothing(stacklevel)
        return table

    def to_rdflib(self) -> "rdflib.Graph | List[Dict[str, Any]]":
        """For rdflib: a graph of the triples of a CONSTRUCT or DESCRIBE; of a SELECT a list of rows by name, of rdflib's terms."""
        from .rdflib import graph_of, term_of

        if self.form in ("CONSTRUCT", "DESCRIBE"):
            return graph_of(self.terms())
        return [{name: term_of(value) for name, value in row.asdict().items() if value is not None} for row in self.terms()]

    def shown(self, rows: int = 20) -> "Shown":
        """The first rows with labels, and the numbers of the citations that each rests on: what a notebook shows."""
        if rows < 0:
            raise ValueError(f"{rows} is no number of rows")
        return Shown(self._inner.form, json.loads(self._inner.shown(rows)))

    def _repr_html_(self) -> str:
        return self.shown()._repr_html_()

    def __repr__(self) -> str:
        return f"<kgq.Answer to {self.form}: {', '.join(self.columns) or 'true or false'}>"


class _Stream:
    """What readers of Arrow's C stream take."""

    def __init__(self, inner: "_kgq.Answer", terms: bool) -> None:
        self._inner = inner
        self._terms = terms

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._inner.stream(self._terms)


class Shown:
    """Rows for a reader: with labels and citations. A notebook shows it as a table."""

    def __init__(self, form: str, told: Dict[str, Any]) -> None:
        self.form = form
        self.columns: List[str] = told["columns"]
        #: Whether there are more rows.
        self.more: bool = told["more"]
        #: For each row, the numbers of its citations, from 1.
        self.cites: List[List[int]] = told["cites"]
        self.citations: List[Citation] = [Citation(citation) for citation in told["references"]]
        self._rows = told["rows"]

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        lines = []
        for number, row in enumerate(self._rows):
            cells = "".join(f"<td>{cell_html(cell)}</td>" for cell in row)
            cites = "".join(f"<sup>[{n}]</sup>" for n in (self.cites[number] if self.cites else []))
            lines.append(f"<tr>{cells}<td>{cites}</td></tr>")
        if self.more:
            lines.append(f'<tr><td colspan="{len(self.columns) + 1}">… and more rows</td></tr>')
        if not self._rows:
            lines.append(f'<tr><td colspan="{len(self.columns) + 1}">no rows</td></tr>')
        table = f"<table><thead><tr>{heads}<th></th></tr></thead><tbody>{''.join(lines)}</tbody></table>"
        return table + citations_html(self.citations)


__all__ = ["Answer", "Row", "Shown", "Triple"]
