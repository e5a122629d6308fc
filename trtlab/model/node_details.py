"""All that a model says of one node: attributes, inputs and outputs with their types, ranges of constants. Runs in the worker."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab._errors import InputError
from trtlab._format import plural, shorten_middle
from trtlab._results import Result
from trtlab.model.actions import dtype_name
from trtlab.model.constant_values import ConstantFacts, constant_facts
from trtlab.model.inferred_types import InferredTypes
from trtlab.model.operator_schema import opset_of, role_of, schema_of
from trtlab.model.type_text import tensor_text, type_text
from trtlab.model.value_text import attribute_text
from trtlab.model.walk import has_subgraph, names_read, node_reference

if TYPE_CHECKING:
    from onnx import AttributeProto, NodeProto, TensorProto

    from trtlab.model.reading import ModelFile
    from trtlab.model.walk import Scope

_MOST_TENSORS = 200
_MOST_ATTRIBUTES = 200
_MOST_READERS = 500
_LONGEST_NAME = 1000
_LONGEST_VALUE = 500
_LONGEST_DOC = 2000
_NONE = -1
_FROM_AROUND = "read by what is inside"


@dataclass(frozen=True)
class NodeAttribute(Result):
    """One attribute: its name, ONNX's name of its type (`ints`), and its value as text."""

    name: str
    type: str
    text: str


@dataclass(frozen=True)
class NodeInput(Result):
    """One tensor that a node reads.

    Attributes:
        name: Its name.
        type: Its type as text, empty if it is unknown.
        role: What ONNX calls it in this place (`axes`).
        made_by: Number of the node that makes it, -1 for none.
        constant: What its values are, if they lie in the model.
    """

    name: str
    type: str = ""
    role: str = ""
    made_by: int = _NONE
    constant: ConstantFacts | None = None


@dataclass(frozen=True)
class NodeOutput(Result):
    """One tensor that a node makes.

    Attributes:
        name: Its name.
        type: Its type as text, empty if it is unknown.
        role: What ONNX calls it in this place.
        read_by: Numbers of the nodes of the same graph that read it; those that hold a graph that does are among them.
        is_result: Whether it is an output of the graph.
    """

    name: str
    type: str = ""
    role: str = ""
    read_by: tuple[int, ...] = ()
    is_result: bool = False


@dataclass(frozen=True)
class NodeDetails(Result):
    """One node of a model.

    Attributes:
        number: Position in the list of all nodes.
        index: Position in its own graph.
        title: What a person calls it.
        operator: Operator.
        domain: Operator set; empty for the ONNX standard.
        scope: Path of the graph or function that it stands in.
        opset: Version of its operator set, 0 if the model does not import it.
        attributes: Its attributes in the order of the file, at most 200.
        inputs: What it reads, in order, left-out inputs left out, then what graphs inside it take from around; at most 200.
        outputs: What it makes, in order, at most 200.
        more_inputs: Inputs that are not listed.
        more_outputs: Outputs that are not listed.
        doc: The node's own description.
    """

    number: int
    index: int
    title: str
    operator: str
    domain: str
    scope: str
    opset: int
    attributes: tuple[NodeAttribute, ...] = ()
    inputs: tuple[NodeInput, ...] = ()
    outputs: tuple[NodeOutput, ...] = ()
    more_inputs: int = 0
    more_outputs: int = 0
    doc: str = ""


class NodeLookup:
    """Looks up nodes of one model. Types and readers are found once, at the first look."""

    def __init__(self, file: ModelFile) -> None:
        self._file = file
        self._types: InferredTypes | None = None
        self._readers: dict[int, dict[str, list[int]]] = {}
        self._number_of = {id(scope): number for number, scope in enumerate(file.scopes)}
        self._starts: list[int] = []
        start = 0
        for scope in file.scopes:
            self._starts.append(start)
            start += len(scope.nodes)
        self._count = start

    def is_of(self, file: ModelFile) -> bool:
        """Whether this is about a model."""
        return self._file is file

    def details(self, number: int) -> NodeDetails:
        """Return what the model says of a node.

        Raises:
            InputError: There is no node of this number.
        """
        if not 0 <= number < self._count:
            raise InputError(f"The model has no node {number}: it has {plural(self._count, 'node')}.")
        place = bisect_right(self._starts, number) - 1
        scope = self._file.scopes[place]
        index = number - self._starts[place]
        node = scope.nodes[index]
        reference = node_reference(node, index, scope.path)
        names = [(name, position) for position, name in enumerate(node.input) if name]
        around = sorted(names_read(node) - set(node.input)) if has_subgraph(node) else []
        results = [(name, position) for position, name in enumerate(node.output) if name]
        opset = opset_of(node, scope, self._file.proto)
        schema = schema_of(node, opset)
        formal_inputs, formal_outputs = (schema.inputs, schema.outputs) if schema else ((), ())
        inputs = [
            self._input(name, role_of(formal_inputs, position), place) for name, position in names[:_MOST_TENSORS]
        ]
        inputs += [self._input(name, _FROM_AROUND, place) for name in around[: _MOST_TENSORS - len(inputs)]]
        outputs = [
            self._output(name, role_of(formal_outputs, position), place) for name, position in results[:_MOST_TENSORS]
        ]
        return NodeDetails(
            number=number,
            index=index,
            title=_short(reference.name) or f"#{index}",
            operator=_short(reference.op_type),
            domain=_short(reference.domain),
            scope=_short(scope.path),
            opset=opset,
            attributes=tuple(_attribute(item, self._file) for item in node.attribute[:_MOST_ATTRIBUTES]),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            more_inputs=len(names) + len(around) - len(inputs),
            more_outputs=len(results) - len(outputs),
            doc=shorten_middle(node.doc_string, _LONGEST_DOC),
        )

    def _input(self, name: str, role: str, place: int) -> NodeInput:
        """Say what is known of a tensor that is read in a scope; it may come from a graph around."""
        scope = self._file.scopes[place]
        shown = _short(name)
        while True:
            tensor = _initializer(name, scope)
            if tensor is not None:
                return self._constant(shown, role, tensor)
            sparse = next(
                (each for each in getattr(scope.body, "sparse_initializer", ()) if each.values.name == name), None
            )
            if sparse is not None:
                text = f"sparse {tensor_text(dtype_name(sparse.values.data_type), tuple(sparse.dims))}"
                return NodeInput(shown, text, role, constant=constant_facts(sparse.values, self._file))
            index = scope.makers.get(name) if name not in scope.declared else None
            if index is not None:
                made_by = self._starts[self._number_of[id(scope)]] + index
                held = _held_tensor(scope.nodes[index])
                if held is not None:
                    return self._constant(shown, role, held, made_by)
                return NodeInput(shown, self._type(name, scope), role, made_by)
            if name in scope.declared or scope.parent is None:
                return NodeInput(shown, self._type(name, scope), role)
            scope = scope.parent

    def _constant(self, name: str, role: str, tensor: TensorProto, made_by: int = _NONE) -> NodeInput:
        facts = constant_facts(tensor, self._file)
        return NodeInput(name, tensor_text(facts.dtype, facts.shape), role, made_by, facts)

    def _output(self, name: str, role: str, place: int) -> NodeOutput:
        scope = self._file.scopes[place]
        if place not in self._readers:
            self._readers[place] = _readers(scope)
        start = self._starts[place]
        readers = tuple(start + index for index in self._readers[place].get(name, ())[:_MOST_READERS])
        results = (value if isinstance(value, str) else value.name for value in scope.body.output)
        return NodeOutput(_short(name), self._type(name, scope), role, readers, name in results)

    def _type(self, name: str, scope: Scope) -> str:
        if self._types is None:
            self._types = InferredTypes(self._file)
        value = self._types.of(self._number_of[id(scope)], name)
        return type_text(value) if value is not None else ""


def _initializer(name: str, scope: Scope) -> TensorProto | None:
    # Names of inputs and initializers are few to look through only where there is one of this name.
    if name not in scope.declared:
        return None
    return next((tensor for tensor in getattr(scope.body, "initializer", ()) if tensor.name == name), None)


def _held_tensor(node: NodeProto) -> TensorProto | None:
    """Return the tensor of a Constant."""
    if node.op_type != "Constant":
        return None
    return next((item.t for item in node.attribute if item.name == "value" and item.HasField("t")), None)


def _readers(scope: Scope) -> dict[str, list[int]]:
    holders = set(scope.holders)
    found: dict[str, list[int]] = {}
    for index, node in enumerate(scope.nodes):
        for name in dict.fromkeys(sorted(names_read(node)) if index in holders else node.input):
            found.setdefault(name, []).append(index)
    return found


def _attribute(attribute: AttributeProto, file: ModelFile) -> NodeAttribute:
    try:
        kind = attribute.AttributeType.Name(attribute.type).lower()
    except ValueError:
        kind = f"unknown type {attribute.type}"
    return NodeAttribute(_short(attribute.name), kind, shorten_middle(_text(attribute, file), _LONGEST_VALUE))


def _text(attribute: AttributeProto, file: ModelFile) -> str:
    if attribute.ref_attr_name:
        return f"attribute {attribute.ref_attr_name} of the function"
    if attribute.type in (attribute.GRAPHS, attribute.TENSORS):
        parts: Sequence[object] = attribute.graphs or attribute.tensors
        return plural(len(parts), "graph" if attribute.type == attribute.GRAPHS else "tensor")
    if attribute.type == attribute.TENSOR:
        facts = constant_facts(attribute.t, file)
        return f"{tensor_text(facts.dtype, facts.shape)}: {facts.text}"
    return attribute_text(attribute, longest=_LONGEST_VALUE, with_count=True)


def _short(text: str) -> str:
    return shorten_middle(text, _LONGEST_NAME)
