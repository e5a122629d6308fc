"""Check a build plan against its model and its TensorRT, and report every problem at once.

TensorRT itself ignores unknown tensor names, and says the rest one by one, only when the build starts.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass

from trtlab._engine_results import Installation, NetworkTensor
from trtlab._format import format_shape, shorten_middle
from trtlab._results import Result, from_dict
from trtlab.build.plan import BuildPlan, Shape, ShapeProfile, ShapeRange
from trtlab.model.description import ModelDescription, TensorDescription

MAXIMUM_SIZE = 2**31 - 1  # TensorRT's limit for one dimension
MAXIMUM_VOLUME = (
    2**40
)  # and for the elements of one tensor, where it evaluates shapes: at opt (older releases take fewer)
MAXIMUM_BYTES = 2**63 - 1  # and for a memory pool: a signed 64-bit number
_BOUNDS = ("min", "opt", "max")


@dataclass(frozen=True)
class PlanProblem(Result):
    """One thing that is wrong with a plan.

    Attributes:
        id: Kind of problem: `unknown_tensor`, `missing_input`, `wrong_rank`, `static_axis`, `order`, `size`,
            `clashing_dimension`, `not_shape_tensor`, `option`, `target`, `memory_limit`.
        text: What is wrong and what would be right.
        profile: Index of the profile, None if it is not about one.
        tensor: The input it is about.
        axis: The axis it is about, None if it is not about one.
    """

    id: str
    text: str
    profile: int | None = None
    tensor: str = ""
    axis: int | None = None


def validate(
    plan: BuildPlan,
    model: ModelDescription,
    installation: Installation | None = None,
    network_inputs: tuple[NetworkTensor, ...] = (),
) -> tuple[PlanProblem, ...]:
    """Return everything that is wrong with `plan`; empty if it fits.

    Args:
        plan: The plan.
        model: The model it is for.
        installation: The TensorRT it is for; None leaves out what only that can tell.
        network_inputs: Inputs as TensorRT parsed them; tells which of them are shape tensors.
    """
    wrong_type = _wrong_type(plan)
    if wrong_type:
        return (PlanProblem("option", wrong_type),)
    problems = list(_profiles(plan, model, network_inputs))
    if not 0 <= (plan.optimization_level or 0) <= 5:  # noqa: PLR2004 - TensorRT's range
        problems.append(
            PlanProblem(
                "option",
                f"The optimization level is {plan.optimization_level}; TensorRT has 0 (fast build) to 5 (fast engine).",
            )
        )
    problems += [_memory_limit(pool, limit) for pool, limit in plan.memory_limits.items() if not _is_limit(pool, limit)]
    if installation is not None:
        problems += _options(plan, installation)
    return tuple(problems)


def _wrong_type(plan: BuildPlan) -> str:
    """Say which field of a plan has a value of another type than it is for (`targets="sm86"`); empty if none has."""
    import msgspec

    try:
        from_dict(BuildPlan, plan.to_dict())
    except (msgspec.ValidationError, TypeError) as error:
        return f"The plan holds a value that cannot be used: {error}"
    return ""


def _is_limit(pool: str, limit: int) -> bool:
    # Without any workspace TensorRT cannot compile at all; other pools may be left empty.
    return (1 if pool.lower() == "workspace" else 0) <= limit <= MAXIMUM_BYTES


def _memory_limit(pool: str, limit: int) -> PlanProblem:
    text = f"The limit of memory pool '{pool}' is {limit} bytes; it must be positive and below 2 to the power of 63."
    return PlanProblem("memory_limit", text)


def _profiles(
    plan: BuildPlan, model: ModelDescription, network_inputs: tuple[NetworkTensor, ...]
) -> Iterator[PlanProblem]:
    shape_tensors = {tensor.name for tensor in network_inputs if tensor.is_shape_tensor}
    dynamic = {tensor.name for tensor in model.dynamic_inputs}
    if not plan.profiles and dynamic | shape_tensors:
        names = ", ".join(f"'{shorten_middle(name)}'" for name in sorted(dynamic | shape_tensors))
        kind = "dynamic inputs" if dynamic else "inputs whose values are shapes"
        yield PlanProblem(
            "missing_input",
            f"The model has {kind} ({names}), and the plan has no shape profile. Give min, opt and max for each.",
        )
    inputs = {tensor.name: tensor for tensor in model.inputs}
    others = {tensor.name for tensor in network_inputs} - shape_tensors
    for number, profile in enumerate(plan.profiles):
        yield from _names(number, profile, inputs, shape_tensors)
        for name, shapes in profile.shapes.items():
            if name in inputs:
                yield from _range(number, inputs[name], shapes)
        for name, values in profile.values.items():
            if name in others:
                text = f"'{shorten_middle(name)}' is no shape tensor: TensorRT needs its shapes, not its values."
                yield PlanProblem("not_shape_tensor", text, number, name)
            elif name in inputs:
                yield from _values(number, inputs[name], values)
        yield from _clashes(number, profile, inputs)


def _names(
    number: int, profile: ShapeProfile, inputs: dict[str, TensorDescription], shape_tensors: set[str]
) -> Iterator[PlanProblem]:
    """Check that a profile names every input that needs it, and no others."""
    for name in dict.fromkeys([*profile.shapes, *profile.values]):
        if name not in inputs:
            yield PlanProblem("unknown_tensor", _unknown(name, inputs), number, name)
    dynamic = {name for name, tensor in inputs.items() if tensor.is_dynamic}
    for name in sorted(dynamic - profile.shapes.keys() - (profile.values.keys() & shape_tensors)):
        text = f"Profile {number} has no shapes for the dynamic input '{shorten_middle(name)}' {_shown(inputs[name])}."
        yield PlanProblem("missing_input", text, number, name)
    for name in sorted(shape_tensors - profile.values.keys()):
        text = f"'{shorten_middle(name)}' is a shape tensor: profile {number} must give min, opt and max of its values."
        yield PlanProblem("missing_input", text, number, name)


def _unknown(name: str, inputs: dict[str, TensorDescription]) -> str:
    close = difflib.get_close_matches(name, inputs, n=1)
    hint = (
        f" Did you mean '{shorten_middle(close[0])}'?"
        if close
        else f" It has: {', '.join(shorten_middle(known) for known in list(inputs)[:8]) or 'none'}."
    )
    return f"The model has no input '{shorten_middle(name)}'.{hint}"


def _shown(tensor: TensorDescription) -> str:
    return f"[{format_shape(tensor.shape)}]"


def _range(number: int, tensor: TensorDescription, shapes: ShapeRange) -> Iterator[PlanProblem]:
    name = shorten_middle(tensor.name)
    if tensor.shape is not None:
        wrong = [bound for bound in _BOUNDS if len(getattr(shapes, bound)) != len(tensor.shape)]
        if wrong:
            given = ", ".join(f"{bound} has {len(getattr(shapes, bound))}" for bound in wrong)
            yield PlanProblem(
                "wrong_rank",
                f"'{name}' {_shown(tensor)} has {len(tensor.shape)} dimensions; {given}.",
                number,
                tensor.name,
            )
            return
    elif len({len(shapes.min), len(shapes.opt), len(shapes.max)}) > 1:
        yield PlanProblem(
            "wrong_rank", f"'{name}': min, opt and max have different numbers of dimensions.", number, tensor.name
        )
        return
    for axis, sizes in enumerate(zip(shapes.min, shapes.opt, shapes.max, strict=True)):
        yield from _axis(number, tensor, axis, sizes)
    volume = math.prod(shapes.opt)
    if volume > MAXIMUM_VOLUME and max(shapes.opt) <= MAXIMUM_SIZE:
        yield PlanProblem(
            "size",
            f"'{name}' would have {volume} elements at its opt shape; TensorRT's limit is {MAXIMUM_VOLUME}.",
            number,
            tensor.name,
        )


def _values(number: int, tensor: TensorDescription, values: ShapeRange) -> Iterator[PlanProblem]:
    """Check the range of a shape tensor's values: one for each of its elements, in order."""
    name = shorten_middle(tensor.name)
    counts = {len(values.min), len(values.opt), len(values.max)}
    fixed = [size for size in tensor.shape or () if isinstance(size, int)]
    expected = math.prod(fixed) if tensor.shape is not None and len(fixed) == len(tensor.shape) else None
    if len(counts) > 1 or expected not in (None, *counts):
        needed = "the same number of" if expected is None else str(expected)
        text = f"'{name}' {_shown(tensor)} is a shape tensor: min, opt and max must have {needed} values each."
        yield PlanProblem("wrong_rank", text, number, tensor.name)
        return
    for position, (low, common, high) in enumerate(zip(values.min, values.opt, values.max, strict=True)):
        if not low <= common <= high:
            text = f"Value {position} of '{name}': min <= opt <= max does not hold for {low}..{common}..{high}."
            yield PlanProblem("order", text, number, tensor.name, position)


def _axis(number: int, tensor: TensorDescription, axis: int, sizes: Shape) -> Iterator[PlanProblem]:
    name, shown = shorten_middle(tensor.name), "..".join(map(str, sizes))
    fixed = tensor.shape[axis] if tensor.shape is not None else None
    if isinstance(fixed, int):
        if any(size != fixed for size in sizes):
            yield PlanProblem(
                "static_axis",
                f"Axis {axis} of '{name}' {_shown(tensor)} is fixed at {fixed} in the model; the profile says {shown}.",
                number,
                tensor.name,
                axis,
            )
        return
    if not sizes[0] <= sizes[1] <= sizes[2]:
        yield PlanProblem(
            "order", f"Axis {axis} of '{name}': min <= opt <= max does not hold for {shown}.", number, tensor.name, axis
        )
    if min(sizes) < 0:
        yield PlanProblem(
            "size", f"Axis {axis} of '{name}': a size cannot be negative ({shown}).", number, tensor.name, axis
        )
    elif max(sizes) > MAXIMUM_SIZE:
        yield PlanProblem(
            "size",
            f"Axis {axis} of '{name}': {max(sizes)} is over TensorRT's limit of {MAXIMUM_SIZE}.",
            number,
            tensor.name,
            axis,
        )


def _clashes(number: int, profile: ShapeProfile, inputs: dict[str, TensorDescription]) -> Iterator[PlanProblem]:
    """Two dimensions of one name must be equal at run time. TensorRT looks at the sizes to tune for: these must be equal."""
    seen: dict[str, tuple[str, int, int]] = {}
    for name, shapes in profile.shapes.items():
        tensor = inputs.get(name)
        if tensor is None or tensor.shape is None or len(shapes.min) != len(tensor.shape):
            continue
        for axis, dimension in enumerate(tensor.shape):
            if not isinstance(dimension, str) or not all(axis < len(getattr(shapes, bound)) for bound in _BOUNDS):
                continue
            size = shapes.opt[axis]
            other, other_axis, expected = seen.setdefault(dimension, (name, axis, size))
            if size != expected:
                text = (
                    f"Axis {axis} of '{shorten_middle(name)}' and axis {other_axis} of '{shorten_middle(other)}' are both called "
                    f"'{shorten_middle(dimension)}' in the model, so they must be equal; "
                    f"the profile's opt sizes are {size} and {expected}."
                )
                yield PlanProblem("clashing_dimension", text, number, name, axis)


def _options(plan: BuildPlan, installation: Installation) -> Iterator[PlanProblem]:
    wanted = [f"precision.{name}" for name in plan.precision]
    wanted += [f"memory.{pool.lower()}" for pool in plan.memory_limits]
    wanted += ["targets"] if plan.targets else []
    wanted += ["timing_cache"] if plan.timing_cache else []
    wanted += ["version_compatible"] if plan.version_compatible else []
    wanted += ["hardware_compatibility"] if plan.hardware_compatibility != "none" else []
    wanted += ["strongly_typed"] if plan.strongly_typed else []
    wanted += ["tf32"] if plan.tf32 is not None else []
    wanted += ["optimization_level"] if plan.optimization_level is not None else []
    for name in wanted:
        option = installation.option(name)
        if not option.offered:
            yield PlanProblem("option", f"{name.replace('.', ' ')}: {option.reason}")
    if plan.strongly_typed and plan.precision:
        text = "A strongly typed network takes its precisions from the model; leave out the precision flags, or strong typing."
        yield PlanProblem("option", text)
    known = installation.compute_capabilities
    for target in plan.targets if known else ():
        if target.lower().removeprefix("sm") not in known or not target.lower().startswith("sm"):
            names = ", ".join(f"sm{capability}" for capability in known)
            yield PlanProblem("target", f"{installation.title} cannot build for '{target}'. It has: {names}.")
