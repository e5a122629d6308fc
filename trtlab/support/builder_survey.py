"""Find the nodes that parse and then stop the builder. Runs in the worker.

The builder's message names a layer or a range of them. A node is accused when the builder refuses it alone and also together
with its neighbours: some nodes build only with what stands around them (a DequantizeLinear with the QuantizeLinear before it).
Where the messages lead nowhere, the smallest stretch of nodes that the builder refuses is searched by halving.
"""

from __future__ import annotations

from trtlab.model.working_copy import WorkingCopy, numbers_in
from trtlab.support.parser_survey import ParserSurvey
from trtlab.support.passes import BuildPass, Report, Survey
from trtlab.support.verdicts import Verdict, Verdicts

_MOST_ROUNDS = 40
_MOST_SUSPECTS = 300
_RANGE = "..."
_TAKEN = Verdict("supported")
_BUILT = BuildPass(True)


class BuilderSurvey:
    """The survey of one model by the builder, after that by the parser.

    Attributes:
        unplaced: The builder's messages, if it refuses what is left of the model and no part of it.
        builds: How often the builder was asked.
    """

    def __init__(self, copy: WorkingCopy, survey: Survey, parsed: ParserSurvey, *, report: Report) -> None:
        self._copy, self._survey, self._parsed, self._report = copy, survey, parsed, report
        self._verdicts: Verdicts = parsed.verdicts
        self.unplaced: tuple[str, ...] = ()
        self.builds = 0
        self._alone: dict[int, BuildPass] = {}

    def run(self) -> None:
        """Build what the parser takes, without what the builder refuses, until it builds."""
        for _ in range(_MOST_ROUNDS):
            present = [position for position in range(len(self._copy.units)) if position not in self._parsed.gone]
            present = [
                position for position in present if self._parsed.stand_ins.block_of(self._copy.units[position]) is None
            ]
            if not present:
                return
            result = self._build(present)
            if not result.is_refused:
                return
            culprits = self._culprits(present, result)
            if not culprits:
                self.unplaced = result.messages
                return
            for position in culprits:
                self._parsed.remove(position)
        self.unplaced = result.messages

    def _build(self, positions: list[int]) -> BuildPass:
        self.builds += 1
        self._report("build", self.builds, 0)
        stand_ins = self._parsed.stand_ins
        cuts = stand_ins.cuts(self._copy.units[position] for position in positions)
        piece = self._copy.piece(
            positions, stand_ins.types, blocked=frozenset(self._parsed.gone), cuts=cuts, marks_outputs=True
        )
        return self._survey.build(piece)

    def _culprits(self, present: list[int], result: BuildPass) -> list[int]:
        """Judge the nodes to blame, and return their positions."""
        culprits = [position for position in self._suspects(present, result) if self._is_refused(position, present)]
        if culprits:
            operators = {self._copy.units[position].node.op_type for position in culprits}
            alike = [
                position
                for position in present
                if position not in culprits and self._copy.units[position].node.op_type in operators
            ]
            culprits += [position for position in alike[:_MOST_SUSPECTS] if self._is_refused(position, present)]
            for position in culprits:
                self._judge(position, self._alone[position].messages)
            return culprits
        return self._smallest_stretch(present)

    def _judge(self, position: int, messages: tuple[str, ...], *, together_with: int = -1) -> None:
        unit = self._copy.units[position]
        doubt = self._parsed.stand_ins.doubt_of(unit)
        inner = next(
            (number for number in unit.inside if self._verdicts.get(number, _TAKEN).status == "unsupported"), -1
        )
        if inner >= 0:  # in its branch a copy stands in for a refused node, which the builder may mind
            verdict = Verdict("unknown", "follows", messages=messages, cause=inner)
        elif doubt is not None and (doubt.kind != "sizes" or self._alone.get(position, _BUILT).has_made_up_sizes):
            verdict = Verdict("unknown", "follows", messages=messages, cause=doubt.cause, tensor=doubt.tensor)
        elif together_with >= 0:
            verdict = Verdict("unsupported", "builder", messages=messages, cause=together_with, alone=False)
        else:
            verdict = Verdict("unsupported", "builder", messages=messages)
        self._verdicts.judge(unit.number, verdict)

    def _suspects(self, present: list[int], result: BuildPass) -> list[int]:
        """Return the units that the messages name, and those between the ends of a range of layers."""
        numbers = [number for message in result.messages for number in numbers_in(message)]
        by_number = {
            number: position
            for position in present
            for number in (self._copy.units[position].number, *self._copy.units[position].inside)
        }
        named = sorted({by_number[number] for number in numbers if number in by_number})
        if len(named) > 1 and any(_RANGE in message for message in result.messages):
            between = [position for position in present if named[0] <= position <= named[-1]]
            named += [position for position in between if position not in named]
        return named[:_MOST_SUSPECTS]

    def _is_refused(self, position: int, present: list[int]) -> bool:
        """Whether the builder refuses a unit alone, and with its neighbours."""
        if position not in self._alone:
            self._alone[position] = self._build([position])
        if not self._alone[position].is_refused:
            return False
        around = self._neighbours(position, set(present))
        return len(around) == 1 or self._build(around).is_refused

    def _neighbours(self, position: int, present: set[int]) -> list[int]:
        """Return a unit with those that it reads from and those that read from it, without those known to be refused."""
        units, makers = self._copy.units, self._copy.makers
        made = set(units[position].outputs)
        found = {position}
        found.update(makers[name] for name in units[position].reads if name in makers)
        found.update(self._copy.readers_of(made))
        known = {other for other, result in self._alone.items() if result.is_refused and other != position}
        return sorted((found & present) - known)

    def _smallest_stretch(self, present: list[int]) -> list[int]:
        """Return the last node of the shortest stretch that the builder refuses; empty if it refuses only the whole."""
        low, high = 1, len(present)  # the first `high` units do not build
        while low < high:
            middle = (low + high) // 2
            if self._build(present[:middle]).is_refused:
                high = middle
            else:
                low = middle + 1
        end = high
        low, high = 0, end - 1  # from `low` on it does not build
        refused = self._build(present[:end])
        if not refused.is_refused:
            return []
        while low < high:
            middle = (low + high + 1) // 2
            result = self._build(present[middle:end])
            if result.is_refused:
                low, refused = middle, result
            else:
                high = middle - 1
        if refused.has_made_up_sizes:
            return self._follow(present[low:end], refused.messages)
        first, last = present[low], present[end - 1]
        together = self._copy.units[first].number if first != last else -1
        self._judge(last, refused.messages, together_with=together)
        return [last]

    def _follow(self, stretch: list[int], messages: tuple[str, ...]) -> list[int]:
        """Return the last node of a stretch, of which nobody can say whether it or a size that was made up is to blame."""
        units = [self._copy.units[position] for position in stretch]
        doubt = next(filter(None, map(self._parsed.stand_ins.doubt_of, reversed(units))), None)
        if doubt is None:
            return []
        self._verdicts.judge(
            units[-1].number,
            Verdict("unknown", "follows", messages=messages, cause=doubt.cause, tensor=doubt.tensor),
        )
        return stretch[-1:]
