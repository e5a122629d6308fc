"""Check a model against the ONNX standard and report everything that is wrong, not only the first thing.

Runs in the worker, on a copy without weights, so that a check costs milliseconds whatever the model weighs.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtlab._format import shorten_middle
from trtlab.model.channel_rules import channel_findings, channel_problems
from trtlab.model.description import Finding
from trtlab.model.graph_rules import graph_findings
from trtlab.model.light_copy import LightCopy
from trtlab.model.tensor_rules import tensor_findings
from trtlab.model.walk import Scope, attribute_graphs, has_subgraph, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import ModelProto, NodeProto

    from trtlab.model.reading import ModelFile

_UNKNOWN_NODE = "==> Context: Bad node spec for node."
# What the checker says of a whole model, and the findings of our own rules that say the same with the node.
_SAME_AS: tuple[tuple[str, frozenset[str]], ...] = (
    ("is not an output of any node", frozenset({"model.missing_tensor"})),
    (
        "topologically sorted",
        frozenset({"model.cycle", "model.missing_tensor", "model.not_sorted", "model.initializer"}),
    ),
    ("single static assignment", frozenset({"model.duplicate_tensor"})),
    ("initializer name is not unique", frozenset({"model.duplicate_tensor"})),
    ("No opset import", frozenset({"model.opset_missing"})),
    ("TensorProto", frozenset({"model.initializer", "model.constant"})),
)
# Shape inference says this of every node behind one that failed: a consequence, not a fault.
_CONSEQUENCE = "expected to have type but instead is null"
_MISSING_OPSET = "No opset import for domain"


def check(model: ModelProto, *, folder: Path | None = None, file: ModelFile | None = None) -> tuple[Finding, ...]:
    """Return all findings about `model`: its graphs, its nodes, its types and shapes. The model is not changed.

    Args:
        model: The model.
        folder: Where its external data lie; small ones are read, because shapes can depend on them.
        file: The file that the model was read from, if that is at hand: what was found out while reading is not done again.
    """
    all_scopes = list(scopes(model)) if file is None else file.scopes
    findings = [finding for scope in all_scopes for finding in (*graph_findings(scope, model), *tensor_findings(scope))]
    if file is not None and _tools_accept(file):
        return tuple(dict.fromkeys(findings))
    light = LightCopy(model, folder, order=all_scopes[0].order)
    known = {finding.id for finding in findings}
    shapes = list(_shape_findings(light, known))
    findings += _checker_findings(light, known)
    accused = {finding.node for finding in findings if finding.id == "model.invalid_node"}
    findings += [finding for finding in shapes if finding.node not in accused]
    faults = [finding for finding in findings if _CONSEQUENCE not in finding.original]
    return tuple(dict.fromkeys(faults or findings))


def _tools_accept(file: ModelFile) -> bool:
    """Whether onnx's tools accept the file as it is. Only what they refuse needs a copy that leads back to the nodes.

    Not asked about models whose weights are large or lie outside: the tools would copy or miss them.
    """
    import onnx

    content = file.tool_content
    if content is None:
        return False
    try:
        onnx.checker.check_model(content)
    except (*_refusals(), ValueError, RuntimeError, TypeError):
        return False
    inferred = file.inferred
    if inferred is None:
        return False
    # Where the file has a main graph alone, nobody needs to look for another one.
    inferred_scopes = [Scope("", inferred.graph, 0)] if len(file.scopes) == 1 else list(scopes(inferred))
    return not any(channel_problems(inferred_scopes))


def _refusals() -> tuple[type[Exception], type[Exception]]:
    import onnx

    return onnx.checker.ValidationError, onnx.shape_inference.InferenceError


def _checker_findings(light: LightCopy, known: set[str]) -> Iterator[Finding]:
    import onnx

    model = light.for_checker()
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as error:
        message = str(error)
    else:
        return
    per_node = [finding for finding in _node_findings(light) if not _is_known(finding.original, known)]
    yield from per_node
    first = light.in_own_words(re.split(r"\n\n|==> Context:", message, maxsplit=1)[0].strip())
    if _is_known(message, known) or any(first in finding.original for finding in per_node):
        return
    text = f"The ONNX checker refuses the model: {shorten_middle(first, 400)}"
    reference = light.reference(message)
    yield Finding("model.invalid", "error", text, reference, original=light.in_own_words(message))


def _is_known(message: str, known: set[str]) -> bool:
    return any(words in message and ids & known for words, ids in _SAME_AS)


def _node_findings(light: LightCopy) -> Iterator[Finding]:
    """Check node by node, to find every faulty one: the checker of the whole model stops at the first."""
    import onnx

    lexical = onnx.checker.C.LexicalScopeContext()
    local = {(function.domain, function.name) for function in light.model.functions}
    context = _checker_context(light.model, Scope("", light.model.graph, 0))
    for scope in scopes(light.model):
        if scope.depth == 0:  # the main graph or a function, and then their subgraphs
            context = _checker_context(light.model, scope)
        for node in scope.body.node:
            # This checker knows no local functions; their bodies are visited on their own.
            if (node.domain, node.op_type) not in local:
                yield from _node_finding(node, light, context, lexical)


def _checker_context(model: ModelProto, scope: Scope) -> Any:  # noqa: ANN401 - of onnx's native checker
    import onnx

    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version or 3
    imports = scope.body.opset_import if isinstance(scope.body, onnx.FunctionProto) else model.opset_import
    context.opset_imports = {entry.domain: entry.version for entry in imports}
    return context


def _node_finding(node: NodeProto, light: LightCopy, context: Any, lexical: Any) -> Iterator[Finding]:  # noqa: ANN401
    import onnx

    try:
        onnx.checker.check_node(_without_graphs(node), context, lexical)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as error:
        reference = light.node_reference(node)
        original = light.in_own_words(str(error))
        text = shorten_middle(original.split(_UNKNOWN_NODE)[0].strip(), 400)
        yield Finding("model.invalid_node", "error", f"Node {reference.label}: {text}", reference, original=original)


def _without_graphs(node: NodeProto) -> NodeProto:
    """Return a node whose subgraphs are empty: they refer to names from outside, and are visited on their own."""
    if not has_subgraph(node):
        return node
    bare = type(node).FromString(node.SerializeToString())
    for attribute in bare.attribute:
        for graph in attribute_graphs(attribute):
            graph.Clear()
            graph.name = "graph"
    return bare


def _shape_findings(light: LightCopy, known: set[str]) -> Iterator[Finding]:
    """Run ONNX shape inference strictly and give each of its complaints to the node it names."""
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(light.model, check_type=True, strict_mode=True, data_prop=True)
    except (*_refusals(), ValueError, RuntimeError, TypeError) as error:
        message = str(error)
    else:
        yield from channel_findings(light, inferred)
        return
    # Where strict inference stops, the tolerant one goes on.
    with contextlib.suppress(*_refusals(), ValueError, RuntimeError, TypeError):
        yield from channel_findings(light, onnx.shape_inference.infer_shapes(light.model, data_prop=True))
    for part in _split_inference_errors(message):
        node = light.reference(part)
        original = light.in_own_words(part)
        text = original.rpartition("(op_type:")[2] if node else original
        text = re.sub(r"^[^()]*\)\s*:?\s*", "", text) if node and text != original else text
        text = re.sub(r"\[(?:ShapeInferenceError|TypeInferenceError)\]\s*", "", text).strip()
        where = f"Node {node.label}: " if node else ""
        if _MISSING_OPSET in text or (node is None and "model.duplicate_tensor" in known):
            continue  # the rules about graphs report both, the first once for each operator set
        yield Finding("model.shape", "error", f"{where}{shorten_middle(text, 400)}", node, original=original)


def _split_inference_errors(message: str) -> list[str]:
    body = message.split("Inference error(s):", 1)[-1]
    parts = [part.strip() for part in re.split(r"\n(?=\(op_type:)", body.strip()) if part.strip()]
    return parts or [message]
