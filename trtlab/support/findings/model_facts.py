"""What several rules need to know of a model, found out once. Runs in the worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from trtlab._format import shorten_middle
from trtlab.model.description import Dimension, NodeReference
from trtlab.model.light_copy import LightCopy
from trtlab.model.walk import Scope, node_reference, scopes
from trtlab.support.findings.values import TensorValues

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

    from trtlab.model.reading import ModelFile

_NO_TYPE = 0
_LONGEST_LABEL = 120
_UNNAMED = "trtlab_unnamed_size_"


class Node(NamedTuple):
    """A node with its names as plain Python objects: asking protobuf again in each rule would take longer than the rules."""

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    position: int
    scope: Scope
    message: NodeProto

    @property
    def reference(self) -> NodeReference:
        """The plain reference of the node."""
        return node_reference(self.message, self.position, self.scope.path)

    @property
    def label(self) -> str:
        """The node as a person would call it, long names cut."""
        return shorten_middle(self.reference.label, _LONGEST_LABEL)

    def integer(self, name: str, default: int) -> int:
        """Return the value of an integer attribute."""
        return next((int(item.i) for item in self.message.attribute if item.name == name), default)

    def input(self, position: int) -> str:
        """Return the name of an input, empty if it has none."""
        return self.inputs[position] if position < len(self.inputs) else ""


class ModelFacts:
    """Looks things up in one model file.

    Attributes:
        file: The file.
        values: Reads the values of tensors.
    """

    def __init__(self, file: ModelFile) -> None:
        self.file = file
        self.values = TensorValues(file)
        self._constants: dict[int, dict[str, TensorProto]] = {}

    @cached_property
    def _nodes(self) -> dict[int, tuple[Node, ...]]:
        # Scopes are known by their identity: two of them can have one path, where nodes have one name.
        return {id(scope): tuple(_nodes(scope)) for scope in self.file.scopes}

    def nodes(self, scope: Scope) -> tuple[Node, ...]:
        """Return the nodes of a graph or function, which must be one of the file's `scopes`."""
        return self._nodes[id(scope)]

    @cached_property
    def constants(self) -> tuple[tuple[str, Scope, TensorProto, Node | None], ...]:
        """Each initializer, and each tensor that a node holds with that node; the name is that of what the node makes."""
        return tuple(
            (tensor.name, scope, tensor, None)
            if index < 0
            else ("".join(self.nodes(scope)[index].outputs[:1]), scope, tensor, self.nodes(scope)[index])
            for scope in self.file.scopes
            for tensor, index in scope.tensors
        )

    @property
    def main(self) -> Scope:
        """The main graph."""
        return self.file.scopes[0]

    @cached_property
    def all_nodes(self) -> tuple[Node, ...]:
        """The nodes of all graphs and functions, in the order of the file."""
        return tuple(node for scope in self.file.scopes for node in self.nodes(scope))

    def maker(self, name: str, scope: Scope) -> Node | None:
        """Return the node of a graph that makes a tensor, None if none does."""
        index = scope.makers.get(name)
        return None if index is None else self.nodes(scope)[index]

    @cached_property
    def inputs(self) -> tuple[ValueInfoProto, ...]:
        """What a caller gives; initializers that stand among the inputs are left out."""
        graph = self.file.proto.graph
        initializers = {tensor.name for tensor in graph.initializer}
        return tuple(value for value in graph.input if value.name not in initializers)

    @cached_property
    def functions(self) -> frozenset[tuple[str, str]]:
        """Domain and name of the model's local functions."""
        return frozenset((function.domain, function.name) for function in self.file.proto.functions)

    @cached_property
    def _readers(self) -> dict[tuple[int, str], list[Node]]:
        found: dict[tuple[int, str], list[Node]] = {}
        for node in self.all_nodes:
            for name in node.inputs:
                if name:
                    found.setdefault((id(self.home(name, node.scope)), name), []).append(node)
        return found

    def read_by(self, name: str, scope: Scope) -> list[Node]:
        """Return the nodes, of this graph and of those inside it, that read a tensor which `scope` makes or declares."""
        return self._readers.get((id(scope), name), [])

    def home(self, name: str, scope: Scope) -> Scope:
        """Return the graph that makes or declares a name that is read in `scope`."""
        here = scope
        while here.parent is not None and name not in here.makers and name not in here.declared:
            here = here.parent
        return here

    def constant(self, name: str, scope: Scope) -> TensorProto | None:
        """Return the tensor that an initializer or a Constant node gives to a name read in `scope`; None if there is none."""
        if not name:
            return None
        home = self.home(name, scope)
        key = id(home.body)
        if key not in self._constants:
            self._constants[key] = {tensor.name: tensor for tensor in getattr(home.body, "initializer", ())}
        found = self._constants[key].get(name)
        index = home.makers.get(name)
        if found is not None or index is None or home.nodes[index].op_type != "Constant":
            return found
        return next((item.t for item in home.nodes[index].attribute if item.name == "value"), None)

    @cached_property
    def _types(self) -> dict[int, dict[str, ValueInfoProto]]:
        found: dict[int, dict[str, ValueInfoProto]] = {id(scope): {} for scope in self.file.scopes}
        for scope in self.file.scopes:
            found[id(scope)].update((value.name, value) for value in _values(scope))
        for scope, value in self._inferred():
            found[id(scope)][value.name] = value
        return found

    def types(self, scope: Scope) -> dict[str, ValueInfoProto]:
        """Return the type of each tensor of a graph that the file or ONNX's shape inference knows one of."""
        return self._types[id(scope)]

    def element_type(self, name: str, scope: Scope) -> int:
        """Return ONNX's number of a tensor's data type, 0 where it is not known or is no tensor's."""
        constant = self.constant(name, scope)
        if constant is not None:
            return int(constant.data_type)
        value = self.types(self.home(name, scope)).get(name)
        return int(value.type.tensor_type.elem_type) if value is not None else _NO_TYPE

    def shape(self, name: str, scope: Scope) -> tuple[Dimension, ...] | None:
        """Return a shape: sizes, names, None for what is not known. Unnamed sizes of the model's inputs have names here."""
        constant = self.constant(name, scope)
        if constant is not None:
            return tuple(constant.dims)
        value = self.types(self.home(name, scope)).get(name)
        if value is None or not value.type.tensor_type.HasField("shape"):
            return None
        return tuple(
            (size.dim_value if size.dim_value >= 0 else None) if size.HasField("dim_value") else size.dim_param or None
            for size in value.type.tensor_type.shape.dim
        )

    @cached_property
    def open_sizes(self) -> dict[str, tuple[str, int]]:
        """Which input and axis first has each open size, by its name; unnamed ones have a name made up here."""
        found: dict[str, tuple[str, int]] = {}
        for position, value in enumerate(self.inputs):
            for axis, size in enumerate(value.type.tensor_type.shape.dim):
                if not size.HasField("dim_value") or size.dim_value < 0:
                    found.setdefault(size.dim_param or f"{_UNNAMED}{position}_{axis}", (value.name, axis))
        return found

    def is_unnamed(self, size: Dimension) -> bool:
        """Whether the name of an open size was made up here."""
        return isinstance(size, str) and size.startswith(_UNNAMED) and size in self.open_sizes

    def _inferred(self) -> Iterator[tuple[Scope, ValueInfoProto]]:
        """Yield what ONNX's shape inference finds, with its graph. It is run once, and may fail."""
        import onnx

        failures = (
            onnx.shape_inference.InferenceError,
            onnx.checker.ValidationError,
            ValueError,
            RuntimeError,
            TypeError,
        )
        content = self.file.tool_content
        with contextlib.suppress(*failures):
            if content is not None and not any(map(self.is_unnamed, self.open_sizes)):
                inferred = self.file.inferred or onnx.shape_inference.infer_shapes(content, data_prop=True)
                # Where the file has a main graph alone, nobody needs to look for another one.
                alone = [Scope("", inferred.graph, 0)] if len(self.file.scopes) == 1 else scopes(inferred)
                for scope, known in zip(alone, self.file.scopes, strict=False):
                    yield from ((known, value) for value in _values(scope))
                return
            light = LightCopy(self.file.proto, self.file.path.parent, order=self.main.order)
            self._name_sizes(light.model)
            by_path = {scope.path: scope for scope in reversed(self.file.scopes)}
            for scope in scopes(onnx.shape_inference.infer_shapes(light.model, data_prop=True)):
                if scope.nodes:  # a path is made of nodes' names, which are others in the copy
                    known = by_path[light.node_reference(scope.nodes[0]).scope]
                    yield from ((known, value) for value in _values(scope))

    def _name_sizes(self, model: ModelProto) -> None:
        """Give unnamed sizes of inputs a name in a copy of the model: shape inference carries names on, and nothing else."""
        inputs = {value.name: value for value in model.graph.input}
        for name, (owner, axis) in self.open_sizes.items():
            inputs[owner].type.tensor_type.shape.dim[axis].dim_param = name


def _nodes(scope: Scope) -> Iterator[Node]:
    for index, node in enumerate(scope.nodes):
        domain = node.domain
        yield Node(
            node.op_type,
            "" if domain == "ai.onnx" else domain,
            tuple(node.input),
            tuple(node.output),
            index,
            scope,
            node,
        )


def _values(scope: Scope) -> Iterator[ValueInfoProto]:
    for values in (scope.body.value_info, scope.body.input, scope.body.output):
        for value in values:
            if not isinstance(value, str) and value.type.WhichOneof("value"):  # a function's are names alone
                yield value
