"""A failure or finding with its explanation: the plain result that panels, notebooks and the command line show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from trtlab._format import shorten_middle
from trtlab._results import Result

DiagnosisSeverity = Literal["error", "warning", "harmless"]
# The releases that remedies tell apart, in words.
RELEASE_TITLES = {
    "tensorrt_8.6": "TensorRT 8.6", "tensorrt_10": "TensorRT 10", "tensorrt_11": "TensorRT 11", "tensorrt_rtx": "TensorRT-RTX",
}  # fmt: skip


@dataclass(frozen=True)
class Place(Result):
    """Where something is: any of step, node and tensor may be empty."""

    step: str = ""
    node: str = ""
    operator: str = ""
    tensor: str = ""
    scope: str = ""

    def lines(self, language: str = "en") -> tuple[str, ...]:
        """The place in words, one line each, in `en` or `zh`."""
        words = _PLACE_WORDS[language]
        node = f"{words['node']} '{self.node}'" if self.node else ""
        if self.operator:
            node = f"{node or words['a node']}{words['operator'].format(self.operator)}"
        if node and self.scope:
            node += words["in"].format(self.scope)
        tensor = f"{words['tensor']} '{self.tensor}'" if self.tensor else ""
        return tuple(filter(None, (f"{words['step']} {self.step}" if self.step else "", node, tensor)))


_PLACE_WORDS = {
    "en": {"step": "step", "node": "node", "a node": "a node", "operator": " ({})", "in": " in {}", "tensor": "tensor"},
    "zh": {
        "step": "步骤",
        "node": "节点",
        "a node": "某个节点",
        "operator": "（{}）",
        "in": "，位于 {}",
        "tensor": "张量",
    },
}


@dataclass(frozen=True)
class Cause(Result):
    """One possible cause, and what would confirm or speaks for it."""

    text: str
    evidence: str = ""


@dataclass(frozen=True)
class Remedy(Result):
    """A way out: a sentence, and the exact code or command where there is one. `repair` names one that a machine can do.

    `code` is for the release that is in use, where that is known, else for every release; `code_for` holds what differs
    between releases (`tensorrt_8.6`, `tensorrt_10`, `tensorrt_11`, `tensorrt_rtx`).
    """

    text: str
    code: str = ""
    repair: str | None = None
    code_for: dict[str, str] = field(default_factory=dict)

    def code_by_release(self) -> tuple[tuple[str, str], ...]:
        """Return each piece of code with the releases that it is for, in words; none are named where it is for all."""
        if self.code or not self.code_for:
            return (("", self.code),) if self.code else ()
        releases: dict[str, list[str]] = {}
        for release, code in self.code_for.items():
            releases.setdefault(code.rstrip(), []).append(RELEASE_TITLES.get(release, release))
        return tuple((", ".join(names), code) for code, names in releases.items())

    def code_text(self) -> str:
        """Return the code to copy: pieces for several releases one below the other, each under a comment that names them."""
        return "\n\n".join(f"# {names}\n{code}" if names else code for names, code in self.code_by_release())


@dataclass(frozen=True)
class LookAlike(Result):
    """What this is often taken for, and how to tell them apart."""

    id: str
    title: str
    how: str


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
        lines: First and last line of the log that say it, counted from 1; None if it does not come from a log.
        facts: What the log or the model said, by the names in `explain.facts`.
        confused_with: What it is often taken for.
        language: `en` or `zh`.
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
    lines: tuple[int, int] | None = None
    facts: dict[str, str] = field(default_factory=dict)
    confused_with: tuple[LookAlike, ...] = ()
    language: str = "en"

    @property
    def is_page(self) -> bool:
        """Whether it is a page of the catalog that was asked for by its name, and nothing that was met."""
        return not self.original and self.lines is None and self.place == Place()

    def __repr__(self) -> str:
        where = _one_line(", ".join(self.place.lines(self.language)))
        lines = [f"{_one_line(self.title)}{f' ({self.tensorrt_code})' if self.tensorrt_code else ''}"]
        if where:
            lines.append(f"    Where: {shorten_middle(where, 160)}")
        if self.why:
            lines.append(f"    Why: {shorten_middle(_one_line(self.why), 400)}")
        if self.remedies:
            code = self.remedies[0].code
            code = f"  {code}" if code and "\n" not in code else "  (code: .remedies[0].code)" if code else ""
            lines.append(f"    Do this: {_one_line(self.remedies[0].text + code)}")
        return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


_SHOWN = 2


class Diagnoses(list[Diagnosis]):
    """What `trtlab.explain` found, root cause first: a list that shows itself as cards."""

    def __repr__(self) -> str:
        if not self:
            return "Nothing was recognised. Give more of the log: the first error, and the lines before it."
        shown = [repr(diagnosis) for diagnosis in self if diagnosis.severity != "harmless"] or [repr(self[0])]
        harmless = sum(diagnosis.severity == "harmless" for diagnosis in self)
        rest = [f"... and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
        return "\n".join([*shown[:_SHOWN], *rest, *([f"({harmless} harmless)"] if harmless else [])])

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnoses as `trtlab explain --json` gives them."""
        from trtlab.explain.api import to_json

        return to_json(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        del include, exclude  # IPython filters what it does not want
        from trtlab.explain.cards import cards_html

        return {"text/plain": repr(self), "text/html": cards_html(self)}


LineRole = Literal["root", "error", "consequence", "harmless", "evidence"]


@dataclass(frozen=True)
class LineMark(Result):
    """What some lines of a log are.

    Attributes:
        first: First line, counted from 1.
        last: Last line, included.
        role: `root` (the first real cause), `error` (another one), `consequence`, `harmless`, or `evidence` (lines that decided
            what an error means).
        diagnosis: Index of the diagnosis in `LogAnalysis.diagnoses` that they belong to.
    """

    first: int
    last: int
    role: LineRole
    diagnosis: int


@dataclass(frozen=True)
class LogAnalysis(Result):
    """What a log says: its diagnoses, root cause first, and what each line of it is.

    Attributes:
        diagnoses: Empty if nothing was recognised: a guess would be worse.
        marks: Marked lines, in the order of the log. At most 10,000 of harmless ones are kept.
        line_count: Lines of the log.
        tool: Who wrote it, if that can be told: `trtexec`, `ONNX Runtime`, `Triton` and so on.
        version: TensorRT's version, if the log says it.
    """

    diagnoses: tuple[Diagnosis, ...] = ()
    marks: tuple[LineMark, ...] = ()
    line_count: int = 0
    tool: str = ""
    version: str = ""

    def __repr__(self) -> str:
        if not self.diagnoses:
            return f"LogAnalysis: nothing recognised in {self.line_count} lines"
        return "\n".join(map(repr, self.diagnoses[:2]))
