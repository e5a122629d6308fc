"""Shapes that depend on the values of an input, not only on its shape.

Asked of TensorRT-RTX 1.7.1: NonZero (no plugin of that name), Unique and Compress are refused by the parser, also on constants;
NonMaxSuppression parses and does not build. Where the size of a Reshape, Expand, Tile, Range, TopK, ConstantOfShape, Pad or OneHot is
computed from the values of a float or bool input, the parser refuses it (`!isInFlight(p.second.symbolicRep)`). Computed from
an integer input, also through ReduceMax, TopK or arithmetic, it builds: the input becomes a shape tensor; but the depth of a OneHot
and the axes of a Squeeze, an Unsqueeze and of reductions must be constants.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass

from trtlab._format import plural
from trtlab.model.description import Finding
from trtlab.model.walk import Scope
from trtlab.support.findings.model_facts import ModelFacts, Node
from trtlab.support.findings.wording import SEEN, listed, nodes_listed, quoted

_MASK = "Use Where, or multiply with a mask, so that the shape stays."
# What becomes of an operator, and what to do instead.
_OPERATORS = {
    "NonZero": ("refuses it; the full TensorRT has it from 8.5 on", _MASK),
    "Unique": ("refuses it", "Do this step outside of TensorRT."),
    "Compress": ("refuses it", _MASK),
    "NonMaxSuppression": (
        "does not build it; the full TensorRT has it from 8.5 on",
        "End the model in front of it, or use the plugin EfficientNMS_TRT of the full TensorRT.",
    ),
}
# Operators with a second input that must be constant (the depth of a OneHot, else axes).
_CONSTANT = frozenset(
    {
        "OneHot", "Squeeze", "Unsqueeze", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
        "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
    }
)  # fmt: skip
# Which inputs give the size of an output.
_SIZES: Mapping[str, tuple[int, ...]] = {
    "Reshape": (1,), "Expand": (1,), "Tile": (1,), "ConstantOfShape": (0,), "Range": (0, 1, 2), "TopK": (1,), "Slice": (1, 2, 4),
    "Pad": (1,), "Resize": (1, 2, 3), "Upsample": (1,), "Split": (1,), **dict.fromkeys(_CONSTANT, (1,)),
}  # fmt: skip
_RESIZE_WITH_REGION = 3  # inputs; from opset 11 on the second is a region, which only cropping reads
_SHAPE_READERS = frozenset({"Shape", "Size"})
_MOST_ROOTS = 4


@dataclass(frozen=True)
class _Data:
    """Values of which inputs a tensor depends on: integers, which TensorRT can follow, and others, which it cannot."""

    integers: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


_NOTHING = _Data()
_Known = MutableMapping[str, _Data]


def data_dependent_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return the operators and the sizes that make shapes depend on data."""
    for operator, (does, step) in _OPERATORS.items():
        nodes = [node for node in facts.all_nodes if node.operator == operator and not node.domain]
        if nodes:
            values = quoted(nodes[0].input(0)) if nodes[0].input(0) else "its input"
            text = (
                f"{plural(len(nodes), f'{operator} node')}: {nodes_listed(nodes)}. How many elements it gives depends on the values of "
                f"{values}, not on its shape. {SEEN} {does}. {step}"
            )
            yield Finding("support.data_dependent_operator", "warning", text, nodes[0].reference)
    yield from _size_findings(_Tracer(facts).sized)


def _size_findings(all_sized: list[tuple[Node, str, _Data]]) -> Iterator[Finding]:
    constant = [item for item in all_sized if item[0].operator in _CONSTANT]
    if constant:
        node, name, data = constant[0]
        text = (
            f"{_count(constant)} whose axes or depth come from values of the input {listed(sorted(data.integers | data.others))}: "
            f"{nodes_listed(item[0] for item in constant)}, here through {quoted(name)}. {SEEN} takes constants only there. Export with "
            "fixed ones."
        )
        yield Finding("support.data_dependent_axes", "warning", text, node.reference, name)
    sized = [item for item in all_sized if item[0].operator not in _CONSTANT]
    others = [item for item in sized if item[2].others]
    if others:
        node, name, data = others[0]
        text = (
            f"{_count(others)} whose size is computed from values of the input {listed(sorted(data.others))}: "
            f"{nodes_listed(item[0] for item in others)}, here through {quoted(name)}. {SEEN} refuses a size that comes from float or bool "
            "values. Give the size as an int64 input of its own, or fix it."
        )
        yield Finding("support.data_dependent_size", "warning", text, node.reference, name)
    integers = [item for item in sized if item[2].integers and not item[2].others]
    if integers:
        node = integers[0][0]
        roots = sorted(frozenset().union(*(item[2].integers for item in integers)))
        text = (
            f"{_count(integers)} whose size is given by values of the input {listed(roots)}: "
            f"{nodes_listed(item[0] for item in integers)}. TensorRT makes a shape tensor of such an input. Give its least, usual and "
            "greatest values in the profile, not only its shape."
        )
        yield Finding("support.shape_input", "info", text, node.reference, roots[0])


def _count(items: list[tuple[Node, str, _Data]]) -> str:
    return plural(len({(id(item[0].scope), item[0].position) for item in items}), "node")


class _Tracer:
    """Goes through the nodes once and keeps for each tensor which inputs' values it depends on.

    What only the shape of a tensor is taken of counts as nothing. Inputs of loop bodies and of local functions count as nothing
    too: where they come from is not followed.

    Attributes:
        sized: Each node with a size that depends on data, and the name of that size.
    """

    def __init__(self, facts: ModelFacts) -> None:
        self._facts = facts
        self._inside: dict[tuple[int, int], list[Scope]] = {}
        self.sized: list[tuple[Node, str, _Data]] = []
        main = facts.main
        for scope in facts.file.scopes:
            if scope.parent is not None:
                self._inside.setdefault((id(scope.parent), scope.parent_index), []).append(scope)
        known: _Known = {}
        for value in facts.inputs:
            integer = value.type.tensor_type.elem_type in _integers()
            name = frozenset({value.name})
            known[value.name] = _Data(integers=name) if integer else _Data(others=name)
        self._follow(main, known)

    def _follow(self, scope: Scope, known: _Known) -> None:
        """Add what the nodes of a graph make to what is known. Protobuf allows about thirty levels, so this may call itself."""
        for node in self._facts.nodes(scope):
            inside = self._inside.get((id(scope), node.position)) if scope.holders else None
            if inside:
                self._follow_inside(node, inside, known)
                continue
            if node.domain and (node.domain, node.operator) in self._facts.functions:
                continue
            if node.operator in _SHAPE_READERS:
                continue
            found = [known[name] for name in node.inputs if name in known]
            if not found:
                continue
            data = _union(found)
            if data is _NOTHING:
                continue
            for name in node.outputs:
                if name:
                    known[name] = data
            if node.operator in _SIZES and not node.domain:
                self._note_sizes(node, known)

    def _follow_inside(self, node: Node, inside: list[Scope], known: _Known) -> None:
        outputs: list[_Data] = [_NOTHING] * len(node.outputs)
        for scope in inside:
            # Copying what is known of 20,000 tensors for each of a thousand branches would take seconds.
            inner: _Known = ChainMap({}, *(known.maps if isinstance(known, ChainMap) else [known]))
            inner.update((value if isinstance(value, str) else value.name, _NOTHING) for value in scope.body.input)
            self._follow(scope, inner)
            # The results of a branch are the node's; those of a loop's body begin with its condition.
            results = [
                inner.get(value if isinstance(value, str) else value.name, _NOTHING) for value in scope.body.output
            ]
            results = results[1:] if node.operator == "Loop" else results
            outputs = [_union(pair) for pair in zip(outputs, [*results, *outputs[len(results) :]], strict=False)]
        condition = known.get(node.input(0), _NOTHING) if node.operator == "If" else _NOTHING
        for name, data in zip(node.outputs, outputs, strict=False):
            united = _union((data, condition))
            if name and united != _NOTHING:
                known[name] = united

    def _note_sizes(self, node: Node, known: _Known) -> None:
        positions = _SIZES[node.operator]
        if node.operator == "Resize" and len(node.inputs) >= _RESIZE_WITH_REGION:
            positions = positions[1:]
        for position in positions:
            name = node.input(position)
            data = known.get(name, _NOTHING)
            if data.others or data.integers:
                self.sized.append((node, name, data))
                return


def _union(parts: Iterable[_Data]) -> _Data:
    different = {id(part): part for part in parts if part is not _NOTHING}
    if len(different) < 2:  # noqa: PLR2004 - nothing to unite: no new object for each of 20,000 nodes
        return next(iter(different.values()), _NOTHING)
    integers: set[str] = set()
    others: set[str] = set()
    for part in different.values():
        integers |= part.integers
        others |= part.others
    return _Data(frozenset(sorted(integers)[:_MOST_ROOTS]), frozenset(sorted(others)[:_MOST_ROOTS]))


def _integers() -> frozenset[int]:
    from onnx import TensorProto

    return frozenset({TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.INT8})
