"""Sizes that were written into the model while it was exported.

Asked of TensorRT-RTX 1.7.1: a Reshape of an input with an open size to a shape without -1 builds only for the one size that fits
(`reshape would change volume 8 to 4`), an Expand of an open size to a fixed one greater than 1 only for that size or 1
(`ISliceLayer has out of bounds access on axis 0`). A Reshape to `[1, -1]` builds for any size.
Other ways to write a batch into a model (a Slice, a state of an RNN) are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from trtlab._format import format_shape, plural
from trtlab.model.description import Dimension, Finding
from trtlab.support.findings.model_facts import ModelFacts, Node
from trtlab.support.findings.wording import SEEN, listed, nodes_listed, quoted

_MOST_DIMENSIONS = 16


def baked_batch_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return the nodes of the main graph whose constant shapes fix a size that the inputs leave open, or could."""
    fixed: list[tuple[Node, str]] = []
    merged: list[Node] = []
    repeated: list[tuple[Node, str, int]] = []
    batch = _static_batch(facts)
    for node in facts.nodes(facts.main):
        if node.operator not in ("Reshape", "Expand") or node.domain:
            continue
        target, shape = _target(facts, node), facts.shape(node.input(0), node.scope)
        if target is None or not shape:
            continue
        opened: list[Dimension] = [size for size in shape if not isinstance(size, int)]
        if node.operator == "Expand":
            fixed += [(node, reason) for reason in _expanded(facts, shape, target)]
        elif not opened and batch and shape[0] == batch and target and target[0] == batch:
            repeated.append((node, node.input(1), batch))
        elif _fixes_all(facts, node, shape, target, opened):
            fixed.append((node, _allowed(facts, shape, target, opened)))
        elif _merges_batch(facts, shape, target):
            merged.append(node)
    yield from _fixed_finding(facts, fixed)
    yield from _merged_finding(merged)
    yield from _repeated_finding(facts, repeated)


def _target(facts: ModelFacts, node: Node) -> tuple[int, ...] | None:
    constant = facts.constant(node.input(1), node.scope)
    if constant is None or math.prod(constant.dims) > _MOST_DIMENSIONS:
        return None
    values = facts.values.read(constant)
    return None if values is None else tuple(int(value) for value in values)


def _static_batch(facts: ModelFacts) -> int | None:
    """Return the fixed first size that all inputs share, None where there is none."""
    firsts = {
        (size.dim_value if size.HasField("dim_value") else 0)
        for value in facts.inputs
        for size in list(value.type.tensor_type.shape.dim)[:1]
    }
    batch = firsts.pop() if len(firsts) == 1 else 0
    return batch if batch > 0 else None


def _fixes_all(
    facts: ModelFacts, node: Node, shape: tuple[Dimension, ...], target: tuple[int, ...], opened: list[Dimension]
) -> bool:
    """Whether a Reshape leaves no room for an open size that comes from an input."""
    if not opened or any(size not in facts.open_sizes for size in opened) or -1 in target:
        return False
    if node.integer("allowzero", 0):
        return True
    # A zero copies the size of that axis.
    copied = [shape[axis] for axis, size in enumerate(target) if size == 0 and axis < len(shape)]
    return all(isinstance(size, int) for size in copied)


def _allowed(facts: ModelFacts, shape: tuple[Dimension, ...], target: tuple[int, ...], opened: list[Dimension]) -> str:
    sizes = [shape[axis] if size == 0 and axis < len(shape) else size for axis, size in enumerate(target)]
    wanted = math.prod(size for size in sizes if isinstance(size, int))
    static = math.prod(size for size in shape if isinstance(size, int))
    if len(opened) == 1 and static:
        only = f"can only be {wanted // static}" if wanted % static == 0 else "can have no size at all"
        return f"{_name(facts, opened[0])} {only}"
    return f"the product of {' and '.join(_name(facts, size) for size in opened)} is fixed"


def _expanded(facts: ModelFacts, shape: tuple[Dimension, ...], target: tuple[int, ...]) -> list[str]:
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return [
        f"{_name(facts, size)} can only be {wanted} or 1"
        for size, wanted in pairs
        if not isinstance(size, int) and size in facts.open_sizes and wanted > 1
    ][:1]


def _merges_batch(facts: ModelFacts, shape: Sequence[Dimension], target: tuple[int, ...]) -> bool:
    """Whether a Reshape keeps its first axis at 1 and puts the samples of a batch into another one."""
    first = shape[0]
    if isinstance(first, int) or first not in facts.open_sizes or len(target) < 2 or target[0] != 1:  # noqa: PLR2004
        return False
    # [1, n, ...] -> that is an Unsqueeze: the batch has an axis of its own.
    rest = [size for size in shape[1:] if size != 1]
    return (
        -1 in target
        and facts.open_sizes[str(first)][1] == 0
        and [size for size in target[1:] if size not in (1, -1)] != rest
    )


def _name(facts: ModelFacts, size: Dimension) -> str:
    name, axis = facts.open_sizes.get(str(size), ("", 0))
    return f"axis {axis} of the input {quoted(name)}"


def _fixed_finding(facts: ModelFacts, fixed: list[tuple[Node, str]]) -> Iterator[Finding]:
    if not fixed:
        return
    node, reason = fixed[0]
    shape, target = facts.shape(node.input(0), node.scope), _target(facts, node)
    shown = [None if facts.is_unnamed(size) else size for size in shape or ()]
    verb = "fixes" if len(fixed) == 1 else "fix"
    text = (
        f"{plural(len(fixed), 'node')} with a constant shape {verb} a size that the inputs leave open: "
        f"{nodes_listed(item[0] for item in fixed)}. With {format_shape(shown)} to {list(target or ())} {reason}, "
        f"and {SEEN} does not build for a profile with other sizes. Export with that axis dynamic, or put -1 in its place in the constant."
    )
    yield Finding("support.baked_batch", "warning", text, node.reference, node.input(1))


def _merged_finding(merged: list[Node]) -> Iterator[Finding]:
    if merged:
        text = (
            f"{plural(len(merged), 'Reshape')} to a batch of 1 with the rest in another axis (-1): "
            f"{nodes_listed(merged)}. It builds for any batch, but the samples of a batch end up in one. "
            "If that is not meant, put 0 or -1 first."
        )
        yield Finding("support.merged_batch", "info", text, merged[0].reference, merged[0].input(1))


def _repeated_finding(facts: ModelFacts, repeated: list[tuple[Node, str, int]]) -> Iterator[Finding]:
    if repeated:
        node, name, batch = repeated[0]
        text = (
            f"The batch is fixed at {batch}, in {listed([value.name for value in facts.inputs])} and in the constant shapes of "
            f"{plural(len(repeated), 'Reshape')}: {nodes_listed(item[0] for item in repeated)}. For other batches, export with a "
            "dynamic batch; making the inputs dynamic alone is not enough."
        )
        yield Finding("support.fixed_batch", "info", text, node.reference, name)
