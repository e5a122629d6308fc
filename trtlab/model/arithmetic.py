"""An estimate of the arithmetic of each node, from the shapes of its tensors. Runs in the worker.

The convention, that of the papers that give a network's multiply-adds (He et al. 2015, "Deep Residual Learning", table 1:
3.8e9 for ResNet-50, whose later form with the stride in the 3x3 convolution has 4.1e9): one multiplication with the addition
that follows counts as one. Counted so are convolutions, matrix products, recurrent layers and attention, by the textbook
algorithm; faster ones, such as Winograd's, do less. Every other operator counts one for each element that it makes: a Softmax
or a Resize does more, but little beside the products. Operators that only give another shape, or values that the file holds,
count nothing. An If counts its larger branch. How often a Loop runs, and what an operator outside ONNX's own set does, is
unknown and stays so.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab._format import shorten_middle
from trtlab._results import Result
from trtlab.model.actions import describe_value
from trtlab.model.inferred_types import InferredTypes

if TYPE_CHECKING:
    from collections.abc import Callable

    from onnx import NodeProto

    from trtlab.model.reading import ModelFile
    from trtlab.model.walk import Scope

_WITHOUT = frozenset(
    {
        "Constant", "ConstantOfShape", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Shape", "Size", "Dropout", "Optional",
        "OptionalGetElement", "OptionalHasElement", "SequenceEmpty",
    }
)  # fmt: skip
_MOST_SIZES_SHOWN = 8
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Arithmetic(Result):
    """Multiply-adds of each node, estimated.

    Attributes:
        operations: For each node by number; None where it is unknown. That of a node with branches includes them.
        sizes: The sizes that were taken for what the model leaves open, by name (`x[0]` for one without a name).
        note: What was counted, in a sentence or two.
    """

    operations: tuple[float | None, ...]
    sizes: dict[str, int]
    note: str


def estimate_arithmetic(file: ModelFile, *, sizes: Mapping[str, int] | None = None) -> Arithmetic:
    """Return the multiply-adds of each node of a model, by the convention above.

    Args:
        file: The model.
        sizes: Sizes for what the model's inputs leave open, by name (`batch`; `x[0]` for one without a name). Those that are not
            given are 1.
    """
    types = InferredTypes(file, sizes=sizes or {})
    starts: list[int] = []
    start = 0
    for scope in file.scopes:
        starts.append(start)
        start += len(scope.nodes)
    number_of = {id(scope): number for number, scope in enumerate(file.scopes)}
    operations: list[float | None] = [None] * start
    branches: dict[int, list[float | None]] = {}
    # A subgraph stands behind the graph that holds it, so its sum is known when that node's turn comes.
    for number in range(len(file.scopes) - 1, -1, -1):
        scope, first = file.scopes[number], starts[number]
        counter = _Counter(types, file, number)
        for index, node in enumerate(scope.nodes):
            inner = branches.get(first + index)
            if inner is None:
                operations[first + index] = counter.count(node)
            elif node.op_type == "If" and all(item is not None for item in inner):
                operations[first + index] = max(item for item in inner if item is not None)
        if scope.parent is not None:
            holder = starts[number_of[id(scope.parent)]] + scope.parent_index
            branches.setdefault(holder, []).append(_sum(operations[first : first + len(scope.nodes)]))
    return Arithmetic(tuple(operations), types.assumed, _note(operations, types.assumed))


def _note(operations: Sequence[float | None], assumed: Mapping[str, int]) -> str:
    parts = [
        "Estimated from shapes: multiply-adds of products and convolutions, one for each element of other operators."
    ]
    if assumed:
        shown = [f"{shorten_middle(name, 40)} = {size}" for name, size in list(assumed.items())[:_MOST_SIZES_SHOWN]]
        more = f" and {len(assumed) - len(shown)} more" if len(assumed) > len(shown) else ""
        parts.append(f"Counted with {', '.join(shown)}{more}.")
    unknown = sum(item is None for item in operations)
    if unknown:
        parts.append(f"Unknown for {unknown} of {len(operations)} nodes.")
    return " ".join(parts)


def _sum(items: Sequence[float | None]) -> float | None:
    known = [item for item in items if item is not None]
    return sum(known) if len(known) == len(items) else None


class _Counter:
    """Counts the arithmetic of the nodes of one scope."""

    def __init__(self, types: InferredTypes, file: ModelFile, scope_number: int) -> None:
        self._types = types
        self._scope = file.scopes[scope_number]
        self._numbers = {id(scope): number for number, scope in enumerate(file.scopes)}
        self._weights: dict[int, dict[str, Sizes]] = {}
        self._rules: dict[str, Callable[[NodeProto], float | None]] = {
            "Conv": lambda node: self._convolution(node, 1),
            "ConvInteger": lambda node: self._convolution(node, 1),
            "DeformConv": lambda node: self._convolution(node, 1),
            "QLinearConv": lambda node: self._convolution(node, 3),
            "ConvTranspose": self._transposed_convolution,
            "MatMul": self._product,
            "MatMulInteger": self._product,
            "QLinearMatMul": self._product,
            "Gemm": self._gemm,
            "LSTM": self._recurrent,
            "GRU": self._recurrent,
            "RNN": self._recurrent,
            "Attention": self._attention,
            "Einsum": self._einsum,
        }

    def count(self, node: NodeProto) -> float | None:
        """Return the multiply-adds of a node without branches, None if they are unknown."""
        if node.domain not in ("", "ai.onnx"):
            return None
        if node.op_type in _WITHOUT:
            return 0.0
        rule = self._rules.get(node.op_type, self._elements)
        with contextlib.suppress(IndexError, ValueError, ZeroDivisionError):  # shapes that do not fit the operator
            return rule(node)
        return None

    def _elements(self, node: NodeProto) -> float | None:
        """One for each element that it makes."""
        counts = [_elements_of(self._output(name)) for name in node.output if name]
        return _sum(counts) if counts else None

    def _convolution(self, node: NodeProto, weight_at: int) -> float | None:
        """Each element made is a sum over the channels of its group and the kernel: weights are [out, in / group, kernel...]."""
        weight, result = self._input(node, weight_at), self._output(node.output[0])
        return None if weight is None or result is None else float(math.prod(result) * math.prod(weight[1:]))

    def _transposed_convolution(self, node: NodeProto) -> float | None:
        """Each element read goes into the channels of its group and the kernel: weights are [in, out / group, kernel...]."""
        data, weight = self._input(node, 0), self._input(node, 1)
        return None if weight is None or data is None else float(math.prod(data) * math.prod(weight[1:]))

    def _product(self, node: NodeProto) -> float | None:
        data, result = self._input(node, 0), self._output(node.output[0])
        return None if data is None or result is None else float(math.prod(result) * data[-1])

    def _gemm(self, node: NodeProto) -> float | None:
        data, result = self._input(node, 0), self._output(node.output[0])
        if data is None or result is None:
            return None
        return float(math.prod(result) * data[0 if _integer(node, "transA", 0) else 1])

    def _recurrent(self, node: NodeProto) -> float | None:
        """Each step of each sequence multiplies with all weights once: W is [directions, gates * hidden, input], R likewise."""
        data, weight, recurrence = (self._input(node, place) for place in range(3))
        if data is None or weight is None or recurrence is None:
            return None
        return float(data[0] * data[1] * (math.prod(weight) + math.prod(recurrence)))

    def _attention(self, node: NodeProto) -> float | None:
        """Q K^T and its product with V: heads * queries * keys * (head size of keys + of values), for each of the batch."""
        query, key, value = (self._input(node, place) for place in range(3))
        if query is None or key is None or value is None:
            return None
        query_heads, key_heads = _integer(node, "q_num_heads", 0), _integer(node, "kv_num_heads", 0)
        query, key, value = _by_head(query, query_heads), _by_head(key, key_heads), _by_head(value, key_heads)
        keys = key[2]
        if len(node.input) > 4 and node.input[4]:  # noqa: PLR2004 - past_key is the fifth input
            past = self._input(node, 4)
            if past is None:
                return None
            keys += past[2]
        batch, heads, queries, size = query
        return float(batch * heads * queries * keys * (size + value[3]))

    def _einsum(self, node: NodeProto) -> float | None:
        """One or two operands, letters only: the product of the sizes of all letters. Others are left unknown."""
        equation = next((item.s.decode("ascii") for item in node.attribute if item.name == "equation"), "")
        terms = equation.replace(" ", "").partition("->")[0].split(",")
        shapes = [self._input(node, place) for place in range(len(node.input))]
        if len(terms) != len(shapes) or len(terms) > 2 or "." in equation:  # noqa: PLR2004
            return None
        sizes: dict[str, int] = {}
        for term, shape in zip(terms, shapes, strict=True):
            if shape is None or len(shape) != len(term):
                return None
            for letter, size in zip(term, shape, strict=True):
                sizes[letter] = max(size, sizes.get(letter, 0))
        return float(math.prod(sizes.values()))

    def _input(self, node: NodeProto, place: int) -> Sizes | None:
        name = node.input[place] if place < len(node.input) else ""
        return self._shape(name) if name else None

    def _output(self, name: str) -> Sizes | None:
        return self._shape(name) if name else None

    def _shape(self, name: str) -> Sizes | None:
        """Return the shape of a tensor of this scope or of those around it, None if not all of it is known."""
        scope: Scope | None = self._scope
        while scope is not None:
            weights = self._weights_of(scope)
            if name in weights:
                return weights[name]
            if name in scope.declared or name in scope.makers:
                break
            scope = scope.parent
        if scope is None:
            return None
        value = self._types.of(self._numbers[id(scope)], name)
        shape = describe_value(value).shape if value is not None else None
        if shape is None:
            return None
        known = tuple(size for size in shape if isinstance(size, int))
        return known if len(known) == len(shape) else None

    def _weights_of(self, scope: Scope) -> dict[str, Sizes]:
        if id(scope) not in self._weights:
            self._weights[id(scope)] = {
                tensor.name: tuple(tensor.dims) for tensor in getattr(scope.body, "initializer", ())
            }
        return self._weights[id(scope)]


def _elements_of(shape: Sizes | None) -> float | None:
    return None if shape is None else float(math.prod(shape))


def _integer(node: NodeProto, name: str, default: int) -> int:
    return next((int(item.i) for item in node.attribute if item.name == name), default)


def _by_head(shape: Sizes, heads: int) -> Sizes:
    """Return a shape as [batch, heads, length, size], given so or as [batch, length, heads * size]."""
    if len(shape) == 4:  # noqa: PLR2004
        return shape
    batch, length, hidden = shape
    return batch, heads, length, hidden // heads
