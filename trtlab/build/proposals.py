"""Propose a shape profile for each dynamic dimension, from its name and position.

A proposal is a starting point that builds, not a promise: the panel shows each one with the reason, to be changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trtlab._results import Result
from trtlab.build.plan import ShapeProfile, ShapeRange
from trtlab.model.description import ModelDescription, TensorDescription

_IMAGE_RANKS = (4, 5)


@dataclass(frozen=True)
class Proposal(Result):
    """Sizes proposed for one dynamic dimension.

    Attributes:
        tensor: Input it belongs to.
        axis: Axis of that input.
        dimension: Its name in the model, empty if it has none.
        min: Smallest size.
        opt: Size to tune for.
        max: Largest size.
        reason: Where the numbers come from.
    """

    tensor: str
    axis: int
    dimension: str
    min: int
    opt: int
    max: int
    reason: str


@dataclass(frozen=True)
class _Rule:
    pattern: str
    sizes: tuple[int, int, int]
    reason: str


# Searched in the dimension's name, in this order. The sizes are usual ones of the models that use such names.
_NAME_RULES = (
    _Rule(r"past|cache|kv", (1, 128, 512), "named like cached tokens"),
    _Rule(r"seq|token|length|\blen\b|_len|time|frames?\b|\bt\b", (1, 128, 512), "named like a sequence length"),
    _Rule(r"batch|\bbs\b|\bb\b|\bn\b|^n$|samples", (1, 4, 8), "named like a batch"),
    _Rule(r"height|\bh\b|_h\b", (128, 224, 512), "named like an image height"),
    _Rule(r"width|\bw\b|_w\b", (128, 224, 512), "named like an image width"),
    _Rule(r"channel|\bc\b", (1, 3, 4), "named like channels"),
    _Rule(r"box|roi|det|anchor|num_|queries|points", (1, 100, 1000), "named like a number of boxes or points"),
)
_AUDIO_SAMPLES = (1, 16000, 160000)


def propose(model: ModelDescription) -> tuple[Proposal, ...]:
    """Return a proposal for each dynamic dimension of each input whose rank is known.

    Dimensions with the same name get the same sizes, since TensorRT requires them to be equal at run time.
    """
    by_name: dict[str, tuple[tuple[int, int, int], str]] = {}
    proposals = []
    for tensor in model.inputs:
        for axis in tensor.dynamic_axes:
            name = _name(tensor, axis)
            sizes, reason = by_name.get(name) or _sizes(tensor, axis, name)
            if name:
                by_name.setdefault(name, (sizes, f"{reason}; the same for every dimension '{name}'"))
            proposals.append(Proposal(tensor.name, axis, name, *sizes, reason))
    return tuple(proposals)


def _name(tensor: TensorDescription, axis: int) -> str:
    size = (tensor.shape or ())[axis]
    return size if isinstance(size, str) else ""


def _sizes(tensor: TensorDescription, axis: int, name: str) -> tuple[tuple[int, int, int], str]:
    # 'batch_size' and 'dynamic_axes_1' are split into words, so that \b finds them; digits at the end say nothing.
    words = re.sub(r"[_\W\d]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).lower().strip()
    for rule in _NAME_RULES:
        if words and re.search(rule.pattern.replace("_", " "), words):
            return rule.sizes, rule.reason
    rank = len(tensor.shape or ())
    if axis == 0:
        return (1, 4, 8), "first dimension, most likely the batch"
    if rank in _IMAGE_RANKS and axis >= rank - 2:
        return (128, 224, 512), "one of the last two dimensions of an image"
    if rank == 2 and tensor.dtype.startswith("float"):  # noqa: PLR2004
        return _AUDIO_SAMPLES, "second dimension of a rank-2 float input, possibly audio samples"
    if axis == 1:
        return (1, 128, 512), "second dimension, most likely a sequence length"
    return (1, 64, 256), "no hint in its name or position"


def proposed_profile(model: ModelDescription) -> ShapeProfile | None:
    """Return the proposals as one profile; None for a model without dynamic inputs or where a rank is unknown."""
    if not model.dynamic_inputs or any(tensor.shape is None for tensor in model.dynamic_inputs):
        return None
    chosen = {(proposal.tensor, proposal.axis): proposal for proposal in propose(model)}
    shapes = {}
    for tensor in model.dynamic_inputs:

        def shape(which: str, tensor: TensorDescription = tensor) -> tuple[int, ...]:
            sizes = enumerate(tensor.shape or ())
            return tuple(
                size if isinstance(size, int) else int(getattr(chosen[tensor.name, axis], which))
                for axis, size in sizes
            )

        shapes[tensor.name] = ShapeRange(shape("min"), shape("opt"), shape("max"))
    return ShapeProfile(shapes)
