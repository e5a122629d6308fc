"""What all results share: plain data in and out, and an honest display in a notebook."""

from __future__ import annotations

import html
import json
from typing import Any, TypeVar

ResultType = TypeVar("ResultType")


class Result:
    """Base of the frozen dataclasses that trtlab returns.

    A result is data only: it can be made by hand in a test, written to JSON and read back (`from_dict(cls, data)`).
    Its `repr` is one to five lines of plain text; a notebook shows the same as HTML, escaped.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the result as dictionaries, lists, strings and numbers, ready for JSON."""
        import msgspec

        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the result as one JSON document."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def _html(self) -> str:
        """Return the HTML form. Subclasses that say more than their `repr` override this."""
        return f"<pre>{html.escape(repr(self))}</pre>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        del include, exclude  # IPython filters what it does not want
        return {"text/plain": repr(self), "text/html": self._html()}


def from_dict(result_type: type[ResultType], data: object) -> ResultType:
    """Return `data` (as made by `Result.to_dict`) as an instance of `result_type`, checking every type on the way.

    Raises:
        msgspec.ValidationError: `data` does not have the shape of `result_type`.
    """
    import msgspec

    return msgspec.convert(data, type=result_type)
