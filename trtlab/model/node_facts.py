"""Collect what a model says about the nodes and tensors that the TensorRT parser refused. Runs in the worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtlab._format import shorten_middle
from trtlab.model.actions import describe_value, dtype_name
from trtlab.model.description import NodeReference
from trtlab.model.light_copy import LightCopy
from trtlab.model.node_description import AttributeFacts, NodeFacts, RefusalFacts, RefusedNode, TensorFacts
from trtlab.model.node_search import FoundNode, NodeSearch
from trtlab.model.operator_schema import opset_of, role_of, schema_of
from trtlab.model.tensor_origin import Origin, TensorOrigins
from trtlab.model.value_text import attribute_text, tensor_values
from trtlab.model.walk import Scope, node_reference

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto, ValueInfoProto

    from trtlab.model.reading import ModelFile

MOST_NODES = 50
_MOST_TENSORS = 20
_MOST_READERS = 3
_LONGEST_VALUE = 200
_LONGEST_NAME = 200
_ONNX_ERRORS = (ValueError, RuntimeError, TypeError, AttributeError)


def collect_facts(
    model: ModelProto, refused: Sequence[tuple[RefusedNode | None, str]], *, folder: Path | None = None
) -> tuple[RefusalFacts, ...]:
    """Return what the model says about each refusal, in their order; empty facts beyond the first `MOST_NODES`.

    Args:
        model: The model.
        refused: For each refusal the place of the node, if it is about one, and the name of the tensor, or an empty text.
        folder: Where its external data lie.
    """
    search = NodeSearch(model)
    numbers = [number for number, (node, _) in enumerate(refused) if node is not None]
    found = dict(zip(numbers, search.find([node for node, _ in refused if node is not None]), strict=True))
    collector = _Collector(model, folder, search, infer=any(found.values()))
    few = refused[:MOST_NODES]
    facts = [collector.facts(node, found.get(number), tensor) for number, (node, tensor) in enumerate(few)]
    return (*facts, *(RefusalFacts() for _ in refused[MOST_NODES:]))


def collect_facts_at(file: ModelFile, places: Sequence[tuple[int, str]]) -> tuple[RefusalFacts, ...]:
    """Return what a model that was read says about nodes and tensors, in their order.

    Args:
        file: The model.
        places: For each the number of the node, -1 for none, and the name of the tensor, or an empty text.
    """
    search = NodeSearch(file.proto)
    found = search.by_number({number for number, _ in places if number >= 0})
    collector = _Collector(file.proto, file.path.parent, search, infer=bool(found), inferred=file.inferred)
    return tuple(collector.facts(None, found.get(number), tensor) for number, tensor in places)


class _Collector:
    """Looks at one model."""

    def __init__(
        self,
        model: ModelProto,
        folder: Path | None,
        search: NodeSearch,
        *,
        infer: bool,
        inferred: ModelProto | None = None,
    ) -> None:
        self._model = model
        self._main = search.scopes[0]
        self._types = dict(_declared_types(search.scopes))
        if infer:
            found = _inferred_types(model, folder) if inferred is None else _types_like(search.scopes, inferred)
            for key, value in found:
                known = self._types.get(key)
                if known is None or not known.type.tensor_type.HasField("shape"):
                    self._types[key] = value
        self._origins = TensorOrigins(self._shape_of)

    def facts(self, refused: RefusedNode | None, place: FoundNode | None, tensor: str) -> RefusalFacts:
        """Return what is said of one refusal."""
        return RefusalFacts(
            node=self.node(place) if place else None,
            tensor=self.main_tensor(tensor) if tensor else None,
            readers=self.readers(tensor) if tensor else (),
            around=self._around(refused) if refused and place is None else "",
        )

    def _around(self, refused: RefusedNode) -> str:
        nodes = self._model.graph.node
        if not 0 <= refused.index < len(nodes) or nodes[refused.index].op_type == refused.operator:
            return ""
        return shorten_middle(node_reference(nodes[refused.index], refused.index, "").label, _LONGEST_NAME)

    def node(self, place: FoundNode) -> NodeFacts:
        """Return all that is said of a node."""
        node = place.node
        opset = opset_of(node, place.scope, self._model)
        schema = schema_of(node, opset)
        inputs = [
            self._tensor(name, place, role=role_of(schema.inputs if schema else (), position))
            for position, name in enumerate(node.input[:_MOST_TENSORS])
            if name
        ]
        outputs = [
            self._output(name, place, role=role_of(schema.outputs if schema else (), position))
            for position, name in enumerate(node.output[:_MOST_TENSORS])
            if name
        ]
        call = place.calls[-1][0] if place.calls else None
        return NodeFacts(
            node=_short_reference(node, place),
            attributes=tuple(AttributeFacts(item.name, _attribute_text(item, call, place)) for item in node.attribute),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            opset=opset,
        )

    def main_tensor(self, name: str) -> TensorFacts:
        """Return what is said of a tensor of the main graph."""
        return self._tensor_at(name, Origin(name, self._main), role="")

    def readers(self, name: str) -> tuple[str, ...]:
        """Return the first nodes of the main graph that read a tensor."""
        nodes = self._model.graph.node
        labels = (node_reference(node, index, "").label for index, node in enumerate(nodes) if name in node.input)
        return tuple(
            shorten_middle(label, _LONGEST_NAME) for _, label in zip(range(_MOST_READERS), labels, strict=False)
        )

    def _tensor(self, name: str, place: FoundNode, *, role: str) -> TensorFacts:
        return self._tensor_at(name, Origin(name, place.scope, place.calls), role=role)

    def _tensor_at(self, name: str, asked: Origin, *, role: str) -> TensorFacts:
        origin = self._origins.trace(asked)
        values = ""
        dtype, shape = self._type_of(origin.name, origin.scope) or self._type_of(name, asked.scope) or ("", None)
        if origin.tensor is not None:
            dtype, shape, values = (
                dtype_name(origin.tensor.data_type),
                tuple(origin.tensor.dims),
                tensor_values(origin.tensor),
            )
        ancestry = self._origins.ancestry(origin)
        return TensorFacts(
            name=shorten_middle(name, _LONGEST_NAME),
            role=role,
            dtype=dtype,
            shape=shape,
            source=origin.source,
            maker=shorten_middle(origin.label, _LONGEST_NAME),
            values=values,
            foldable=ancestry.foldable,
            roots=tuple(shorten_middle(root, _LONGEST_NAME) for root in ancestry.roots),
        )

    def _output(self, name: str, place: FoundNode, *, role: str) -> TensorFacts:
        dtype, shape = self._type_of(name, place.scope) or ("", None)
        return TensorFacts(shorten_middle(name, _LONGEST_NAME), role, dtype, shape, "node")

    def _type_of(self, name: str, scope: Scope) -> tuple[str, tuple[int | str | None, ...] | None] | None:
        found = self._types.get((scope.path, name))
        if found is None:
            return None
        described = describe_value(found)
        return described.dtype, described.shape

    def _shape_of(self, name: str, scope: Scope) -> tuple[int | str | None, ...] | None:
        found = self._type_of(name, scope)
        return found[1] if found else None


def _declared_types(all_scopes: Sequence[Scope]) -> Iterator[tuple[tuple[str, str], ValueInfoProto]]:
    for scope in all_scopes:
        for values in (scope.body.value_info, scope.body.input, scope.body.output):
            for value in values:
                if not isinstance(value, str) and value.type.WhichOneof("value"):  # a function's are names alone
                    yield (scope.path, value.name), value


def _inferred_types(model: ModelProto, folder: Path | None) -> Iterator[tuple[tuple[str, str], ValueInfoProto]]:
    """Yield what ONNX's shape inference finds, by the path of the graph and the name."""
    import onnx

    from trtlab.model.walk import scopes

    with contextlib.suppress(onnx.shape_inference.InferenceError, onnx.checker.ValidationError, *_ONNX_ERRORS):
        light = LightCopy(model, folder)
        inferred = onnx.shape_inference.infer_shapes(light.model, data_prop=True)
        for scope in scopes(inferred):
            # Paths are made of the nodes' names, and those are others in the copy.
            if len(scope.body.node):
                path = light.node_reference(scope.body.node[0]).scope
                for value in (*scope.body.value_info, *scope.body.output):
                    if not isinstance(value, str):
                        yield (path, value.name), value


def _types_like(all_scopes: Sequence[Scope], inferred: ModelProto) -> Iterator[tuple[tuple[str, str], ValueInfoProto]]:
    """Yield the same of a model whose graphs stand in the same order."""
    from trtlab.model.walk import scopes

    for known, scope in zip(all_scopes, scopes(inferred), strict=False):
        for value in (*scope.body.value_info, *scope.body.output):
            if not isinstance(value, str):
                yield (known.path, value.name), value


def _short_reference(node: NodeProto, place: FoundNode) -> NodeReference:
    reference = node_reference(node, place.index, place.scope.path)
    return NodeReference(
        reference.index,
        shorten_middle(reference.name, _LONGEST_NAME),
        shorten_middle(reference.op_type, _LONGEST_NAME),
        shorten_middle(reference.domain, _LONGEST_NAME),
        shorten_middle(reference.scope, _LONGEST_NAME),
    )


def _attribute_text(attribute: AttributeProto, call: NodeProto | None, place: FoundNode) -> str:
    if attribute.ref_attr_name:
        given = [item for item in (call.attribute if call else ()) if item.name == attribute.ref_attr_name]
        body = place.scope.body
        given += [item for item in getattr(body, "attribute_proto", ()) if item.name == attribute.ref_attr_name]
        if not given or given[0].ref_attr_name:
            return shorten_middle(f"attribute {attribute.ref_attr_name} of the function", _LONGEST_VALUE)
        attribute = given[0]
    return attribute_text(attribute)


def requests_from(items: Sequence[Mapping[str, object]]) -> list[tuple[RefusedNode | None, str]]:
    """Return refusals as `collect_facts` takes them from the dictionaries that an action is given."""
    import msgspec

    refused = []
    for item in items:
        node = msgspec.convert(item["node"], RefusedNode) if item.get("node") else None
        refused.append((node, str(item.get("tensor") or "")))
    return refused
