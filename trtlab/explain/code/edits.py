"""Changes of a text, each of one stretch, put together from the inside out."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# Start, end and the new text.
_Made: TypeAlias = "tuple[int, int, str]"


@dataclass(frozen=True)
class Edit:
    """A change of one stretch of text. What it becomes is asked for once all changes inside it are made."""

    piece: int
    start: int
    end: int
    text: Callable[[], str]


@dataclass(frozen=True)
class Line:
    """A statement that has its lines for itself: where they begin and end, the newline included, and their indentation."""

    piece: int
    start: int
    end: int
    indentation: str
    newline: str


class Texts:
    """Some texts with the changes that were made in them.

    The changes of a text never overlap: one that lies around others takes their place. They are kept in order.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._made: list[list[_Made]] = [[] for _ in texts]

    def make(self, edit: Edit) -> bool:
        """Make a change, and return whether it could be made: it must not lie half over another one."""
        near = self._near(edit.piece, edit.start, edit.end)
        made = self._made[edit.piece][near]
        before = [entry for entry in made if entry[1] <= edit.start]
        after = [entry for entry in made if entry[0] >= edit.end and entry not in before]
        inside = [entry for entry in made if _lies_in(entry, edit.start, edit.end)]
        if len(before) + len(after) + len(inside) != len(made):
            return False
        self._made[edit.piece][near] = [*before, (edit.start, edit.end, edit.text()), *after]
        return True

    def part(self, piece: int, start: int, end: int) -> str:
        """Return a stretch of a text with the changes inside it; what is inserted at its very ends is not inside."""
        near = self._made[piece][self._near(piece, start, end)]
        return self._render(piece, start, end, [entry for entry in near if _lies_in(entry, start, end)])

    def whole(self) -> list[str]:
        """Return the texts with all changes."""
        return [self._render(piece, 0, len(text), self._made[piece]) for piece, text in enumerate(self._texts)]

    def _near(self, piece: int, start: int, end: int) -> slice:
        """Return where the changes are that a stretch touches."""
        made = self._made[piece]
        first = bisect.bisect_left(made, start, key=lambda entry: entry[1])
        return slice(first, bisect.bisect_right(made, end, lo=first, key=lambda entry: entry[0]))

    def _render(self, piece: int, start: int, end: int, entries: Sequence[_Made]) -> str:
        text, parts, position = self._texts[piece], [], start
        for first, last, replacement in entries:
            parts += [text[position:first], replacement]
            position = last
        return "".join([*parts, text[position:end]])


def _lies_in(entry: _Made, start: int, end: int) -> bool:
    if entry[0] == entry[1]:
        return start < entry[0] < end
    return start <= entry[0] and entry[1] <= end
