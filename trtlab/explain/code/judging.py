"""Decide which names that a script uses the release lacks."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from trtlab.explain.catalog import Text
from trtlab.explain.code import api_types
from trtlab.explain.code.changes import FLAVOUR_WORDS, Change, by_attribute, change_of, read_only_by_attribute, table
from trtlab.explain.code.guards import last_name
from trtlab.explain.code.report import CodeFinding
from trtlab.explain.code.scopes import IMPORT, Use
from trtlab.explain.code.sources import Source
from trtlab.explain.code.targets import Absence, Target, absence, setting_absence


@dataclass(frozen=True)
class Verdict:
    """A use that the release cannot serve.

    Attributes:
        use: The use.
        symbol: The name that is missing.
        absence: Why; None for a module that is imported.
        change: What replaces it, where that is known.
        certain: Whether the object is TensorRT's for sure.
        convincing: Whether the change may be made: the object is TensorRT's, or its variable's name agrees.
    """

    use: Use
    symbol: str
    absence: Absence | None
    change: Change | None
    certain: bool
    convincing: bool


def judge(use: Use, target: Target, *, imports: bool, own_names: set[str]) -> Verdict | None:
    """Return what is wrong with a use, or None.

    Args:
        use: What the script asks of something.
        target: The release.
        imports: Whether the script imports TensorRT; names on unknown objects count only then.
        own_names: Names that the script's own classes define: on an unknown object they may be meant, unless its name says otherwise.
    """
    if IMPORT in use.owners:
        return _judge_import(use, target)
    if use.own:
        return None
    if use.owners:
        return _judge_owners(use, target)
    if use.unknown and imports:
        return _judge_by_name(use, target, is_own=use.name in own_names)
    return None


def _judge_import(use: Use, target: Target) -> Verdict | None:
    module = use.name.partition(".")[0]
    return Verdict(use, module, None, None, certain=True, convincing=True) if module != target.flavour else None


def _judge_owners(use: Use, target: Target) -> Verdict | None:
    found: list[tuple[str, Absence]] = []
    for owner in sorted(use.owners):
        symbol = f"{owner}.{use.name}" if owner else use.name
        if target.has(symbol):
            return _judge_setting(use, symbol, target)
        if owner and absence(owner, target) is not None:
            continue  # the class itself is reported where it is named
        reason = absence(symbol, target)
        if reason is not None:
            found.append((symbol, reason))
    if not found:
        return None
    # Where several objects are possible, the one that is gone for longest says most.
    symbol, reason = found[0]
    return Verdict(use, symbol, reason, change_of(symbol), certain=not use.unknown, convincing=True)


def _judge_setting(use: Use, symbol: str, target: Target) -> Verdict | None:
    reason = setting_absence(symbol, target) if use.stored and len(use.owners) == 1 else None
    if reason is None:
        return None
    return Verdict(use, symbol, reason, change_of(symbol, read_only=True), certain=not use.unknown, convincing=True)


def _judge_by_name(use: Use, target: Target, *, is_own: bool) -> Verdict | None:
    read_only = use.stored and use.name in read_only_by_attribute()
    candidates = (read_only_by_attribute() if read_only else by_attribute()).get(use.name, ())
    if not candidates or isinstance(use.node, ast.alias):
        return None
    reasons = [(symbol, (setting_absence if read_only else absence)(symbol, target)) for symbol in candidates]
    if any(reason is None or reason.kind not in ("removed", "read_only") for _, reason in reasons):
        return None  # one of those that it may be is still there
    value = use.node.value if isinstance(use.node, ast.Attribute) else None
    owners = api_types.hints(last_name(value)) if value is not None else frozenset()
    hinted = next(((symbol, reason) for symbol, reason in reasons if symbol.partition(".")[0] in owners), None)
    symbol, reason = hinted or reasons[0]
    change = change_of(symbol, read_only=read_only)
    if hinted is None and (is_own or (change is not None and change.hinted)):
        return None  # others call theirs so, too
    return Verdict(use, symbol, reason, change, certain=False, convincing=hinted is not None)


def finding_of(verdict: Verdict, source: Source, target: Target, *, mechanical: bool) -> CodeFinding:
    """Return a verdict as it is reported."""
    piece, start, end = span_of(verdict.use, source)
    line, column = source.line_and_column(piece, start)
    end_line, end_column = source.line_and_column(piece, end)
    reason, change = verdict.absence, verdict.change
    documented = verdict.symbol in table().gone and change is not None and change.documented is not None
    return CodeFinding(
        symbol=verdict.symbol,
        kind="module" if reason is None else reason.kind,  # type: ignore[arg-type]
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        cell=source.pieces[piece].cell,
        flavour=reason.flavour if reason is not None else target.flavour,
        until=reason.until if reason is not None else "",
        since=reason.since if reason is not None else "",
        sure="documentation" if documented else "read from wheel",
        certain=verdict.certain,
        guarded=verdict.use.guarded,
        replacement=_replacement(verdict, target),
        mechanical=mechanical,
        references=change.references if change is not None and (reason is None or reason.kind != "later") else (),
    )


def _replacement(verdict: Verdict, target: Target) -> Text:
    if verdict.absence is None:
        words = FLAVOUR_WORDS[target.flavour]
        return Text(f"Import {target.flavour}, the module of {words}.", f"改为导入 {words} 的模块 {target.flavour}。")
    if verdict.absence.kind == "later":
        return Text(
            "Build and run with that release, or leave it out for this one.", "请使用该版本，或者在当前版本中不用它。"
        )
    if verdict.change is not None:
        return verdict.change.replacement
    if verdict.absence.kind == "other_flavour":
        other = FLAVOUR_WORDS[verdict.absence.flavour]
        return Text(f"Use {other}, or leave it out.", f"请使用 {other}，或者不用它。")
    return Text("", "")


def span_of(use: Use, source: Source) -> tuple[int, int, int]:
    """Return (piece, start, end) of the name that is missing: of an attribute the part after the dot."""
    piece, start, end = source.span(use.node)
    text = source.pieces[piece].text
    if isinstance(use.node, ast.Attribute) and text[end - len(use.name) : end] == use.name:
        return piece, end - len(use.name), end
    if isinstance(use.node, ast.ImportFrom):
        after = text.find(use.name, start)
        return (piece, after, after + len(use.name)) if start <= after < end else (piece, start, end)
    if isinstance(use.node, ast.alias):
        return piece, start, start + len(use.name)
    return piece, start, end
