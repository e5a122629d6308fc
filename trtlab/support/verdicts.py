"""What a survey finds out about each node, while it goes on. Plain data of the worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from trtlab._engine_results import Installation, ParserError
from trtlab._results import Result

Depth = Literal["quick", "full"]
Status = Literal["supported", "unsupported", "unknown"]
Because = Literal["", "parser", "builder", "dtype", "follows", "assumed", "inside", "circle", "unnamed"]
_RANK = {"supported": 0, "unknown": 1, "unsupported": 2}


@dataclass(frozen=True)
class Verdict(Result):
    """What a survey says of one node.

    Attributes:
        status: Its status.
        because: Why. Not supported: the `parser` or the `builder` refused it. Unknown: TensorRT lacks the `dtype` of what it reads,
            a refusal of it may only follow from another one (`follows`), it is `inside` of a node that was refused as a whole,
            it feeds itself (`circle`), or the parser refuses it without naming a node (`unnamed`). Supported: with a shape of
            what it reads that had to be `assumed`.
        errors: The parser's errors.
        messages: The builder's.
        cause: Number of the node that is to blame for an unknown or an assumption, -1 for none.
        tensor: The tensor that is to blame, empty for none.
        alone: Whether the builder refuses it also with nothing around it; False if only together with its neighbours.
    """

    status: Status
    because: Because = ""
    errors: tuple[ParserError, ...] = ()
    messages: tuple[str, ...] = ()
    cause: int = -1
    tensor: str = ""
    alone: bool = True


@dataclass(frozen=True)
class SurveyRecord(Result):
    """What a survey found out, as the worker hands it to the kernel.

    Attributes:
        installation: The TensorRT that was asked.
        depth: `quick`: the parser alone; `full`: the builder too.
        accepted: Whether the parser takes the model as it is.
        built: Whether the builder makes an engine of it as it is; None if it was not asked.
        needs_values: Whether it was only asked with made-up sizes, because the model takes sizes as input values.
        nodes: Nodes of the model, those of branches, bodies and functions included.
        verdicts: The number and the verdict of each node that is not simply supported.
        unplaced: Errors of the parser that lead to no node: of inputs, outputs, weights, or the model.
        build_messages: Errors of the builder that lead to no node.
        parse_seconds: Time of the first pass.
        seconds: Time of all.
        passes: How often the parser was asked.
        builds: How often the builder was asked.
    """

    installation: Installation
    depth: Depth
    accepted: bool
    built: bool | None
    needs_values: bool
    nodes: int
    verdicts: tuple[tuple[int, Verdict], ...]
    unplaced: tuple[ParserError, ...] = ()
    build_messages: tuple[str, ...] = ()
    parse_seconds: float = 0.0
    seconds: float = 0.0
    passes: int = 0
    builds: int = 0


class Verdicts(dict[int, Verdict]):
    """The verdicts by the number of the node."""

    def judge(self, number: int, verdict: Verdict) -> None:
        """Keep a verdict if it is worse than what is known: a node of a function is looked at once for each call."""
        before = self.get(number)
        if before is None or _RANK[verdict.status] > _RANK[before.status]:
            self[number] = verdict
        elif verdict.errors and before.status == verdict.status:
            self[number] = replace(before, errors=tuple(dict.fromkeys((*before.errors, *verdict.errors))))

    def refused(self) -> list[int]:
        """Return the numbers of the nodes that are not supported, in order."""
        return sorted(number for number, verdict in self.items() if verdict.status == "unsupported")
