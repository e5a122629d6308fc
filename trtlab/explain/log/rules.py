"""The rules that recognise messages: written by hand in `data/rules/*.yaml`, loaded from `data/rules.json`."""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import Any, Literal

import msgspec

from trtlab.explain.catalog import DATA

Role = Literal["cause", "hint", "consequence", "harmless", "context", "success"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, dict=True):
    """How one kind of message is recognised.

    Attributes:
        id: The diagnosis.
        any: Pieces of text, without digits, of which a message must hold one: they are looked for before the pattern.
        pattern: Regular expression that is searched for in the message; its named groups are facts. Empty: the piece is enough.
        unless: Regular expression that must not be found.
        role: `cause`; `hint` (counts only where no cause is found, or where a rule says that it follows from it); `consequence`;
            `harmless`; `context` (no diagnosis, only facts for the errors that follow); `success` (what the builder said before it
            did no harm: tactics that did not fit, for instance).
        rank: Of several rules that fit a message the one with the highest rank counts, and then the first.
        alone: The diagnosis of a consequence whose cause the log does not hold.
        follows: Diagnoses that, seen before in the same log, make this a consequence of theirs.
        becomes: What a harmless line is where an error that follows from that comes shortly after it.
        absorbs: Diagnoses of errors shortly before this one that are this one too: it says more exactly what they were.
        facts: Facts that the message implies.
        severity: Instead of the catalog's.
        quiet: Whether it also counts in lines that say they are only information.
        sure: Whether the message decides it.
    """

    id: str
    any: tuple[str, ...]
    pattern: str = ""
    unless: str = ""
    role: Role = "cause"
    rank: int = 50
    alone: str = ""
    follows: tuple[str, ...] = ()
    becomes: str = ""
    absorbs: tuple[str, ...] = ()
    facts: dict[str, str] = {}
    severity: Literal["", "error", "warning", "harmless"] = ""
    quiet: bool = False
    sure: bool = True

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self.pattern or re.escape(self.any[0]), re.DOTALL)

    @cached_property
    def veto(self) -> re.Pattern[str] | None:
        """The pattern that must not be found."""
        return re.compile(self.unless, re.DOTALL) if self.unless else None

    def match(self, message: str) -> dict[str, str] | None:
        """Return the facts in a message, or None if the rule does not fit it."""
        found = self.compiled.search(message) if self.pattern else None
        if (self.pattern and found is None) or (self.veto is not None and self.veto.search(message)):
            return None
        facts = {fact_name(name): value.strip() for name, value in found.groupdict().items() if value} if found else {}
        return {**self.facts, **facts}


def fact_name(group: str) -> str:
    """Return the fact that a group of a pattern holds: a pattern needs other names for its alternatives (`reason_two`)."""
    return _ALTERNATIVE.sub("", group)


_ALTERNATIVE = re.compile(r"_(?:two|three|four|five|six)$")


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules, the one that counts first before the others."""
    loaded = msgspec.json.decode((DATA / "rules.json").read_bytes(), type=tuple[Rule, ...])
    return tuple(sorted(loaded, key=lambda rule: -rule.rank))  # a stable sort: files keep their order


@cache
def _pieces() -> re.Pattern[bytes]:
    """Return a pattern that finds any piece of any rule. As a tree of letters: a plain list is twenty times slower."""
    tree: dict[str, dict[str, object]] = {}
    for piece in {piece for rule in rules() for piece in rule.any}:
        branch: dict[str, Any] = tree
        for letter in piece:
            branch = branch.setdefault(letter, {})
        branch[""] = {}

    def pattern(branch: dict[str, Any]) -> str:
        if "" in branch:  # a piece ends here, whatever longer ones there are
            return ""
        parts = [re.escape(letter) + pattern(rest) for letter, rest in sorted(branch.items())]
        return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"

    return re.compile(pattern(tree).encode())


class Recogniser:
    """Finds the rule that fits a message. Keeps what it has learnt about messages that differ only in numbers."""

    _REMEMBERED = 4000
    _LONGEST_KEY = 1000

    def __init__(self) -> None:
        self._rules = rules()
        self._pieces = _pieces()
        self._possible: dict[str, tuple[Rule, ...]] = {}

    def holds_a_piece(self, line: bytes) -> bool:
        """Return whether a line, its digits left out, holds a piece of text that a rule looks for."""
        return self._pieces.search(line) is not None

    def recognise(self, message: str, *, quiet: bool = False) -> tuple[Rule, dict[str, str]] | None:
        """Return the rule that fits best, and the facts, or None."""
        for rule in self._possible_rules(message):
            if quiet and not rule.quiet:
                continue
            facts = rule.match(message)
            if facts is not None:
                return rule, facts
        return None

    def _possible_rules(self, message: str) -> tuple[Rule, ...]:
        # Most messages of a log repeat with other numbers, and the pieces of text that rules look for hold none.
        key = message.translate(_WITHOUT_DIGITS)
        known = self._possible.get(key)
        if known is None:
            if len(self._possible) >= self._REMEMBERED:
                self._possible.clear()
            known = tuple(rule for rule in self._rules if any(piece in key for piece in rule.any))
            if len(key) <= self._LONGEST_KEY:
                self._possible[key] = known
        return known


_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
