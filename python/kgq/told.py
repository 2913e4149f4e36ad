"""What a graph tells beside rows: reasons, citations, descriptions, findings, changes."""

from __future__ import annotations

import html
from typing import Any, Dict, List, Optional, Tuple

from .terms import IRI, Triple, told_term


class Citation:
    """A place in a source document."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.iri = IRI(told["iri"])
        self.document: Optional[IRI] = IRI(told["document"]) if told["document"] else None
        #: Title, publisher and date of the document.
        self.title: str = told["title"]
        #: Sentence and characters, in words.
        self.place: str = told["place"]
        self.sentences: List[str] = told["sentences"]
        self.start: Optional[int] = told["start"]
        self.end: Optional[int] = told["end"]
        #: The words that the graph says stand there.
        self.anchor: Optional[str] = told["anchor"]
        #: The words that stand there, where the text is at hand.
        self.words: Optional[str] = told["words"]
        #: Whether the text at hand is what was cited; `None` where it is not at hand.
        self.holds: Optional[bool] = told["holds"]

    def __str__(self) -> str:
        return f"{self.title} · {self.place}"

    def __repr__(self) -> str:
        return f"<kgq.Citation {self}>"


class Statement:
    """A statement with where it is written and what it is cited from."""

    def __init__(self, told: Dict[str, Any], citations: List[Citation]) -> None:
        self.triple = _triple(told["triple"])
        self.file: Optional[str] = told["file"]
        self.line: Optional[int] = told["line"]
        self.inferred: bool = told["inferred"]
        #: Whether it needs a citation and has none.
        self.uncited: bool = told["uncited"]
        self.citations: List[Citation] = [citations[number] for number in told["citations"]]

    def __repr__(self) -> str:
        return f"<kgq.Statement {' '.join(map(str, self.triple))} at {self.file}:{self.line}>"


class Why:
    """Why an answer has a row: over any part of the data that has its statements, the query gives it."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.citations: List[Citation] = [Citation(citation) for citation in told["references"]]
        self.statements: List[Statement] = [Statement(one, self.citations) for one in told["statements"]]
        #: Whether no statement can be left out.
        self.minimal: bool = told["minimal"]
        #: The same as JSON-LD in the words of PROV-O.
        self.prov: Dict[str, Any] = told["prov"]
        self.markdown: str = told["markdown"]
        self._text: str = told["text"]

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text

    def _repr_markdown_(self) -> str:
        return self.markdown


class Cited:
    """A statement with its citations. `state` is `cited`, `missing` (it needs a citation and has none) or `exempt`."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.triple = _triple(told["triple"])
        self.state: str = told["state"]
        self.citations: List[Citation] = [Citation(citation) for citation in told["references"]]

    def __repr__(self) -> str:
        return f"<kgq.Cited {' '.join(map(str, self.triple))}: {self.state} {self.citations}>"


class Description:
    """All about one thing."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.iri = IRI(told["thing"]["value"])
        self.label: Optional[str] = told["thing"]["label"]
        #: What the graph says of it: values by property.
        self.facts: Dict[IRI, List[Any]] = {
            IRI(fact["property"]["value"]): [told_term(value["value"]) for value in fact["values"]] for fact in told["facts"]
        }
        #: What refers to it: things by property.
        self.referring: Dict[IRI, List[Any]] = {
            IRI(one["property"]["value"]): [told_term(thing) for thing in one["things"]] for one in told["referring"]
        }
        self._told = told

    def __getitem__(self, prop: str) -> List[Any]:
        return self.facts[IRI(prop)]

    def __repr__(self) -> str:
        return f"<kgq.Description of {self.label or self.iri}: {len(self.facts)} properties>"

    def _repr_html_(self) -> str:
        lines = []
        for fact in self._told["facts"]:
            values = "<br>".join(
                cell_html(value["value"]) + (" <i>inferred</i>" if value["inferred"] else "") for value in fact["values"]
            )
            lines.append(f"<tr><th>{cell_html(fact['property'])}</th><td>{values}</td></tr>")
        for one in self._told["referring"]:
            things = "<br>".join(cell_html(thing) for thing in one["things"][:20])
            more = f"<br>… and {len(one['things']) - 20} more" if len(one["things"]) > 20 else ""
            lines.append(f"<tr><th>as {cell_html(one['property'])} of</th><td>{things}{more}</td></tr>")
        return f"<h4>{cell_html(self._told['thing'])}</h4><table>{''.join(lines)}</table>"


class Finding:
    """Something that a check found."""

    def __init__(self, told: Dict[str, Any]) -> None:
        #: `error`, `warning` or `note`.
        self.severity: str = told["severity"]
        self.code: str = told["code"]
        self.message: str = told["message"]
        self.file: str = told["file"]
        self.line: int = told["line"]
        self.column: int = told["column"]
        self.hints: Tuple[str, ...] = tuple(told["hints"])
        self.about: Optional[IRI] = IRI(told["about"]) if told["about"] else None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.severity} {self.code} {self.message}"

    def __repr__(self) -> str:
        return f"<kgq.Finding {self}>"


class Report:
    """What the checks found. It is true where nothing is an error."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.findings: List[Finding] = [Finding(finding) for finding in told["findings"]]
        self.files: int = told["files"]
        self.statements: int = told["statements"]
        self.by_code: Dict[str, int] = told["by_code"]

    @property
    def errors(self) -> List[Finding]:
        """The findings that are errors."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def __bool__(self) -> bool:
        return not self.errors

    def __repr__(self) -> str:
        return f"<kgq.Report: {len(self.findings)} findings, {len(self.errors)} of them errors, in {self.files} files>"


class Change:
    """What an update changes."""

    def __init__(self, told: Dict[str, Any], written: bool) -> None:
        self.removed: List[Triple] = [_triple(triple) for triple in told["removed"]]
        self.added: List[Triple] = [_triple(triple) for triple in told["added"]]
        #: The differences of the files that were changed, by name.
        self.files: Dict[str, str] = {file["file"]: file["difference"] for file in told["files"]}
        #: Whether the files were changed.
        self.written = written

    def __repr__(self) -> str:
        what = "changed" if self.written else "would change"
        return f"<kgq.Change: {what} {len(self.added)} added, {len(self.removed)} removed>"


class Parameter:
    """A parameter of a canned query."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.name: str = told["name"]
        self.type: Optional[str] = told["type"]
        self.required: bool = told["required"]
        self.default: Optional[List[str]] = told["default"]

    def __repr__(self) -> str:
        return f"<kgq.Parameter {self.name}: {self.type}>"


class CannedQuery:
    """A query that the project keeps: `graph.run` runs it."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self.name: str = told["name"]
        self.title: str = told["title"]
        self.description: Optional[str] = told["description"]
        self.parameters: List[Parameter] = [Parameter(parameter) for parameter in told["parameters"]]

    def __repr__(self) -> str:
        return f"<kgq.CannedQuery {self.name}({', '.join(parameter.name for parameter in self.parameters)})>"


def _triple(told: List[Any]) -> Triple:
    return Triple(*(told_term(part) for part in told))


def cell_html(told: Optional[Dict[str, Any]]) -> str:
    """A term for a reader: things by their labels, as links where their address is one of the web."""
    if told is None:
        return ""
    if told["type"] == "uri":
        name = html.escape(told.get("label") or told.get("short") or told["value"])
        iri = html.escape(told["value"])
        is_link = told["value"].startswith(("http://", "https://"))
        return f'<a href="{iri}" title="{iri}">{name}</a>' if is_link else f'<span title="{iri}">{name}</span>'
    if told["type"] == "triple":
        return html.escape(" ".join(map(str, told_term(told))))
    language = told.get("xml:lang")
    text = html.escape(told["value"] if told["type"] != "bnode" else "_:" + told["value"])
    return f'<span lang="{html.escape(language)}">{text}</span>' if language else text


def citations_html(citations: List[Citation]) -> str:
    """A numbered list of citations."""
    if not citations:
        return ""
    items = "".join(f"<li>{html.escape(str(citation))}</li>" for citation in citations)
    return f"<ol>{items}</ol>"
