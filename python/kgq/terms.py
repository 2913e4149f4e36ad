"""RDF's terms as Python's values.

Rows hold plain Python values wherever nothing is lost: `str`, `bool`, `int`, `float`, `decimal.Decimal`, `datetime.date`,
`datetime.datetime` and `datetime.time`. Things are `IRI` and `BlankNode`; texts with a language, and literals of other datatypes,
are `Literal`. All three are kinds of `str`, so that they can be used wherever a text can.
"""

from __future__ import annotations

import datetime
import decimal
import re
from typing import Any, NamedTuple, Optional, Union

XSD = "http://www.w3.org/2001/XMLSchema#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


class IRI(str):
    """A thing, by its IRI.

    >>> IRI("http://e/ada").n3()
    '<http://e/ada>'
    >>> IRI("http://e/ada") == "http://e/ada"
    True
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"IRI({str(self)!r})"

    def n3(self) -> str:
        """The IRI as Turtle writes it."""
        return f"<{self}>"


class BlankNode(str):
    """A thing without a name: the text tells it from others of the same answer, and nothing else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"BlankNode({str(self)!r})"

    def n3(self) -> str:
        """The node as Turtle writes it."""
        return f"_:{self}"


class Literal(str):
    """A text with its datatype, or its language.

    It equals a plain text with the same characters; another literal only if datatype and language are the same too.

    >>> chinese = Literal("贸易", language="zh")
    >>> chinese == "贸易", chinese == Literal("贸易", language="ja"), chinese.n3()
    (True, False, '"贸易"@zh')
    """

    __slots__ = ("datatype", "language", "direction")

    datatype: IRI
    language: Optional[str]
    direction: Optional[str]

    def __new__(
        cls, text: str, datatype: Optional[str] = None, language: Optional[str] = None, direction: Optional[str] = None
    ) -> "Literal":
        literal = super().__new__(cls, text)
        if datatype is None:
            datatype = XSD + "string" if language is None else _RDF + ("dirLangString" if direction else "langString")
        literal.datatype = IRI(datatype)
        literal.language = language
        literal.direction = direction
        return literal

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Literal):
            same = (str(self.datatype), self.language, self.direction)
            return str.__eq__(self, other) and same == (str(other.datatype), other.language, other.direction)
        return not isinstance(other, (IRI, BlankNode)) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __reduce__(self) -> Any:
        return (Literal, (str(self), str(self.datatype), self.language, self.direction))

    def __repr__(self) -> str:
        if self.language is not None:
            return f"Literal({str(self)!r}, language={self.language!r})"
        return f"Literal({str(self)!r}, {str(self.datatype)!r})"

    @property
    def value(self) -> Any:
        """The Python value, where there is one; else the literal itself."""
        return self if self.language is not None else native(str(self), str(self.datatype))

    def n3(self) -> str:
        """The literal as Turtle writes it."""
        escaped = str(self).translate(_ESCAPES)
        if self.language is not None:
            direction = f"--{self.direction}" if self.direction else ""
            return f'"{escaped}"@{self.language}{direction}'
        return f'"{escaped}"' if self.datatype == XSD + "string" else f'"{escaped}"^^<{self.datatype}>'


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class Triple(NamedTuple):
    """A statement: of an answer to CONSTRUCT or DESCRIBE, or as a term of RDF 1.2."""

    subject: Any
    predicate: IRI
    object: Any

    def n3(self) -> str:
        """The statement as N-Triples writes it, without its dot."""
        return " ".join(_n3(part) for part in self)


def _n3(term: Any) -> str:
    if isinstance(term, Triple):
        return f"<<( {term.n3()} )>>"
    if isinstance(term, (IRI, BlankNode, Literal)):
        return term.n3()
    written = written_term(term)
    return Literal(written.text, written.datatype, written.language).n3()


def _boolean(text: str) -> bool:
    if text in ("true", "1", "false", "0"):
        return text in ("true", "1")
    raise ValueError(text)


_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\Z")
_DOUBLE = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z|[+-]?INF\Z|NaN\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
_TIME_ONLY = re.compile(_TIME)
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T" + _TIME)


def _matching(pattern: "re.Pattern[str]", text: str) -> str:
    if not pattern.match(text):
        raise ValueError(text)
    return text


def _iso(text: str) -> str:
    """The time as Python before 3.11 reads it: six digits of a second, and no Z."""
    text = re.sub(r"\.([0-9]+)", lambda digits: "." + digits.group(1).ljust(6, "0"), text)
    return text[:-1] + "+00:00" if text.endswith("Z") else text


_INTEGERS = (
    "integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger "
    "unsignedInt unsignedLong unsignedShort unsignedByte"
)
_READERS: "dict[str, Any]" = {
    XSD + "string": str,
    XSD + "boolean": _boolean,
    XSD + "decimal": lambda text: decimal.Decimal(_matching(_DECIMAL, text)),
    XSD + "double": lambda text: float(_matching(_DOUBLE, text)),
    XSD + "float": lambda text: float(_matching(_DOUBLE, text)),
    XSD + "date": lambda text: datetime.date.fromisoformat(_matching(_DATE, text)),
    XSD + "time": lambda text: datetime.time.fromisoformat(_iso(_matching(_TIME_ONLY, text))),
    XSD + "dateTime": lambda text: datetime.datetime.fromisoformat(_iso(_matching(_DATE_TIME, text))),
    XSD + "dateTimeStamp": lambda text: datetime.datetime.fromisoformat(_iso(_matching(_DATE_TIME, text))),
    **{XSD + name: (lambda text: int(_matching(_INTEGER, text))) for name in _INTEGERS.split()},
}


def native(text: str, datatype: str) -> Any:
    """The Python value of a literal; the literal itself where Python has none, or the text is none of the datatype.

    >>> native("042", XSD + "integer"), native("2025-04-21", XSD + "date")
    (42, datetime.date(2025, 4, 21))
    >>> native("2025", XSD + "gYear")
    Literal('2025', 'http://www.w3.org/2001/XMLSchema#gYear')
    """
    reader = _READERS.get(datatype)
    if reader is None:
        return Literal(text, datatype)
    try:
        return reader(text)
    except (ValueError, ArithmeticError):
        return Literal(text, datatype)


class Written(NamedTuple):
    """A term as the compiled half takes it."""

    is_iri: bool
    text: str
    datatype: Optional[str]
    language: Optional[str]


def written_term(value: Any) -> Written:
    """The term that a Python value stands for; terms of rdflib and pyoxigraph are taken too.

    >>> written_term(3)
    Written(is_iri=False, text='3', datatype='http://www.w3.org/2001/XMLSchema#integer', language=None)
    """
    if isinstance(value, IRI):
        return Written(True, str(value), None, None)
    if isinstance(value, Literal):
        return Written(False, str(value), None if value.language else str(value.datatype), value.language)
    library = type(value).__module__.split(".")[0]
    name = type(value).__name__
    if library == "rdflib" and name == "URIRef":
        return Written(True, str(value), None, None)
    if library == "rdflib" and name == "Literal":
        return Written(False, str(value), None if value.datatype is None else str(value.datatype), value.language)
    if library == "pyoxigraph" and name == "NamedNode":
        return Written(True, value.value, None, None)
    if library == "pyoxigraph" and name == "Literal":
        return Written(False, value.value, None if value.language else value.datatype.value, value.language)
    if isinstance(value, BlankNode) or name in ("BNode", "BlankNode"):
        raise TypeError("a blank node has no name, so that no query can ask for it")
    for kind, datatype in (
        (bool, "boolean"),
        (int, "integer"),
        (float, "double"),
        (decimal.Decimal, "decimal"),
        (datetime.datetime, "dateTime"),
        (datetime.date, "date"),
        (datetime.time, "time"),
    ):
        if isinstance(value, kind):
            return Written(False, _lexical(value), XSD + datatype, None)
    if isinstance(value, str):
        return Written(False, value, None, None)
    raise TypeError(f"a {type(value).__name__} is no term: give a text, a number, a date, kgq.IRI or kgq.Literal")


def _lexical(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(repr(value), repr(value))
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def told_term(told: Any) -> Any:
    """The value of a term that came as an object of SPARQL's JSON."""
    if told is None:
        return None
    kind, value = told["type"], told["value"]
    if kind == "uri":
        return IRI(value)
    if kind == "bnode":
        return BlankNode(value)
    if kind == "triple":
        return Triple(told_term(value["subject"]), told_term(value["predicate"]), told_term(value["object"]))
    if "xml:lang" in told:
        return Literal(value, None, told["xml:lang"], told.get("its:dir"))
    return native(value, told.get("datatype", XSD + "string"))


Value = Union[None, str, bool, int, float, decimal.Decimal, datetime.date, datetime.time, Triple]
