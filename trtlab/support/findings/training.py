"""Operators that were exported as they work during training.

Asked of TensorRT-RTX 1.7.1: BatchNormalization with training_mode 1 or with more than one output, and Dropout whose training_mode is
true, is no initializer or whose is_test is 0 (opset 6 and before) are refused by the parser. A Dropout whose mask is read builds.
"""

from __future__ import annotations

from collections.abc import Iterator

from trtlab.model.description import Finding
from trtlab.support.findings.model_facts import ModelFacts, Node
from trtlab.support.findings.wording import SEEN, nodes_listed

_LAST_OPSET_WITH_IS_TEST = 6
_TRAINING_MODE_INPUT = 2


def training_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return the nodes that still train."""
    opsets = {entry.domain: entry.version for entry in facts.file.proto.opset_import}
    old = opsets.get("", opsets.get("ai.onnx", 0)) <= _LAST_OPSET_WITH_IS_TEST
    normalizations = [
        node for node in facts.all_nodes if _is(node, "BatchNormalization") and _normalizes_as_in_training(node)
    ]
    dropouts = [node for node in facts.all_nodes if _is(node, "Dropout") and _drops(facts, node, old=old)]
    for nodes in (normalizations, dropouts):
        if nodes:
            text = (
                f"{len(nodes)} {nodes[0].operator} in training mode: {nodes_listed(nodes)}. {SEEN} refuses "
                "that, and for inference it would be wrong. Export again after model.eval() (PyTorch), or with training=False."
            )
            yield Finding("support.training_mode", "warning", text, nodes[0].reference)


def _is(node: Node, operator: str) -> bool:
    return node.operator == operator and not node.domain


def _normalizes_as_in_training(node: Node) -> bool:
    return node.integer("training_mode", 0) == 1 or any(node.outputs[1:])


def _drops(facts: ModelFacts, node: Node, *, old: bool) -> bool:
    if old:
        return node.integer("is_test", 0) == 0
    name = node.input(_TRAINING_MODE_INPUT)
    if not name:
        return False
    constant = facts.constant(name, node.scope)
    if constant is None:
        return any(value.name == name for value in facts.inputs)
    values = facts.values.read(constant)
    return values is not None and bool(values.any())
