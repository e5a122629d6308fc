"""The plain results of looking at an ONNX model. No onnx here: these are made in the worker and read in the kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trtlab._format import format_bytes, format_shape, plural, shorten_middle
from trtlab._results import Result

# A size is a number, a name (symbolic), or None where the file says nothing.
Dimension = int | str | None
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class TensorDescription(Result):
    """One input, output or initializer of a model.

    Attributes:
        name: Name of the tensor in the graph.
        dtype: NumPy-style type name (`float32`, `int64`, `bfloat16`, `string`), or the kind for what is no tensor
            (`sequence`, `optional`, `map`).
        shape: Sizes, symbolic names and None for unknown sizes; None instead of a tuple where the rank is unknown.
    """

    name: str
    dtype: str
    shape: tuple[Dimension, ...] | None

    @property
    def dynamic_axes(self) -> tuple[int, ...]:
        """Axes whose size the file leaves open, in order. Empty for a static shape and for an unknown rank."""
        return tuple(axis for axis, size in enumerate(self.shape or ()) if not isinstance(size, int))

    @property
    def is_dynamic(self) -> bool:
        """Whether a build needs a shape profile for this tensor."""
        return self.shape is None or bool(self.dynamic_axes)

    def __repr__(self) -> str:
        return f"{shorten_middle(self.name)}: {self.dtype} [{format_shape(self.shape)}]"


@dataclass(frozen=True)
class NodeReference(Result):
    """Which node something is about.

    Attributes:
        index: Position inside its own graph, from 0.
        name: The node's name; may be empty, ONNX does not require one.
        op_type: Operator, for instance `Conv`.
        domain: Operator set; empty for the ONNX standard.
        scope: Path of the subgraph or function around the node (`if0/else_branch`), empty in the main graph.
    """

    index: int
    name: str
    op_type: str
    domain: str = ""
    scope: str = ""

    @property
    def label(self) -> str:
        """The node as a person would call it."""
        name = f"'{self.name}'" if self.name else f"#{self.index}"
        operator = f"{self.domain}.{self.op_type}" if self.domain else self.op_type
        where = f" in {self.scope}" if self.scope else ""
        return f"{name} ({operator}){where}"


@dataclass(frozen=True)
class Finding(Result):
    """Something about the model that is worth knowing before anything failed.

    Attributes:
        id: Stable name of the kind of finding, for instance `model.cycle`.
        severity: `error` where the ONNX standard is broken, `warning` where TensorRT is likely to mind, else `info`.
        text: What it is, in plain words.
        node: The node it belongs to, if it belongs to one.
        tensor: The tensor it belongs to, if it belongs to one.
        original: The message of the tool that found it, untouched.
    """

    id: str
    severity: Severity
    text: str
    node: NodeReference | None = None
    tensor: str | None = None
    original: str = ""


@dataclass(frozen=True)
class ExternalFile(Result):
    """A file beside the model that holds weights.

    Attributes:
        location: Path relative to the model's folder, as written in the model.
        bytes: Size of the file.
        tensors: How many tensors lie in it.
    """

    location: str
    bytes: int
    tensors: int


@dataclass(frozen=True)
class ModelDescription(Result):
    """What is in a model file.

    Attributes:
        path: Where the file was read from; empty for a model given as bytes.
        sha256: Digest of the file and of every external data file, in hexadecimal.
        file_bytes: Size of the model file.
        ir_version: ONNX IR version.
        opsets: Operator set versions by domain; the standard set has the empty domain.
        producer: Name and version of the exporter, as the file has it.
        inputs: Inputs that a caller gives (initializers are left out).
        outputs: Outputs.
        node_count: Nodes of the main graph.
        nested_node_count: Nodes inside subgraphs and local functions.
        operators: How often each operator occurs, nested ones included.
        initializer_count: Initializers of the main graph.
        weights_bytes: Size of all initializers and constants, nested and external ones included.
        external_files: Files that hold external data.
        subgraph_count: Subgraphs of If, Loop, Scan and the like, at any depth.
        functions: Names of the model's local functions.
    """

    path: str
    sha256: str
    file_bytes: int
    ir_version: int
    opsets: dict[str, int]
    producer: str
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    node_count: int
    nested_node_count: int
    operators: dict[str, int]
    initializer_count: int
    weights_bytes: int
    external_files: tuple[ExternalFile, ...] = ()
    subgraph_count: int = 0
    functions: tuple[str, ...] = field(default=())

    @property
    def opset(self) -> int | None:
        """Version of the standard ONNX operator set, None if the model does not import it."""
        return self.opsets.get("", self.opsets.get("ai.onnx"))

    @property
    def dynamic_inputs(self) -> tuple[TensorDescription, ...]:
        """The inputs that need a shape profile."""
        return tuple(tensor for tensor in self.inputs if tensor.is_dynamic)

    def summary(self) -> str:
        """One line: size, nodes, opset, weights."""
        nested = f" (+{self.nested_node_count} nested)" if self.nested_node_count else ""
        return (
            f"{plural(self.node_count, 'node')}{nested}, opset {self.opset or '?'}, IR {self.ir_version}, "
            f"weights {format_bytes(self.weights_bytes)}"
        )

    def __repr__(self) -> str:
        def listing(title: str, tensors: tuple[TensorDescription, ...]) -> str:
            shown = ", ".join(map(repr, tensors[:3])) + (f", and {len(tensors) - 3} more" if len(tensors) > 3 else "")  # noqa: PLR2004
            return f"    {title}: {shown or 'none'}"

        lines = [f"ModelDescription: {self.summary()}"]
        lines += [listing("inputs", self.inputs), listing("outputs", self.outputs)]
        return "\n".join(lines)
