"""A copy of a model that is taken apart: nodes carry their number, functions are inlined, pieces can be cut out of it.

A survey has the parser look at pieces of a model. What a piece needs from outside becomes an input of the same type and
shape, except what is computed from constants and shapes alone: many importers want that at build time, so it comes along.
Runs in the worker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from trtlab.model.description import Dimension
from trtlab.model.light_copy import LightCopy
from trtlab.model.skeleton import restore_data
from trtlab.model.tensor_origin import RANDOM_OPERATORS, SHAPE_READERS
from trtlab.model.tensor_rules import tensor_bytes
from trtlab.model.walk import Scope, attribute_graphs, attribute_tensors, names_read, scopes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

    from trtlab.model.reading import ModelFile

# How many numbers a tensor holds that could be sizes, and how many nodes that compute them are followed in one piece.
_MOST_SIZES, _MOST_SIZE_NODES = 32, 100
_PROBE, _CUT = "trtlab_probe", "trtlab_cut"
_TOKEN = re.compile(r"trtlab_n(\d+)_")
# What is added to the names of tensors and nodes.
_ADDED = re.compile(rf"_{_CUT}|\btrtlab_for_")
_NAMED = re.compile(r"trtlab_(?:n|from_trtlab_n)(\d+)_(?:__\d+)?(?:\d+(?!\w))?")


@dataclass(frozen=True)
class TensorType:
    """Type and shape of a tensor: ONNX's number of the type, and sizes (a name or None where they are open)."""

    element: int
    shape: tuple[Dimension, ...]

    @property
    def is_static(self) -> bool:
        """Whether every size is a number."""
        return all(isinstance(size, int) for size in self.shape)


@dataclass
class Unit:
    """A node of the main graph with all that is inside it.

    Attributes:
        number: Its number among all nodes of the model; of a node that came out of a function, that of the function's node.
        node: The node, named by its number.
        inside: Numbers of the nodes in its branches and bodies.
        reads: Names that it or something inside it reads.
        is_constant: Whether its outputs follow from constants and shapes alone.
    """

    number: int
    node: NodeProto
    inside: tuple[int, ...] = ()
    reads: tuple[str, ...] = ()
    is_constant: bool = False
    outputs: tuple[str, ...] = ()


class WorkingCopy:
    """What a survey takes apart.

    Attributes:
        model: The copy, without the values of large weights; functions inlined where onnx can.
        units: The nodes of its main graph, each behind what it needs.
        names: The names of all nodes of the model, by number.
        in_circle: Nodes that feed themselves, which nobody can order: the number of each, and what it makes.
        has_functions: Whether the model has local functions: the copy's names are then not those of the model everywhere.
    """

    def __init__(self, file: ModelFile) -> None:
        import onnx

        self._file = file
        copied = onnx.ModelProto()
        copied.CopyFrom(file.proto)
        self.names: list[str] = []
        self.in_circle: dict[int, tuple[str, ...]] = {}
        nodes = [node for scope in list(scopes(copied)) for node in scope.nodes]
        for number, node in enumerate(nodes):
            self.names.append(node.name)
            node.name = token(number)
        # Nothing of a small model was left out of its message.
        self._is_whole = file.proto.ByteSize() == len(file.content)
        self.has_functions = bool(copied.functions)
        self.model = _inlined(copied)
        graph = self.model.graph
        self.initializers: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.sparse = {tensor.values.name: tensor for tensor in graph.sparse_initializer}
        self.inputs: dict[str, ValueInfoProto] = {
            value.name: value for value in graph.input if value.name not in self.initializers
        }
        self.units: list[Unit] = []
        self.makers: dict[str, int] = {}
        self._make_units()

    def _make_units(self) -> None:
        scope = Scope("", self.model.graph, 0)
        # What is known of the file need not be found out again of its copy.
        alike = scope if self.has_functions else self._file.scopes[0]
        order = alike.order
        is_sorted, holders = order.is_sorted(), set(alike.holders)
        circles = set() if is_sorted else order.nodes_in_circles()
        constant = set(self.initializers) | set(self.sparse)
        # In a file that is sorted, constants stand near what reads them, which keeps pieces small.
        for index in range(len(scope.nodes)) if is_sorted else order.sorted_indices():
            node = scope.nodes[index]
            if index in circles:
                self.in_circle[number_in(node.name)] = tuple(filter(None, node.output))
                continue
            holds = index in holders
            reads = tuple(sorted(names_read(node))) if holds else tuple(dict.fromkeys(filter(None, node.input)))
            is_constant = node.op_type not in RANDOM_OPERATORS and (
                node.op_type in SHAPE_READERS or all(name in constant for name in reads)
            )
            outputs = tuple(filter(None, node.output))
            inside = tuple(number_in(inner.name) for inner in nodes_inside(node)) if holds else ()
            if is_constant:
                constant.update(outputs)
            self.makers.update(dict.fromkeys(outputs, len(self.units)))
            self.units.append(Unit(number_in(node.name), node, inside, reads, is_constant, outputs))

    @cached_property
    def _inferred(self) -> ModelProto | None:
        """The model with the types that ONNX infers, None where it cannot."""
        import onnx

        if not self.has_functions and self._file.inferred is not None:
            return self._file.inferred
        light = LightCopy(self.model, self._file.path.parent).model
        try:
            return onnx.shape_inference.infer_shapes(light, data_prop=True)
        except (
            onnx.shape_inference.InferenceError,
            onnx.checker.ValidationError,
            ValueError,
            RuntimeError,
            TypeError,
        ):
            return light

    def infer(self) -> None:
        """Have ONNX infer types and shapes now, which on damaged models can crash; otherwise it is done when they are needed."""
        _ = self._inferred

    def do_without_inference(self) -> None:
        """Take only the types that the model itself describes."""
        self.__dict__["_inferred"] = self.model

    @cached_property
    def types(self) -> dict[str, TensorType]:
        """What ONNX infers of the tensors of the main graph; those of unknown type or rank are missing."""
        return {} if self._inferred is None else _types_in(self._inferred.graph)

    @cached_property
    def types_inside(self) -> dict[str, TensorType]:
        """The same of the tensors in branches and bodies, by the node's token and the output's position (`token:0`)."""
        found: dict[str, TensorType] = {}
        if self._inferred is None:
            return found
        # The light copy keeps the order of nodes, so the graphs correspond one by one.
        for mine, theirs in zip(scopes(self.model), scopes(self._inferred), strict=False):
            if not mine.depth:
                continue
            known = _types_in(theirs.body)
            for node in mine.nodes:
                for position, name in enumerate(node.output):
                    if name in known:
                        found[f"{node.name}:{position}"] = known[name]
        return found

    @cached_property
    def _readers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for position, unit in enumerate(self.units):
            for name in unit.reads:
                found.setdefault(name, []).append(position)
        return found

    def readers_of(self, names: Iterable[str]) -> set[int]:
        """Return the positions of the units that read one of some tensors."""
        return {position for name in names for position in self._readers.get(name, ())}

    def weight_bytes(self, unit: Unit) -> int:
        """Return how many bytes the weights have that a unit reads."""
        return sum(tensor_bytes(self.initializers[name]) for name in unit.reads if name in self.initializers)

    def in_own_words(self, text: str) -> str:
        """Return a message with the model's own names of its nodes; one without a name goes by its number."""
        # Inlining adds `__2` and the like behind a name, to keep names apart.
        names = dict(enumerate(self.names))

        def own(found: re.Match[str]) -> str:
            name = names.get(int(found[1]))
            return found[0] if name is None else name or f"#{found[1]}"  # a model may itself use such names

        return _NAMED.sub(own, _ADDED.sub("", text).replace(_PROBE, "probe"))

    def known_type(self, name: str) -> TensorType | None:
        """Return the type and shape of a tensor of the main graph, or of one in a branch or body, as ONNX knows it."""
        return self.types.get(name) or self._types_by_inner_name.get(name)

    @cached_property
    def _types_by_inner_name(self) -> dict[str, TensorType]:
        found: dict[str, TensorType] = {}
        for scope in scopes(self._inferred) if self._inferred is not None else ():
            if scope.depth:
                found.update(_types_in(scope.body))
        return found

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names of sizes that the model's inputs declare: those of inferred tensors can be made up."""
        return frozenset(
            size.dim_param
            for value in self.inputs.values()
            for size in value.type.tensor_type.shape.dim
            if size.dim_param
        )

    def piece(
        self,
        chosen: Sequence[int],
        stand_ins: dict[str, TensorType],
        *,
        blocked: frozenset[int] = frozenset(),
        cuts: Collection[str] = (),
        marks_outputs: bool = False,
    ) -> ModelProto:
        """Return a model of some units.

        Args:
            chosen: Positions in `units`, in order.
            stand_ins: Types of tensors that become inputs where no chosen unit makes them.
            blocked: Units that do not come along though they are constant: the parser refused them.
            cuts: Tensors that become inputs even where a chosen unit makes them.
            marks_outputs: Whether what no chosen unit reads becomes an output: a builder leaves out what leads to none. A parser
                wants to know the type of each, so for it a node of its own makes the only one.
        """
        import onnx

        wanted, inputs, weights = self._needed(chosen, stand_ins, blocked, cuts)
        piece = onnx.ModelProto(ir_version=self.model.ir_version)
        piece.opset_import.extend(self.model.opset_import)
        piece.functions.extend(self.model.functions)
        graph = piece.graph
        graph.name = self.model.graph.name or "graph"
        for position in sorted(wanted):
            graph.node.append(self.units[position].node)
            for place, name in enumerate(self.units[position].node.output):
                if name in cuts:
                    graph.node[-1].output[place] = f"{name}_{_CUT}"
        for name in inputs:
            graph.input.append(value_info(name, stand_ins[name]) if name in stand_ins else self.inputs[name])
        for name in weights:
            if name in self.initializers:
                graph.initializer.append(self.initializers[name])
            else:
                graph.sparse_initializer.append(self.sparse[name])
        self.restore(graph)
        if marks_outputs:
            graph.output.extend(self._outputs(chosen, stand_ins, cuts))
        if not graph.output:
            add_probe(graph)
        return piece

    def _needed(
        self,
        chosen: Sequence[int],
        stand_ins: dict[str, TensorType],
        blocked: frozenset[int],
        cuts: Collection[str],
    ) -> tuple[set[int], list[str], list[str]]:
        """Return the units of a piece, those that come along included, and the inputs and weights that they read."""
        wanted, along = set(chosen), set[int]()
        waiting = [name for position in chosen for name in self.units[position].reads]
        seen, inputs, weights = set[str](), list[str](), list[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            maker = self.makers.get(name, -1)
            if name in self.initializers or name in self.sparse:
                weights.append(name)
            elif name in cuts:
                inputs.append(name)
            elif maker in wanted or maker in along:
                continue
            elif maker >= 0 and maker not in blocked and self._comes_along(name, maker, stand_ins, len(along)):
                along.add(maker)
                waiting.extend(self.units[maker].reads)
            elif name in stand_ins or name in self.inputs:
                inputs.append(name)
        return wanted | along, inputs, weights

    def _comes_along(self, name: str, maker: int, stand_ins: dict[str, TensorType], count: int) -> bool:
        """Whether what makes a tensor has to be in the piece too: its values may be needed at build time.

        Those of constants and shapes are. A tensor of few numbers may be a size, and then TensorRT follows it up to the model's
        inputs, and refuses it for instance if one of them is a float.
        """
        if self.units[maker].is_constant:
            return True
        known = stand_ins.get(name) or self.types.get(name)
        return (
            count < _MOST_SIZE_NODES
            and known is not None
            and len(known.shape) <= 1
            and all(isinstance(size, int) and size <= _MOST_SIZES for size in known.shape)
        )

    def restore(self, graph: GraphProto) -> None:
        """Put back the values of large weights."""
        if self._is_whole:
            return
        content = self._file.content
        for tensor in graph.initializer:
            restore_data(tensor, content)
        for node in graph.node:
            for attribute in node.attribute:
                for tensor in attribute_tensors(attribute):
                    restore_data(tensor, content)
                for inner in attribute_graphs(attribute):
                    self.restore(inner)

    def _outputs(
        self, chosen: Sequence[int], known: dict[str, TensorType], cuts: Collection[str]
    ) -> Iterator[ValueInfoProto]:
        """Yield what the chosen units make and something else wants: nodes outside, the model's caller, or nobody."""
        inside = set(chosen)
        for position in chosen:
            for name in self.units[position].outputs:
                readers = self._readers.get(name, [])
                found = known.get(name) or self.types.get(name)
                if found is None:
                    if name in self._outputs_of_model:  # its rank is unknown, its type is not
                        yield self._outputs_of_model[name]
                    continue
                if name in cuts:
                    yield value_info(f"{name}_{_CUT}", found)
                elif name in self._outputs_of_model or not readers or not inside.issuperset(readers):
                    yield value_info(name, found)

    @cached_property
    def _outputs_of_model(self) -> dict[str, ValueInfoProto]:
        return {value.name: value for value in self.model.graph.output}


def token(number: int) -> str:
    """Return the name that a node has in the copy."""
    return f"trtlab_n{number}_"


def number_in(text: str) -> int:
    """Return the number of the last node that a text names, -1 if it names none."""
    found = _TOKEN.findall(text)
    return int(found[-1]) if found else -1


def numbers_in(text: str) -> list[int]:
    """Return the numbers of all nodes that a text names, in its order."""
    return [int(number) for number in _TOKEN.findall(text)]


def nodes_inside(node: NodeProto) -> Iterator[NodeProto]:
    """Yield the nodes in the branches and bodies of a node, at any depth."""
    waiting = [graph for attribute in node.attribute for graph in attribute_graphs(attribute)]
    while waiting:
        graph = waiting.pop()
        for inner in graph.node:
            yield inner
            waiting.extend(graph for attribute in inner.attribute for graph in attribute_graphs(attribute))


def value_info(name: str, known: TensorType) -> ValueInfoProto:
    """Return the description of a tensor."""
    from onnx.helper import make_tensor_value_info

    return make_tensor_value_info(name, known.element, list(known.shape))


def add_probe(graph: GraphProto) -> None:
    """Give a graph an output, made of an input, that has nothing to do with its other nodes."""
    from onnx import TensorProto, helper

    graph.input.append(helper.make_tensor_value_info(f"{_PROBE}_in", TensorProto.FLOAT, [1]))
    graph.node.append(helper.make_node("Identity", [f"{_PROBE}_in"], [_PROBE], name=_PROBE))
    graph.output.append(helper.make_tensor_value_info(_PROBE, TensorProto.FLOAT, [1]))


def _inlined(model: ModelProto) -> ModelProto:
    """Return a model without local functions, or the model itself where onnx cannot inline them."""
    import onnx.inliner

    if not model.functions:
        return model
    try:
        return onnx.inliner.inline_local_functions(model, convert_version=True)
    except (ValueError, RuntimeError, TypeError, onnx.checker.ValidationError):  # the last: a function calls itself
        return model


def _types_in(graph: GraphProto | FunctionProto) -> dict[str, TensorType]:
    found: dict[str, TensorType] = {}
    for value in (*graph.value_info, *graph.input, *graph.output):
        known = None if isinstance(value, str) else type_of(value)
        if known is not None and not isinstance(value, str):
            found[value.name] = known
    return found


def type_of(value: ValueInfoProto) -> TensorType | None:
    """Return type and shape of a tensor, None where the type or the rank is unknown or it is no tensor."""
    if value.type.WhichOneof("value") != "tensor_type":
        return None
    tensor = value.type.tensor_type
    if not tensor.elem_type or not tensor.HasField("shape"):
        return None
    shape = (
        size.dim_value if size.HasField("dim_value") and size.dim_value >= 0 else size.dim_param or None
        for size in tensor.shape.dim
    )
    return TensorType(tensor.elem_type, tuple(shape))
