"""What was found in a script: the plain result."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from trtlab._results import Result
from trtlab.explain.catalog import Language, Text
from trtlab.explain.code.changes import FLAVOUR_WORDS, Sure, release_words, short_version

FindingKind = Literal["removed", "later", "other_flavour", "module", "read_only"]
_SHOWN = 3


@dataclass(frozen=True)
class CodeFinding(Result):
    """A name in a script that the release does not have.

    Attributes:
        symbol: The name below the module, such as `ICudaEngine.num_bindings`; of a `module` finding the module.
        kind: `removed`: an older release had it; `later`: only newer releases have it; `other_flavour`: TensorRT has it and TensorRT-RTX
            does not, or the other way round; `module`: the module of the other flavour is imported;
            `read_only`: it is set, and can only be read by now.
        line: Line, counted from 1; in a notebook of the cell.
        column: First character, counted from 1.
        end_line: Last line.
        end_column: The character after the last, counted from 1.
        cell: The notebook's cell, counted from 1 over all cells; None in a script.
        flavour: Whose releases `until` and `since` are: `tensorrt` or `tensorrt_rtx`.
        until: The last release that had it, empty where that is not known.
        since: The first release that was found without it; for `later` the first that has it.
        sure: Whether that was read from the bindings themselves or from documentation.
        certain: Whether the object is TensorRT's for sure; otherwise its name alone says so.
        guarded: Whether a test of the release, or `except AttributeError`, stands around it, so that it may never be reached.
        replacement: What to use instead, in words.
        mechanical: Whether `CodeReport.changed` has the change.
        references: Pages about it.
    """

    symbol: str
    kind: FindingKind
    line: int
    column: int
    end_line: int
    end_column: int
    cell: int | None = None
    flavour: str = "tensorrt"
    until: str = ""
    since: str = ""
    sure: Sure = "read from wheel"
    certain: bool = True
    guarded: bool = False
    replacement: Text = field(default_factory=lambda: Text("", ""))
    mechanical: bool = False
    references: tuple[str, ...] = ()

    def sentence(self, language: Language = "en") -> str:
        """Return what is wrong with it, in one sentence; without what replaces it."""
        zh = language == "zh"
        since = release_words(self.flavour, self.since) if self.since else ""
        if self.kind == "module":
            return (
                f"这里安装或指定的是另一个版本，没有模块 {self.symbol}。"
                if zh
                else f"This release is not the module {self.symbol}."
            )
        if self.kind == "later":
            return f"{self.symbol} 从 {since} 起才有。" if zh else f"{self.symbol} comes with {since}."
        if self.kind == "other_flavour":
            other = FLAVOUR_WORDS[self.flavour]
            return f"{self.symbol} 只有 {other} 才有。" if zh else f"{self.symbol} is in {other} only."
        if self.kind == "read_only":
            until = short_version(self.until)
            if zh:
                return f"{self.symbol} 从 {since} 起只能读取（{until} 还可以设置）。"
            return f"{self.symbol} can only be read since {since} ({until} could still set it)."
        if zh:
            return f"{self.symbol} 从 {since} 起没有了（{short_version(self.until)} 还有）。"
        return f"{self.symbol} is gone since {since} ({short_version(self.until)} still had it)."

    def place(self, language: Language = "en") -> str:
        """Return where it is, in words."""
        if language == "zh":
            return f"{f'单元格 {self.cell}，' if self.cell else ''}第 {self.line} 行，第 {self.column} 列"
        return f"{f'cell {self.cell}, ' if self.cell else ''}line {self.line}, column {self.column}"

    def __repr__(self) -> str:
        return f"{self.place()}: {self.sentence()} {self.replacement.en}".strip()


@dataclass(frozen=True)
class CodeReport(Result):
    """What a release lacks of what a script uses.

    Attributes:
        name: The script.
        flavour: `tensorrt` or `tensorrt_rtx`.
        release: The release that it was checked for, as it was named or is installed.
        read_release: The release whose bindings stand for it; another one only where it was not read itself.
        installed: Whether it is what is installed here.
        findings: In the order of the script.
        guarded: Findings that stand behind a test of the release, so that they may never be reached.
        changed: The whole script (for a notebook: the whole file) with the mechanical changes made; None if there are none.
        uses_tensorrt: Whether the script imports TensorRT at all.
        unread: Notebook cells that are not Python, with the reason.
    """

    name: str
    flavour: str
    release: str
    read_release: str
    installed: bool = False
    findings: tuple[CodeFinding, ...] = ()
    guarded: tuple[CodeFinding, ...] = ()
    changed: str | None = None
    uses_tensorrt: bool = True
    unread: tuple[tuple[int, str], ...] = ()

    @property
    def release_name(self) -> str:
        """The release in words."""
        return f"{FLAVOUR_WORDS.get(self.flavour, self.flavour)} {self.release}"

    def __repr__(self) -> str:
        mechanical = sum(finding.mechanical for finding in self.findings)
        if not self.findings:
            nothing = "nothing that it lacks" if self.uses_tensorrt else "TensorRT is not imported"
            return f"CodeReport: {self.name} for {self.release_name}: {nothing}"
        head = f"CodeReport: {self.name} for {self.release_name}: {len(self.findings)} lacking, {mechanical} changed mechanically"
        rest = len(self.findings) - _SHOWN
        return "\n".join(
            [
                head,
                *(f"  {finding!r}" for finding in self.findings[:_SHOWN]),
                *([f"  ... and {rest} more"] if rest > 0 else []),
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as dictionaries, lists, strings and numbers, ready for JSON."""
        import msgspec

        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def _html(self) -> str:
        """Return the report as a table; every text is escaped, it comes from a script."""
        head = f"{escape(self.name)}: {escape(self.release_name)}"
        if not self.findings:
            return f"<p>{head}: ✓ {'nothing that it lacks' if self.uses_tensorrt else 'TensorRT is not imported'}</p>"
        rows = "".join(_row(finding) for finding in self.findings)
        changed = (
            f"<details><summary>The changed script</summary><pre>{escape(self.changed)}</pre></details>"
            if self.changed is not None
            else ""
        )
        titles = "<tr><th>Where</th><th>Name</th><th>What</th><th>Instead</th></tr>"
        return f"<p>{head}: ✕ {len(self.findings)} names that it lacks</p><table>{titles}{rows}</table>{changed}"


def _row(finding: CodeFinding) -> str:
    cells = (finding.place(), finding.symbol, finding.sentence(), finding.replacement.en)
    return "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in cells) + "</tr>"
