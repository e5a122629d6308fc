"""What a survey of a model found: a verdict for each node, and everything else that stands in the way. Plain data."""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from trtlab._engine_results import Installation
from trtlab._format import format_seconds, plural, shorten_middle
from trtlab._results import Result
from trtlab.explain.diagnosis import Diagnosis, Remedy
from trtlab.model.description import Dimension, Finding, ModelDescription, NodeReference
from trtlab.support.partition import Partition
from trtlab.support.verdicts import Depth, Status

if TYPE_CHECKING:
    from trtlab.model.model_source import ModelInput
    from trtlab.support.reduction import ReducedModel
    from trtlab.support.releases import ReleaseTable

_SHOWN = 3


@dataclass(frozen=True)
class NodeVerdict(Result):
    """What TensorRT says of one node.

    Attributes:
        number: Position in the list of all nodes: those of the main graph, then of its subgraphs, then of local functions.
        node: Which node.
        status: `supported`, `unsupported`, or `unknown` where it could not be judged.
        refused_by: `parser` or `builder`; empty for a node that neither refused.
        tensorrt_code: The code of the parser's error, empty for the others.
        message: TensorRT's own words.
        reason: In plain words why it is not supported, why it could not be judged, or what was assumed; else empty.
        diagnosis: The refusal explained, with what to do.
        cause: Number of the node that is to blame where this one could not be judged, -1 for none.
    """

    number: int
    node: NodeReference
    status: Status = "supported"
    refused_by: Literal["", "parser", "builder"] = ""
    tensorrt_code: str = ""
    message: str = ""
    reason: str = ""
    diagnosis: Diagnosis | None = None
    cause: int = -1

    @property
    def diagnosis_id(self) -> str:
        """Stable name of the diagnosis, empty without one."""
        return self.diagnosis.id if self.diagnosis else ""

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """Ways out, the best first."""
        return self.diagnosis.remedies if self.diagnosis else ()

    def __repr__(self) -> str:
        word = {"supported": "supported", "unsupported": "refused", "unknown": "not judged"}[self.status]
        return f"{self.node.label}: {word}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class TensorVerdict(Result):
    """An input, an output or a weight of the model that TensorRT does not take.

    Attributes:
        name: Its name.
        kind: `input`, `output` or `initializer`.
        dtype: Its type.
        shape: Its shape, None for an unknown rank.
        diagnosis: The refusal explained.
    """

    name: str
    kind: Literal["input", "output", "initializer"]
    dtype: str
    shape: tuple[Dimension, ...] | None
    diagnosis: Diagnosis


@dataclass(frozen=True)
class SupportReport(Result):
    """Whether TensorRT takes a model, and every node that it does not take.

    Attributes:
        supported: The parser takes the model as it is and, in a full survey, the builder makes an engine of it.
        accepted: The parser takes the model as it is.
        depth: `quick`: the parser was asked; `full`: the builder too.
        model: What is in the file.
        installation: The TensorRT that was asked.
        nodes: A verdict for each node, by number.
        tensors: Inputs, outputs and weights that TensorRT does not take.
        diagnoses: What stands in the way and belongs to no single node or tensor.
        findings: What is known before any parse.
        partition: The connected parts that TensorRT would take.
        seconds: Time that it took.
        survey_seconds: Of that, the survey itself: what the parser and the builder were asked. The rest looks at the file.
        parse_seconds: Time of the first pass of the parser.
        passes: How often the parser was asked.
        builds: How often the builder was asked.
    """

    supported: bool
    accepted: bool
    depth: Depth
    model: ModelDescription
    installation: Installation
    nodes: tuple[NodeVerdict, ...]
    tensors: tuple[TensorVerdict, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    findings: tuple[Finding, ...] = ()
    partition: Partition = field(default_factory=Partition)
    seconds: float = 0.0
    survey_seconds: float = 0.0
    parse_seconds: float = 0.0
    passes: int = 0
    builds: int = 0

    @property
    def problems(self) -> tuple[NodeVerdict, ...]:
        """The nodes that are not supported and those that could not be judged, in the order of the model."""
        return tuple(verdict for verdict in self.nodes if verdict.status != "supported")

    @property
    def unsupported(self) -> tuple[NodeVerdict, ...]:
        """The nodes that TensorRT refuses."""
        return tuple(verdict for verdict in self.nodes if verdict.status == "unsupported")

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes have each status."""
        found = Counter(verdict.status for verdict in self.nodes)
        return {status: found[status] for status in ("supported", "unsupported", "unknown")}

    def find(self, node: int | str) -> NodeVerdict:
        """Return the verdict of a node, by its number or name.

        Raises:
            InputError: There is no such node, or there are several of that name.
        """
        from trtlab._errors import InputError

        if isinstance(node, int):
            if not 0 <= node < len(self.nodes):
                raise InputError(f"There is no node {node}: the model has {plural(len(self.nodes), 'node')}, from 0.")
            return self.nodes[node]
        found = [verdict for verdict in self.nodes if verdict.node.name == node]
        if len(found) != 1:
            numbers = ", ".join(str(verdict.number) for verdict in found[:_SHOWN])
            raise InputError(
                f"{len(found)} nodes are named {node!r} (numbers {numbers} ...). Give the number of one of them."
                if found
                else f"No node is named {shorten_middle(node)!r}. `report.nodes` lists all of them."
            )
        return found[0]

    def other_releases(self, *releases: str) -> ReleaseTable:
        """Return what other releases say of the model's operators, types and opset: from their tables, not from asking them.

        Args:
            *releases: Such as `10.16` or `RTX 1.7`; without any, a choice of them.
        """
        from trtlab.support.releases import DEFAULT_RELEASES, release_verdicts

        model = self.model
        dtypes = {tensor.dtype for tensor in (*model.inputs, *model.outputs)}
        return release_verdicts(
            model.operators, model.opset, dtypes, releases=releases or DEFAULT_RELEASES, functions=model.functions
        )

    def with_source(self, model: ModelInput) -> SupportReport:
        """Remember which model was checked, for `reduce`. Not a part of the report's data."""
        object.__setattr__(self, "_source", model)
        return self

    @property
    def source(self) -> ModelInput:
        """The model that was checked."""
        source: ModelInput = getattr(self, "_source", self.model.path)
        return source

    def reduce(self, node: int | str | None = None, *, output: str | PathLike[str] | None = None) -> ReducedModel:
        """Return the smallest model in which TensorRT still refuses a node; see `trtlab.support.reduction.reduce_model`."""
        from trtlab.support.reduction import reduce_model

        return reduce_model(self, node, output=output)

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        release = self.installation.title
        counts = self.counts
        if self.supported:
            done = "parses and builds" if self.depth == "full" else "parses"
            more = "" if self.depth == "full" else "; whether it builds, a full check says"
            return f"Supported: {done} on {release}, {plural(len(self.nodes), 'node')}{more}"
        parts = (
            [f"{counts['unsupported']} of {plural(len(self.nodes), 'node')} refused"] if counts["unsupported"] else []
        )
        parts += (
            [f"{plural(len(self.tensors), 'input or weight', 'inputs or weights')} refused"] if self.tensors else []
        )
        parts += [f"{counts['unknown']} could not be judged"] if counts["unknown"] else []
        if not parts:
            parts = [self.diagnoses[0].title if self.diagnoses else "refused as a whole"]
        return f"Does not {'build' if self.accepted else 'parse'} on {release}: {', '.join(parts)}"

    def __repr__(self) -> str:
        opset = f"opset {self.model.opset or '?'}"
        if self.supported:
            return f"SupportReport: supported, {plural(len(self.nodes), 'node')}, {opset}, {self.installation.title} ({self._how})"
        lines = [f"SupportReport: {self.headline}, {opset} ({self._how})"]
        lines += [
            f"    {shorten_middle(' '.join(repr(verdict).split()), 240)}" for verdict in self.unsupported[:_SHOWN]
        ]
        if len(self.unsupported) > _SHOWN:
            lines.append(f"    ... and {len(self.unsupported) - _SHOWN} more in .unsupported")
        elif not self.unsupported:
            others = (*(item.diagnosis for item in self.tensors), *self.diagnoses)
            lines += [
                f"    {shorten_middle(' '.join((item.why or item.title).split()), 240)}" for item in others[:_SHOWN]
            ]
        return "\n".join(lines)

    @property
    def _how(self) -> str:
        asked = "parsed and built" if self.builds else "parsed"
        return f"{asked} in {format_seconds(self.seconds)}"

    def _html(self) -> str:
        from trtlab.explain.cards import cards_html

        found = [verdict.diagnosis for verdict in self.unsupported if verdict.diagnosis is not None]
        found += [*(tensor.diagnosis for tensor in self.tensors), *self.diagnoses]
        cards = cards_html(found[:_SHOWN]) if found else ""
        return f"<pre>{html.escape(repr(self))}</pre>{cards}"

    def to_dataframe(self) -> Any:  # noqa: ANN401 - a pandas.DataFrame; pandas is not required
        """Return the nodes as a pandas DataFrame, one row each. Needs pandas."""
        import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]

        return pd.DataFrame([node_row(verdict) for verdict in self.nodes])


def node_row(verdict: NodeVerdict) -> dict[str, Any]:
    """Return a verdict as `trtlab check --json` gives it."""
    node = verdict.node
    return {
        "number": verdict.number, "index": node.index, "name": node.name, "op_type": node.op_type, "domain": node.domain,
        "scope": node.scope, "status": verdict.status, "refused_by": verdict.refused_by,
        "tensorrt_code": verdict.tensorrt_code, "message": verdict.message,
        "reason": verdict.reason, "diagnosis_id": verdict.diagnosis_id, "remedies": [remedy.to_dict() for remedy in verdict.remedies],
        "cause": verdict.cause if verdict.cause >= 0 else None,
    }  # fmt: skip
