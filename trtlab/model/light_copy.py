"""A copy of a model without its weights, for the tools of onnx: they copy what they are given several times.

Nodes are sorted and renamed in it, so that a message that names a node leads back to exactly one: many models leave their
nodes unnamed, and the checker stops at an unsorted one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from trtlab.model.description import NodeReference
from trtlab.model.graph_order import GraphOrder
from trtlab.model.skeleton import KEPT_TENSOR_BYTES
from trtlab.model.tensor_rules import data_problem, tensor_bytes, type_name
from trtlab.model.walk import Scope, attribute_tensors, node_reference, scopes

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_TOKEN = re.compile(r"trtlab_node_(\d+)_")


class LightCopy:
    """What onnx's checker and shape inference are given.

    Attributes:
        model: The copy: large and external initializers are graph inputs of the same type and shape, large and external
            constants have no data.
    """

    def __init__(self, model: ModelProto, folder: Path | None = None, *, order: GraphOrder | None = None) -> None:
        import onnx

        self.model = onnx.ModelProto()
        self._references: list[NodeReference] = []
        self._folder = folder
        self._emptied: list[TensorProto] = []
        self._copy_frame(model)
        self._copy_initializers(model)
        copied = list(scopes(self.model))
        for scope in copied:
            self._lighten(scope)
        self._rename([node for scope in copied for node in scope.body.node])
        self._sort(order or GraphOrder(Scope("", model.graph, 0)))

    def _copy_frame(self, model: ModelProto) -> None:
        light = self.model
        light.ir_version = model.ir_version
        light.opset_import.extend(model.opset_import)
        light.functions.extend(model.functions)
        light.graph.name = model.graph.name or "graph"
        for node in model.graph.node:
            self._copy_node(node)
        light.graph.input.extend(model.graph.input)
        light.graph.output.extend(model.graph.output)
        light.graph.value_info.extend(model.graph.value_info)
        light.graph.sparse_initializer.extend(model.graph.sparse_initializer)

    def _copy_node(self, node: NodeProto) -> None:
        """Copy a node of the main graph; of a Constant that holds weights everything but these."""
        copy = self.model.graph.node.add()
        if node.op_type != "Constant" or not any(len(part.t.raw_data) > KEPT_TENSOR_BYTES for part in node.attribute):
            copy.CopyFrom(node)
            return
        copy.op_type, copy.domain, copy.name = node.op_type, node.domain, node.name
        copy.output.extend(node.output)
        for part in node.attribute:
            attribute = copy.attribute.add()
            attribute.name, attribute.type = part.name, part.type
            attribute.t.data_type = part.t.data_type
            attribute.t.dims.extend(part.t.dims)

    def _copy_initializers(self, model: ModelProto) -> None:
        from onnx.helper import make_tensor_value_info

        graph = self.model.graph
        declared = {value.name for value in model.graph.input}
        for tensor in model.graph.initializer:
            if type_name(tensor.data_type) is None:
                continue  # reported by the rules about tensors; onnx's tools would stop here
            if tensor_bytes(tensor) <= KEPT_TENSOR_BYTES and data_problem(tensor) is None:
                graph.initializer.append(tensor)
                if self._is_without_data(graph.initializer[-1]):
                    del graph.initializer[-1]
                else:
                    continue
            if tensor.name not in declared:
                graph.input.append(make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))

    def _is_without_data(self, tensor: TensorProto) -> bool:
        """Whether the data of a small tensor lie outside and cannot be had; if they can, they are read into the copy."""
        if tensor.data_location != tensor.EXTERNAL:
            return False
        if self._folder is None:
            return True
        entries = {entry.key: entry.value for entry in tensor.external_data}
        try:
            with (self._folder / entries["location"]).open("rb") as stream:  # `load` has checked where it leads
                stream.seek(int(entries.get("offset") or 0))
                content = stream.read(tensor_bytes(tensor))
        except (OSError, KeyError, ValueError):
            return True
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        tensor.raw_data = content
        return len(content) != tensor_bytes(tensor)

    def _lighten(self, scope: Scope) -> None:
        if scope.path:
            for tensor in getattr(scope.body, "initializer", ()):
                self._empty_if_heavy(tensor)
        for index, node in enumerate(scope.body.node):
            for attribute in node.attribute:
                for tensor in attribute_tensors(attribute):
                    self._empty_if_heavy(tensor)
            self._references.append(node_reference(node, index, scope.path))
        # Names change only when every path of a subgraph, which is made of them, has been seen.

    def _empty_if_heavy(self, tensor: TensorProto) -> None:
        if (
            tensor_bytes(tensor) <= KEPT_TENSOR_BYTES
            and data_problem(tensor) is None
            and not self._is_without_data(tensor)
        ):
            return
        for field in (
            "raw_data",
            "float_data",
            "int32_data",
            "int64_data",
            "double_data",
            "uint64_data",
            "string_data",
        ):
            tensor.ClearField(field)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        self._emptied.append(tensor)

    def _rename(self, nodes: list[NodeProto]) -> None:
        """Rename every node: in a message, the name then tells which one it was."""
        for number, node in enumerate(nodes):
            node.name = f"trtlab_node_{number}_"

    def _sort(self, order: GraphOrder) -> None:
        """Sort the main graph: the checker stops at the first node that stands too early."""
        if not order.is_sorted():
            graph = self.model.graph
            ordered = [
                type(graph.node[index]).FromString(graph.node[index].SerializeToString())
                for index in order.sorted_indices()
            ]
            del graph.node[:]
            graph.node.extend(ordered)

    def for_checker(self) -> ModelProto:
        """Return the copy as the checker can read it: it takes a tensor without data only if it has no elements.

        Shape inference must have run before: this changes the copy.
        """
        for tensor in self._emptied:
            del tensor.dims[:]
            tensor.dims.append(0)
            if type_name(tensor.data_type) is None:
                tensor.data_type = tensor.FLOAT
        for value in (*self.model.graph.input, *self.model.graph.output):
            if value.type.HasField("tensor_type"):
                value.type.tensor_type.shape.SetInParent()  # a missing one is reported by the rules about graphs
        return self.model

    def reference(self, text: str) -> NodeReference | None:
        """Return the node that a message means: the innermost, where it names several."""
        tokens = _TOKEN.findall(text)
        return self._references[int(tokens[-1])] if tokens and int(tokens[-1]) < len(self._references) else None

    def node_reference(self, node: NodeProto) -> NodeReference:
        """Return what a node of the copy is in the model."""
        found = self.reference(node.name)
        assert found is not None  # noqa: S101 - for the type checker: every node of the copy was named here
        return found

    def in_own_words(self, text: str) -> str:
        """Return a message with the model's own names of its nodes."""
        return _TOKEN.sub(lambda match: self._references[int(match[1])].name, text)
