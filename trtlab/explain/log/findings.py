"""Gather the matches of a log, memory flat in its length, and tell causes from what only follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from trtlab.explain.catalog import catalog
from trtlab.explain.log.rules import Role, Rule
from trtlab.explain.log.scanning import Match

# Of one kind of message at one node, the first counts; of different ones, this many are kept.
_MOST_FINDINGS = 500
_MOST_MARKS = 10_000


@dataclass
class Finding:
    """One kind of failure at one place, and every line that says it.

    Attributes:
        id: The diagnosis.
        role: `cause`, `hint`, `consequence` or `harmless`.
        match: The first match.
        spans: First and last line of each match, the first 10,000.
        count: How many matches there were.
    """

    id: str
    role: Role
    match: Match
    spans: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0


class Findings:
    """What the matches of one log amount to."""

    def __init__(self) -> None:
        self.all: list[Finding] = []
        self._known: dict[tuple[str, str, str], Finding] = {}
        self._context: dict[str, str] = {}
        self._context_line = 0
        self._marks = 0
        self._built = 0  # how many findings there were when an engine was there at last

    def add(self, match: Match) -> None:
        """Take one match."""
        rule = match.rule
        if rule.role == "context":
            self._context, self._context_line = match.facts, match.last
            return
        if rule.role == "success":
            self._built = len(self.all)
            return
        match = self._with_context(match)
        place = "" if rule.role == "harmless" else next(filter(None, map(match.facts.get, _PLACES)), "")
        key = (f"{rule.id} {rule.alone if rule.role == 'consequence' else rule.becomes}", rule.role, place)
        found = self._known.get(key)
        if found is None:
            if len(self.all) >= _MOST_FINDINGS:
                return
            found = self._known[key] = Finding(rule.id, rule.role, match)
            self.all.append(found)
        elif (
            rule.role != "harmless" and len(match.facts) > len(found.match.facts) and rule.rank >= found.match.rule.rank
        ):
            # The same error in other words, with more to say.
            found.match = replace(match, first=found.match.first, last=found.match.last)
        found.count += 1
        if self._marks < _MOST_MARKS or rule.role in ("cause", "hint"):
            found.spans.append((match.first, match.last))
            self._marks += 1

    def _with_context(self, match: Match) -> Match:
        """Return a match with the facts of the lines before it: which node was being parsed, for instance."""
        if (
            not self._context
            or match.first - self._context_line > _CONTEXT_LINES
            or not match.rule.id.startswith("parse.")
        ):
            return match
        return replace(match, facts={**self._context, **match.facts})

    def judged(self) -> list[Finding]:
        """Return the findings, the root cause first, each with its final role.

        What follows from something that was seen before it becomes a consequence, and that something counts as a cause, if it
        was only a hint. Without a cause the first hint counts, and without one the gravest consequence, as the diagnosis that
        it has when it stands alone.
        """
        found = [replace(finding) for finding in self.all]
        for finding in found[: self._built]:
            if finding.id in _OVERCOME or (finding.role == "hint" and finding.id == "env.cuda_mismatch"):
                finding.role = "harmless"
                finding.match = replace(
                    finding.match, rule=msgspec.structs.replace(finding.match.rule, severity="harmless")
                )
        for index, finding in enumerate(found):
            _settle(finding, found[:index])
        _share_facts(found)
        causes = [finding for finding in found if finding.role == "cause"]
        errors = [finding for finding in causes if _weight(finding) == "error"]
        hints = [finding for finding in found if finding.role == "hint"]
        root = next(iter(errors or causes), None) or self._alone_or_hint(found, hints)
        if root is None:
            return found
        root.role = "cause"
        return [root, *(finding for finding in found if finding is not root)]

    def _alone_or_hint(self, found: list[Finding], hints: list[Finding]) -> Finding | None:
        """Return what counts where there is no cause: a hint of an error, a consequence that stands alone, another hint."""
        grave = next((hint for hint in hints if _weight(hint) == "error"), None)
        return grave or self._alone(found) or next(iter(hints), None)

    @staticmethod
    def _alone(found: list[Finding]) -> Finding | None:
        candidates = [
            finding for finding in found if finding.role in ("consequence", "harmless") and finding.match.rule.alone
        ]
        if not candidates:
            return None
        root = max(candidates, key=lambda finding: finding.match.rule.rank)
        root.id = root.match.rule.alone
        root.match = replace(root.match, rule=_unsure(root.match))
        return root


def _settle(finding: Finding, before: list[Finding]) -> None:
    """Give a finding its role in the light of those before it."""
    rule = finding.match.rule
    if finding.role not in ("cause", "hint"):
        return
    for earlier in before:
        near = finding.match.first - earlier.match.last <= _ABSORBED_LINES
        if earlier.role == "cause" and earlier.id in rule.absorbs and near:
            earlier.id, finding.role = finding.id, "consequence"
            return
    candidates = [earlier for earlier in before if earlier.id in rule.follows and earlier.role in ("cause", "hint")]
    source = next((earlier for earlier in candidates if earlier.role == "cause"), next(iter(candidates), None))
    if source is not None:
        source.role, finding.role = "cause", "consequence"
        return
    for earlier in before:
        becomes = earlier.match.rule.becomes
        if (
            earlier.role == "harmless"
            and becomes in rule.follows
            and finding.match.first - earlier.spans[-1][1] <= _BECOMES_LINES
        ):
            earlier.id, earlier.role, finding.role = becomes, "cause", "consequence"
            earlier.match = replace(
                earlier.match, rule=msgspec.structs.replace(earlier.match.rule, id=becomes, sure=False)
            )
            return


def _share_facts(found: list[Finding]) -> None:
    """Let a cause have the facts that hints of the same diagnosis give: how much memory was asked for, for instance."""
    for finding in found:
        if finding.role == "cause":
            for other in found:
                if other.id == finding.id and other.role == "hint":
                    finding.match = replace(finding.match, facts={**other.match.facts, **finding.match.facts})


# What the builder gets over by taking another tactic.
_OVERCOME = (
    "build.out_of_memory",
    "config.workspace",
    "build.myelin_internal",
    "build.no_implementation",
    "runtime.oom",
)
_ABSORBED_LINES = 10
_BECOMES_LINES = 200
_PLACES = ("node", "tensor", "plugin", "symbol", "library", "cuda_error")
_CONTEXT_LINES = 40


def _weight(finding: Finding) -> str:
    return finding.match.rule.severity or catalog()[finding.id].severity


def _unsure(match: Match) -> Rule:
    return msgspec.structs.replace(match.rule, id=match.rule.alone, sure=False)
