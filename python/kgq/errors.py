"""What goes wrong, as exceptions: each says what, where, and what to do next."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple


class Error(Exception):
    """The base of all of kgq's errors.

    `str(error)` is what the program prints: the message with file, line and column, the line with a caret, and hints.
    """

    #: The message alone.
    message: str
    #: `input`, `usage`, `file`, `limit`, `policy`, `check`, `bug` or `interrupted`.
    kind: str
    #: Where it is, if it is somewhere: lines and columns count from 1.
    file: Optional[str]
    line: Optional[int]
    column: Optional[int]
    #: What to do next.
    hints: Tuple[str, ...]
    #: The further errors that were found together with this one.
    others: Tuple["Error", ...]

    def __init__(
        self,
        message: str,
        rendered: Optional[str] = None,
        kind: str = "input",
        place: Optional[Tuple[str, int, int]] = None,
        hints: Sequence[str] = (),
        others: Sequence["Error"] = (),
    ) -> None:
        super().__init__(rendered or message)
        self.message = message
        self.kind = kind
        self.file, self.line, self.column = place or (None, None, None)
        self.hints = tuple(hints)
        self.others = tuple(others)

    @property
    def hint(self) -> Optional[str]:
        """The first of the hints."""
        return self.hints[0] if self.hints else None


class QueryError(Error, ValueError):
    """A query, an update, a parameter or a name is wrong."""


class DataError(Error, ValueError):
    """A file of the graph is wrong: it does not parse, or kgq.toml says what cannot be."""


class FileError(Error, OSError):
    """A file cannot be read or written."""

    def __str__(self) -> str:
        return str(self.args[0])


class LimitError(Error):
    """A limit was passed, so that there is no whole answer. `limit` is `time`, `memory` or `rows`, where it can be moved."""

    limit: Optional[str] = None


class PolicyError(Error, PermissionError):
    """What was asked for is not allowed, such as a request to another machine."""

    def __str__(self) -> str:
        return str(self.args[0])


class CheckError(Error):
    """A check does not hold, so that nothing was written."""


class InternalError(Error, RuntimeError):
    """A mistake in kgq itself."""


class QueryWarning(UserWarning):
    """Something in a query that usually is a mistake. `error` has its place and hints."""

    def __init__(self, error: Error) -> None:
        super().__init__(str(error))
        self.error = error


class EmptyAnswerWarning(QueryWarning):
    """Why an answer has no row."""


class ChangeWarning(QueryWarning):
    """What an update leaves in the files that is perhaps no longer meant, such as a remark on a statement that went."""


_CLASSES = {
    "usage": QueryError,
    "file": FileError,
    "limit": LimitError,
    "policy": PolicyError,
    "check": CheckError,
    "bug": InternalError,
}


def made(
    kind: str,
    texts: Tuple[str, str],
    place: Optional[Tuple[str, int, int]],
    hints: Sequence[str],
    others: Sequence[Error],
    limit: Optional[str],
) -> Error:
    """The exception for an error of the compiled half."""
    message, rendered = texts
    in_data = place is not None and not place[0].startswith("<") and not place[0].endswith((".rq", ".sparql", ".ru"))
    chosen = _CLASSES.get(kind, DataError if in_data else QueryError)
    error = chosen(message, rendered, kind, place, hints, others)
    if isinstance(error, LimitError):
        error.limit = limit
    return error
