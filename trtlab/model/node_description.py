"""What the model says about a node that was refused. Plain results: made in the worker, read where failures are explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trtlab._results import Result
from trtlab.model.description import Dimension, NodeReference

# `input`: of the model; `initializer` and `constant`: its values lie in the model; `node`: computed; `body`: given to a loop's
# body by the loop; `missing`: nothing makes it.
TensorSource = Literal["input", "initializer", "constant", "node", "body", "missing"]


@dataclass(frozen=True)
class AttributeFacts(Result):
    """One attribute of a node, its value as text: numbers, names of types, the beginning of what is long."""

    name: str
    value: str


@dataclass(frozen=True)
class TensorFacts(Result):
    """One tensor that a node reads or makes.

    Attributes:
        name: Its name in the model; the beginning and end of a very long one.
        role: What ONNX calls it in this place (`axes`), empty where ONNX has no name for it.
        dtype: NumPy-style type name, empty if the model does not say it and it does not follow.
        shape: Its sizes, None for an unknown rank.
        source: Where it comes from.
        maker: The node that computes it, as a person would call it.
        values: Its values, if it is a small constant.
        foldable: Whether it is computed from constants alone.
        roots: Inputs of the model that its values depend on, the first few.
    """

    name: str
    role: str = ""
    dtype: str = ""
    shape: tuple[Dimension, ...] | None = None
    source: TensorSource = "missing"
    maker: str = ""
    values: str = ""
    foldable: bool = False
    roots: tuple[str, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether its values lie in the model."""
        return self.source in ("initializer", "constant")


@dataclass(frozen=True)
class NodeFacts(Result):
    """One node: its attributes, what it reads and what it makes.

    Attributes:
        node: Which node.
        attributes: Its attributes, in the order of the file.
        inputs: Its inputs in order, left-out ones (empty names) left out. At most 20.
        outputs: Its outputs in order, unused ones left out. At most 20.
        opset: Version of the node's operator set, 0 if the model does not import it.
    """

    node: NodeReference
    attributes: tuple[AttributeFacts, ...] = ()
    inputs: tuple[TensorFacts, ...] = ()
    outputs: tuple[TensorFacts, ...] = ()
    opset: int = 0

    def attribute(self, name: str) -> str | None:
        """Return the value of an attribute, None if the node does not have it."""
        return next((item.value for item in self.attributes if item.name == name), None)


@dataclass(frozen=True)
class RefusalFacts(Result):
    """What the model says about one error of the parser; empty where the error does not lead to one node or tensor.

    Attributes:
        node: The node.
        tensor: The tensor, where the error is about one: an input of the model, an initializer.
        readers: The nodes that read that tensor, as a person would call them, the first few.
        around: The node of the main graph that the refused one lies below, where that is all that can be told.
    """

    node: NodeFacts | None = None
    tensor: TensorFacts | None = None
    readers: tuple[str, ...] = ()
    around: str = ""


@dataclass(frozen=True)
class RefusedNode(Result):
    """What the parser says about the place of a node.

    Attributes:
        index: Index in the main graph of the node, or of the one that it lies below; -1 if the parser does not say.
        name: Its name, empty if it has none.
        operator: Its operator.
        stack: Calls and branches around it, outermost first: `choice (If)`, `graph (then_branch)`.
    """

    index: int
    name: str
    operator: str
    stack: tuple[str, ...] = ()
