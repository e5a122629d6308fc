"""Check a model against the ONNX standard and report everything that is wrong, not only the first thing.

Runs in the worker. Weights are left out (each large initializer becomes a graph input of the same type and shape), so
that a check costs milliseconds whatever the model weighs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trtlab._format import shorten_middle
from trtlab.model.description import Finding, NodeReference, Severity
from trtlab.model.graph_rules import graph_findings
from trtlab.model.walk import Scope, node_reference, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import GraphProto, ModelProto

# Smaller tensors stay: shape inference reads the target of a Reshape, the axes of a Squeeze and the like.
_KEPT_TENSOR_BYTES = 4096
# Where the ONNX shape inference and checker say which node they mean.
_NODE_MESSAGE = re.compile(
    r"\(op_type:\s*(?P<op>[^,)]*)(?:,\s*node name:\s*(?P<name>[^)]*))?\)\s*:?\s*(?P<rest>.*)", re.DOTALL
)
_UNKNOWN_NODE = "==> Context: Bad node spec for node."


def check(model: ModelProto) -> tuple[Finding, ...]:
    """Return all findings about `model`: its graphs, its nodes, its types and shapes. The model is not changed."""
    light = without_weights(model)
    findings = [finding for scope in scopes(model) for finding in graph_findings(scope, model)]
    checker_findings = list(_checker_findings(light))
    # The checker stops at the first fault and says it of the graph; what the rules above found already is said better.
    if not findings:
        findings += checker_findings
    else:
        findings += [finding for finding in checker_findings if finding.node is not None]
    findings += _shape_findings(light)
    return tuple(dict.fromkeys(findings))


def without_weights(model: ModelProto) -> ModelProto:
    """Return a copy of `model` whose large initializers are graph inputs instead: same types, same shapes, no data."""
    import onnx

    light = onnx.ModelProto()
    light.ir_version = model.ir_version
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph = light.graph
    graph.name = model.graph.name or "graph"
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    graph.value_info.extend(model.graph.value_info)
    declared = {value.name for value in model.graph.input}
    for tensor in model.graph.initializer:
        if tensor.data_location != tensor.EXTERNAL and tensor.ByteSize() <= _KEPT_TENSOR_BYTES:
            graph.initializer.append(tensor)
        elif tensor.name not in declared:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    graph.sparse_initializer.extend(model.graph.sparse_initializer)
    return light


def _checker_findings(model: ModelProto) -> Iterator[Finding]:
    import onnx

    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        message = str(error)
    except (ValueError, RuntimeError, TypeError) as error:  # other exceptions of the native checker
        message = str(error)
    else:
        return
    per_node = list(_node_findings(model))
    if per_node:
        yield from per_node
        return
    first = message.split("\n\n")[0].split("==> Context:")[0].strip()
    yield Finding(
        "model.invalid", "error", f"The ONNX checker refuses the model: {shorten_middle(first, 400)}", original=message
    )


def _node_findings(model: ModelProto) -> Iterator[Finding]:
    """Check node by node, to find every faulty one: the checker of the whole model stops at the first."""
    import onnx

    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version or 3
    context.opset_imports = {entry.domain: entry.version for entry in model.opset_import}
    lexical = onnx.checker.C.LexicalScopeContext()
    for scope in scopes(model):
        for index, node in enumerate(scope.body.node):
            if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
                continue  # its subgraph refers to names from outside; the graphs inside are visited on their own
            try:
                onnx.checker.check_node(node, context, lexical)
            except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as error:
                text = str(error).split(_UNKNOWN_NODE)[0].strip()
                reference = node_reference(node, index, scope.path)
                yield Finding(
                    "model.invalid_node",
                    "error",
                    f"Node {reference.label}: {shorten_middle(text, 400)}",
                    reference,
                    original=str(error),
                )


def _shape_findings(model: ModelProto) -> Iterator[Finding]:
    """Run ONNX shape inference strictly and give each of its complaints to the node it names."""
    import onnx

    try:
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError, TypeError) as error:
        message = str(error)
    else:
        return
    known = {(scope_node.op_type, scope_node.name): scope_node for scope_node in _all_references(model)}
    for part in _split_inference_errors(message):
        match = _NODE_MESSAGE.search(part)
        node = known.get((match["op"], match["name"] or "")) if match else None
        text = match["rest"].strip() if match else part
        text = re.sub(r"\[(?:ShapeInferenceError|TypeInferenceError)\]\s*", "", text).strip()
        where = f"Node {node.label}: " if node else ""
        severity: Severity = "warning" if "No Op registered" in part or "No schema registered" in part else "error"
        yield Finding("model.shape", severity, f"{where}{shorten_middle(text, 400)}", node, original=part)


def _split_inference_errors(message: str) -> list[str]:
    body = message.split("Inference error(s):", 1)[-1]
    parts = [part.strip() for part in re.split(r"\n(?=\(op_type:)", body.strip()) if part.strip()]
    return parts or [message]


def _all_references(model: ModelProto) -> Iterator[NodeReference]:
    for scope in scopes(model):
        for index, node in enumerate(scope.body.node):
            yield node_reference(node, index, scope.path)


def is_main_graph(scope: Scope) -> bool:
    """Whether this is the model's own graph, not a subgraph or a function."""
    return scope.depth == 0 and not scope.path


def graph_of(scope: Scope) -> GraphProto | None:
    """Return the graph of a scope, None for a function body."""
    import onnx

    return scope.body if isinstance(scope.body, onnx.GraphProto) else None
