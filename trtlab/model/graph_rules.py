"""Rules about graphs that the ONNX checker words badly or stops at: cycles, missing tensors, names made twice.

Runs in the worker. Each rule reports all its cases, with the node.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from trtlab._format import plural, shorten_middle
from trtlab.model.description import Finding
from trtlab.model.walk import Scope, node_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import ModelProto, NodeProto, TensorProto

_SHOWN_CYCLE_NODES = 6


def graph_findings(scope: Scope, model: ModelProto) -> Iterator[Finding]:
    """Return what is wrong with one graph or function body."""
    yield from _duplicates(scope)
    yield from _missing_and_unsorted(scope)
    if not scope.path:
        yield from _initializer_sizes(model)
        yield from _opsets(model)
        if not model.graph.node:
            yield Finding("model.no_nodes", "error", "The graph has no nodes, so there is nothing to build.")
        if not model.graph.output:
            yield Finding("model.no_outputs", "error", "The graph has no outputs. TensorRT needs at least one.")


def _declared_names(scope: Scope) -> set[str]:
    body = scope.body
    inputs = {value if isinstance(value, str) else value.name for value in body.input}
    inputs.update(tensor.name for tensor in getattr(body, "initializer", ()))
    inputs.update(tensor.values.name for tensor in getattr(body, "sparse_initializer", ()))
    return inputs


def _duplicates(scope: Scope) -> Iterator[Finding]:
    seen: dict[str, str] = dict.fromkeys(_declared_names(scope), "an input or initializer")
    for index, node in enumerate(scope.body.node):
        reference = node_reference(node, index, scope.path)
        for name in node.output:
            if name and name in seen:
                text = (
                    f"Node {reference.label} makes tensor '{shorten_middle(name)}', which {seen[name]} makes too. "
                    "Each tensor needs one source."
                )
                yield Finding("model.duplicate_tensor", "error", text, reference, name)
            elif name:
                seen[name] = f"node {reference.label}"


def _missing_and_unsorted(scope: Scope) -> Iterator[Finding]:
    """Tell three cases apart that the checker calls 'not topologically sorted': cycle, wrong order, nothing makes it."""
    is_subgraph = scope.depth > 0
    declared = _declared_names(scope)
    maker = {name: index for index, node in enumerate(scope.body.node) for name in node.output if name}
    cyclic = _nodes_on_cycles(scope, maker)
    if cyclic:
        labels = [node_reference(scope.body.node[index], index, scope.path) for index in cyclic]
        shown = " -> ".join(reference.label for reference in labels[:_SHOWN_CYCLE_NODES])
        more = f" and {len(labels) - _SHOWN_CYCLE_NODES} more" if len(labels) > _SHOWN_CYCLE_NODES else ""
        yield Finding(
            "model.cycle",
            "error",
            f"{plural(len(labels), 'node')} feed each other in a circle: {shown}{more}. An ONNX graph must have a first node.",
            labels[0],
        )
    available = set(declared)
    for index, node in enumerate(scope.body.node):
        reference = node_reference(node, index, scope.path)
        for name in filter(None, node.input):
            if name in available:
                continue
            if name not in maker:
                if not is_subgraph:  # a subgraph may read names of the graphs around it; the checker looks at those
                    yield _missing(reference.label, name, Finding("", "error", "", reference, name))
            elif index not in cyclic:
                text = (
                    f"Node {reference.label} reads '{shorten_middle(name)}' before the node that makes it. "
                    "Sort the graph (TensorRT does so itself)."
                )
                yield Finding("model.not_sorted", "warning", text, reference, name)
        available.update(node.output)
    if not is_subgraph:
        yield from _missing_outputs(scope, available)


def _missing(label: str, name: str, template: Finding) -> Finding:
    text = (
        f"Node {label} reads tensor '{shorten_middle(name)}', which is no input, no initializer and no node's output. "
        "Most likely an initializer (a weight) is missing; export the model again."
    )
    return Finding("model.missing_tensor", "error", text, template.node, name)


def _missing_outputs(scope: Scope, available: set[str]) -> Iterator[Finding]:
    for value in scope.body.output:
        name = value if isinstance(value, str) else value.name
        if name not in available:
            yield Finding(
                "model.missing_tensor", "error", f"Nothing makes the output '{shorten_middle(name)}'.", tensor=name
            )


def _nodes_on_cycles(scope: Scope, maker: dict[str, int]) -> list[int]:
    """Return the indices of the nodes that lie on a cycle (Kahn's algorithm, forwards and then backwards)."""
    nodes = scope.body.node
    before: list[set[int]] = [{maker[name] for name in node.input if name in maker} for node in nodes]
    after: list[set[int]] = [set() for _ in nodes]
    for index, sources in enumerate(before):
        for source in sources:
            after[source].add(index)
    left = _strip(before, after, set(range(len(nodes))))
    return sorted(_strip(after, before, left)) if left else []


def _strip(before: list[set[int]], after: list[set[int]], among: set[int]) -> set[int]:
    """Remove again and again every node of `among` that has nothing of `among` before it; return what is left."""
    waiting = {index: len(before[index] & among) if len(among) < len(before) else len(before[index]) for index in among}
    ready = deque(index for index, count in waiting.items() if count == 0)
    left = set(among)
    while ready:
        index = ready.popleft()
        left.discard(index)
        for follower in after[index]:
            if follower in waiting:
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    ready.append(follower)
    return left


def _initializer_sizes(model: ModelProto) -> Iterator[Finding]:
    for tensor in model.graph.initializer:
        problem = initializer_problem(tensor)
        if problem:
            yield Finding(
                "model.initializer",
                "error",
                f"Initializer '{shorten_middle(tensor.name)}': {problem}",
                tensor=tensor.name,
            )


def initializer_problem(tensor: TensorProto) -> str | None:
    """Return what is wrong with the size of a tensor's data, or None."""
    if any(size < 0 for size in tensor.dims):
        return f"a negative size in its shape {list(tensor.dims)}."
    bits = tensor_bits(tensor.data_type)
    if bits is None or tensor.data_location == tensor.EXTERNAL or not tensor.raw_data:
        return None
    expected = (math.prod(tensor.dims) * bits + 7) // 8
    if len(tensor.raw_data) == expected:
        return None
    return f"its shape {list(tensor.dims)} needs {expected} bytes, the file has {len(tensor.raw_data)}."


def tensor_bits(data_type: int) -> int | None:
    """Return the bits of one element of an ONNX data type, None for strings and unknown types."""
    import onnx

    # The narrow types are packed: two or four elements share a byte (onnx.proto, TensorProto.raw_data).
    narrow = {"INT4": 4, "UINT4": 4, "FLOAT4E2M1": 4, "INT2": 2, "UINT2": 2}
    try:
        name = onnx.TensorProto.DataType.Name(data_type)
    except ValueError:
        return None
    if name in ("STRING", "UNDEFINED"):
        return None
    return narrow.get(name) or int(onnx.helper.tensor_dtype_to_np_dtype(data_type).itemsize) * 8


def _opsets(model: ModelProto) -> Iterator[Finding]:
    imported = {"" if entry.domain == "ai.onnx" else entry.domain for entry in model.opset_import}
    local = {function.domain for function in model.functions}
    missing: dict[str, tuple[int, NodeProto]] = {}
    for index, node in enumerate(model.graph.node):
        domain = "" if node.domain == "ai.onnx" else node.domain
        if domain not in imported | local:
            missing.setdefault(domain, (index, node))
    for domain, (index, node) in missing.items():
        reference = node_reference(node, index, "")
        named = f"the operator set '{domain}'" if domain else "the standard operator set"
        yield Finding(
            "model.opset_missing",
            "error",
            f"The model does not import {named}, which node {reference.label} needs.",
            reference,
        )
