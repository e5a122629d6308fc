"""Cut nodes out of a model as a model of their own, and find the smallest one that TensorRT still refuses. Runs in the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtlab._errors import InputError
from trtlab._format import plural
from trtlab.model.walk import attribute_graphs, attribute_tensors
from trtlab.model.working_copy import TensorType, WorkingCopy, nodes_inside, number_in, value_info

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

_FLOAT = 1
# Before this version of the format, each initializer has to be an input too (https://github.com/onnx/onnx/blob/main/docs/IR.md).
_IR_OF_FREE_INITIALIZERS = 4
_RADII = (0, 1, 2, 4, 8, 16, 32)
# Leaving out node after node costs a pass each.
_MOST_TRIED = 60


def positions_of(copy: WorkingCopy, numbers: Sequence[int]) -> list[int]:
    """Return the units that hold some nodes.

    Raises:
        InputError: A node is in none: its number is wrong, or it stands in a circle or in a function that could not be inlined.
    """
    wanted = set(numbers)
    found = [position for position, unit in enumerate(copy.units) if wanted & {unit.number, *unit.inside}]
    held = {number for position in found for number in (copy.units[position].number, *copy.units[position].inside)}
    missing = sorted(wanted - held)
    if missing:
        raise InputError(
            f"Node {missing[0]} cannot be cut out: there is no such node, it is one that calls a function (its inner nodes can be), or "
            "it feeds itself."
        )
    return found


def cut_model(copy: WorkingCopy, positions: Sequence[int], types: dict[str, TensorType], folder: Path) -> ModelProto:
    """Return some units as a model that stands alone: with the model's own names, its weights inside, its outputs comparable.

    Args:
        copy: The model.
        positions: Positions in `units`.
        types: What is known of tensors besides what ONNX infers.
        folder: Where the model's external data lie.

    Raises:
        InputError: Type or shape of a tensor that would become an input is unknown.
    """
    known = {**copy.types, **types}
    model = copy.piece(sorted(positions), known, marks_outputs=True)
    given = {value.name for value in model.graph.input} | {tensor.name for tensor in model.graph.initializer}
    made = {name for node in model.graph.node for name in node.output}
    wanted = {name for position in positions for name in copy.units[position].reads}
    unknown = sorted(wanted - given - made - {tensor.values.name for tensor in model.graph.sparse_initializer})
    if unknown:
        raise InputError(
            f"'{unknown[0]}' would become an input, and its type or shape is not known. Take the node that makes it in too."
        )
    return finished(model, copy, folder)


def finished(model: ModelProto, copy: WorkingCopy, folder: Path) -> ModelProto:
    """Give a piece the model's own names and put its external weights inside."""
    from onnx.external_data_helper import load_external_data_for_tensor

    for node in all_nodes(model.graph):
        number = number_in(node.name)
        if number >= 0:
            node.name = copy.names[number]
    for tensor in _tensors(model.graph):
        if tensor.data_location == tensor.EXTERNAL:
            load_external_data_for_tensor(tensor, str(folder))
            tensor.data_location = tensor.DEFAULT
            tensor.ClearField("external_data")
    model.producer_name = "trtlab"
    model.ir_version = max(model.ir_version, _IR_OF_FREE_INITIALIZERS)
    return model


def all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield the nodes of a graph, those of branches and bodies included."""
    for node in graph.node:
        yield node
        yield from nodes_inside(node)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from attribute_tensors(attribute)
            for inner in attribute_graphs(attribute):
                yield from _tensors(inner)


def lifted_model(copy: WorkingCopy, number: int) -> ModelProto | None:
    """Return a node of a branch or body as a model of its own; None where a type is unknown or it holds graphs itself."""
    import onnx

    holder = next((unit for unit in copy.units if number in unit.inside), None)
    if holder is None:
        return None
    node = next(inner for inner in nodes_inside(holder.node) if number_in(inner.name) == number)
    if any(attribute_graphs(attribute) for attribute in node.attribute):
        return None
    constants = dict(_constants_inside(holder.node)) | copy.initializers
    model = onnx.ModelProto(ir_version=copy.model.ir_version)
    model.opset_import.extend(copy.model.opset_import)
    model.graph.name = "graph"
    model.graph.node.append(node)
    for name in dict.fromkeys(filter(None, node.input)):
        known = copy.known_type(name)
        if name in constants:
            model.graph.initializer.append(constants[name])
            model.graph.initializer[-1].name = name
        elif name in copy.inputs:
            model.graph.input.append(copy.inputs[name])
        elif known is not None:
            model.graph.input.append(value_info(name, known))
        else:
            return None
    for place, name in enumerate(node.output):
        known = copy.types_inside.get(f"{node.name}:{place}")
        if name and known is not None:
            model.graph.output.append(value_info(name, known))
    copy.restore(model.graph)
    return model


def _constants_inside(holder: NodeProto) -> Iterator[tuple[str, TensorProto]]:
    waiting = [graph for attribute in holder.attribute for graph in attribute_graphs(attribute)]
    while waiting:
        graph = waiting.pop()
        for tensor in graph.initializer:
            yield tensor.name, tensor
        for node in graph.node:
            waiting.extend(inner for attribute in node.attribute for inner in attribute_graphs(attribute))
            if node.op_type == "Constant":
                yield from ((node.output[0], item.t) for item in node.attribute if item.name == "value")


def smallest_refused(
    copy: WorkingCopy,
    number: int,
    types: dict[str, TensorType],
    is_refused: Callable[[ModelProto], bool],
    report: Callable[[str], None],
) -> ModelProto:
    """Return the smallest piece around a node that TensorRT still refuses.

    The node alone is tried first, then with more and more of its neighbourhood, then everything is left out again that is not needed.

    Raises:
        InputError: No piece with the node is refused.
    """
    lifted = lifted_model(copy, number)
    if lifted is not None and is_refused(lifted):
        return lifted
    start = positions_of(copy, [number])
    known = {**copy.types, **types}
    for radius in _RADII:
        chosen = _around(copy, start, radius)
        report(f"trying the node with {plural(len(chosen) - 1, 'other')}")
        if is_refused(_piece(copy, chosen, known)):
            return _piece(copy, _without_needless(copy, chosen, start, known, is_refused), known)
        if len(chosen) == len(copy.units):
            break
    raise InputError("No part of the model around this node is refused on its own: it needs the whole model to fail.")


def _piece(copy: WorkingCopy, positions: Iterable[int], known: dict[str, TensorType]) -> ModelProto:
    chosen = sorted(positions)
    typed = dict(known)
    for position in chosen:
        unit = copy.units[position]
        like = next((known[name] for name in unit.reads if name in known), TensorType(_FLOAT, ()))
        for name in unit.outputs:  # a model's outputs have a type; of an operator that nobody knows it is assumed
            typed.setdefault(name, like)
    return copy.piece(chosen, typed, marks_outputs=True)


def _without_needless(
    copy: WorkingCopy,
    chosen: set[int],
    start: Sequence[int],
    known: dict[str, TensorType],
    is_refused: Callable[[ModelProto], bool],
) -> set[int]:
    kept = set(chosen)
    for position in [position for position in sorted(chosen) if position not in start][:_MOST_TRIED]:
        if is_refused(_piece(copy, kept - {position}, known)):
            kept.discard(position)
    return kept


def _around(copy: WorkingCopy, start: Sequence[int], radius: int) -> set[int]:
    found, edge = set(start), set(start)
    for _ in range(radius):
        before = {copy.makers[name] for position in edge for name in copy.units[position].reads if name in copy.makers}
        behind = copy.readers_of(name for position in edge for name in copy.units[position].outputs)
        edge = (before | behind) - found
        found |= edge
    return found
