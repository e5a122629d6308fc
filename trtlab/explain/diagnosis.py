"""A failure or finding with its explanation: the plain result that panels, notebooks and the command line show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trtlab._format import shorten_middle
from trtlab._results import Result

DiagnosisSeverity = Literal["error", "warning", "harmless"]


@dataclass(frozen=True)
class Place(Result):
    """Where something is: any of step, node and tensor may be empty."""

    step: str = ""
    node: str = ""
    operator: str = ""
    tensor: str = ""
    scope: str = ""

    def lines(self) -> tuple[str, ...]:
        """The place in words, one line each."""
        node = f"node '{self.node}'" if self.node else ""
        if self.operator:
            node = f"{node or 'a node'} ({self.operator})"
        if node and self.scope:
            node += f" in {self.scope}"
        tensor = f"tensor '{self.tensor}'" if self.tensor else ""
        return tuple(filter(None, (f"step {self.step}" if self.step else "", node, tensor)))


@dataclass(frozen=True)
class Cause(Result):
    """One possible cause, and what would confirm or speaks for it."""

    text: str
    evidence: str = ""


@dataclass(frozen=True)
class Remedy(Result):
    """A way out: a sentence, and the exact code or command where there is one. `repair` names one that a machine can do."""

    text: str
    code: str = ""
    repair: str | None = None


@dataclass(frozen=True)
class Diagnosis(Result):
    """What happened, where, why, and what to do next.

    Attributes:
        id: Stable name from the catalog (`parse.unsupported_node`).
        title: What happened, in plain words.
        severity: `error`, `warning` or `harmless`.
        root: False for what is only a consequence of another diagnosis.
        place: Where.
        why: The reason with the facts of this case filled in.
        meaning: What this kind of failure is in general.
        causes: Possible causes, the likeliest first.
        remedies: Ways out, the best first.
        references: Pages to read.
        tensorrt_code: The code that TensorRT gave, in its own words.
        original: TensorRT's message, untouched.
        sure: False when the evidence does not decide it.
    """

    id: str
    title: str
    severity: DiagnosisSeverity = "error"
    root: bool = True
    place: Place = field(default_factory=Place)
    why: str = ""
    meaning: str = ""
    causes: tuple[Cause, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    references: tuple[str, ...] = ()
    tensorrt_code: str = ""
    original: str = ""
    sure: bool = True

    def __repr__(self) -> str:
        where = _one_line(", ".join(self.place.lines()))
        lines = [f"{_one_line(self.title)}{f' ({self.tensorrt_code})' if self.tensorrt_code else ''}"]
        if where:
            lines.append(f"    Where: {shorten_middle(where, 160)}")
        if self.why:
            lines.append(f"    Why: {shorten_middle(_one_line(self.why), 400)}")
        if self.remedies:
            code = f"  {self.remedies[0].code}" if self.remedies[0].code else ""
            lines.append(f"    Do this: {_one_line(self.remedies[0].text + code)}")
        return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())
