"""Rules about graphs that the ONNX checker words badly or stops at: cycles, missing tensors, names made twice.

Runs in the worker. Each rule reports all its cases, with the node.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trtlab._format import plural, shorten_middle
from trtlab.model.description import Finding, NodeReference
from trtlab.model.walk import Scope, declared_names, names_read, node_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import FunctionProto, ModelProto

_SHOWN_CYCLE_NODES = 6
_DECLARED = -1


def graph_findings(scope: Scope, model: ModelProto) -> Iterator[Finding]:
    """Return what is wrong with one graph or function body."""
    yield from _declared_twice(scope)
    if not _is_in_order(scope):
        yield from _duplicates(scope)
        yield from _order(scope)
        yield from _missing(scope)
    yield from _opsets(scope, model)
    if not scope.path:
        yield from _main_graph(model)


def _main_graph(model: ModelProto) -> Iterator[Finding]:
    import onnx

    graph = model.graph
    if not graph.node:
        yield Finding("model.no_nodes", "error", "The graph has no nodes, so there is nothing to build.")
    if not graph.output:
        yield Finding("model.no_outputs", "error", "The graph has no outputs. TensorRT needs at least one.")
    for kind, values in (("input", graph.input), ("output", graph.output)):
        for value in values:
            if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape"):
                text = (
                    f"The {kind} '{shorten_middle(value.name)}' says nothing of its shape, not even how many dimensions it "
                    f"has, which ONNX asks for. {'TensorRT finds it itself.' if kind == 'output' else 'Export it with one.'}"
                )
                yield Finding("model.shape_missing", "warning", text, tensor=value.name)
    newest = onnx.defs.onnx_opset_version()
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version > newest:
            text = (
                f"The model is of opset {entry.version}; the newest that the installed onnx {onnx.__version__} knows is "
                f"{newest}, so this check knows its operators only as they were then."
            )
            yield Finding("model.opset_unknown", "warning", text)


def _is_in_order(scope: Scope) -> bool:
    """Whether each tensor of a main graph is made once, and before it is read: then three rules have nothing to say.

    A graph that nothing is wrong with, which is nearly every one, is gone through once for that. What subgraphs read and make
    depends on the graphs around them; they, and graphs that hold any, are left to the rules.
    """
    if scope.parent is not None or scope.holders:
        return False
    known = set(scope.declared)
    for node in scope.nodes:
        for name in node.input:
            if name and name not in known:
                return False
        for name in node.output:
            if name in known:
                return False
            if name:
                known.add(name)
    return known.issuperset(value if isinstance(value, str) else value.name for value in scope.body.output)


def _duplicates(scope: Scope) -> Iterator[Finding]:
    nodes = scope.body.node
    seen: dict[str, int] = dict.fromkeys(scope.declared, _DECLARED)
    for index, node in enumerate(scope.body.node):
        for name in node.output:
            if not name:
                continue
            first = seen.get(name)
            if first is None:
                maker = _made_around(scope, name) if scope.parent is not None else ""
            elif first == _DECLARED:
                maker = "an input or initializer"
            else:
                maker = f"node {node_reference(nodes[first], first, scope.path).label}"
            if maker:
                reference = node_reference(node, index, scope.path)
                text = (
                    f"Node {reference.label} makes tensor '{shorten_middle(name)}', which {maker} makes too. "
                    "Each tensor needs one source."
                )
                yield Finding("model.duplicate_tensor", "error", text, reference, name)
            else:
                seen[name] = index


def _declared_twice(scope: Scope) -> Iterator[Finding]:
    body = scope.body
    inputs = Counter(value if isinstance(value, str) else value.name for value in body.input)
    others = Counter(declared_names(body)) - inputs  # an initializer may stand among the inputs too: its default value
    for kind, counts in (("input", inputs), ("initializer", others)):
        for name, count in counts.items():
            if name and count > 1:
                where = f" of {scope.path}" if scope.path else ""
                text = f"{count} {kind}s{where} have the name '{shorten_middle(name)}'. Each needs a name of its own."
                yield Finding("model.duplicate_tensor", "error", text, tensor=name)


def _made_around(scope: Scope, name: str) -> str:
    """Say what makes `name` in the graphs around a subgraph before the subgraph runs: a subgraph must not make it again."""
    inner = scope
    while inner.parent is not None:
        outer, index = inner.parent, inner.parent_index
        if name in outer.declared:
            return "an input or initializer of the graph around it"
        maker = outer.makers.get(name, index)
        if maker < index:
            return f"node {node_reference(outer.body.node[maker], maker, outer.path).label}"
        inner = outer
    return ""


def _order(scope: Scope) -> Iterator[Finding]:
    order = scope.order
    if order.is_sorted():
        return
    nodes = scope.body.node
    for circle in order.circles():
        references = [node_reference(nodes[index], index, scope.path) for index in circle]
        shown = " -> ".join(reference.label for reference in [*references, references[0]][: _SHOWN_CYCLE_NODES + 1])
        more = f" ... ({len(references)} in all)" if len(references) > _SHOWN_CYCLE_NODES else ""
        subject = "A node reads what it makes itself" if len(circle) == 1 else "Nodes feed each other in a circle"
        text = f"{subject}: {shown}{more}. No order can run them; one of these inputs must come from elsewhere."
        yield Finding("model.cycle", "error", text, references[0])
    circular = order.nodes_in_circles()
    early = [
        index
        for index, sources in enumerate(order.sources)
        if index not in circular and any(source >= index for source in sources)
    ]
    if early:
        reference = node_reference(nodes[early[0]], early[0], scope.path)
        makers = scope.makers
        name = next(name for name in sorted(names_read(nodes[early[0]])) if makers.get(name, -1) > early[0])
        others = f" and {plural(len(early) - 1, 'other node')}" if len(early) > 1 else ""
        text = (
            f"Node {reference.label}{others} {'stands' if len(early) == 1 else 'stand'} before the nodes that make their inputs "
            f"(here '{shorten_middle(name)}'). "
            "ONNX asks for sorted nodes; TensorRT sorts them itself."
        )
        yield Finding("model.not_sorted", "warning", text, reference, name)


def _missing(scope: Scope) -> Iterator[Finding]:
    """Find what is read and made nowhere. In a subgraph that includes the graphs around it."""
    known, makers = scope.declared, scope.makers
    for index, node in enumerate(scope.body.node):
        for name in dict.fromkeys(node.input):
            if not name or name in known or name in makers or scope.is_visible_around(name):
                continue
            reference = node_reference(node, index, scope.path)
            text = (
                f"Node {reference.label} reads tensor '{shorten_middle(name)}', which is no input, no initializer and no "
                "node's output. Most likely an initializer (a weight) is missing; export the model again."
            )
            yield Finding("model.missing_tensor", "error", text, reference, name)
    for value in scope.body.output:
        name = value if isinstance(value, str) else value.name
        if name not in known and name not in makers and not scope.is_visible_around(name):
            where = f" of {scope.path}" if scope.path else ""
            yield Finding(
                "model.missing_tensor",
                "error",
                f"Nothing makes the output '{shorten_middle(name)}'{where}.",
                tensor=name,
            )


def _opsets(scope: Scope, model: ModelProto) -> Iterator[Finding]:
    """Find the operator sets that nodes need and that nobody imports: the model, or the function around them."""
    function = _function_around(scope, model)
    entries = model.opset_import if function is None else function.opset_import
    imported = {_standard(entry.domain) for entry in entries} | {_standard(local.domain) for local in model.functions}
    missing: dict[str, NodeReference] = {}
    for index, node in enumerate(scope.body.node):
        domain = _standard(node.domain)
        if domain not in imported and domain not in missing:
            missing[domain] = node_reference(node, index, scope.path)
    for domain, reference in missing.items():
        named = f"the operator set '{shorten_middle(domain)}'" if domain else "the standard operator set"
        who = "The model" if function is None else f"Function {function.domain}.{function.name}"
        text = f"{who} does not import {named}, which node {reference.label} needs."
        yield Finding("model.opset_missing", "error", text, reference)


def _function_around(scope: Scope, model: ModelProto) -> FunctionProto | None:
    outermost = scope
    while outermost.parent is not None:
        outermost = outermost.parent
    return next((f for f in model.functions if outermost.path == f"{f.domain}.{f.name}"), None)


def _standard(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain
