"""Check a build plan against its model and its TensorRT, and report every problem at once.

TensorRT itself ignores unknown tensor names, and says the rest one by one, only when the build starts.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from trtlab._engine_results import Installation, NetworkTensor
from trtlab._format import format_shape, shorten_middle
from trtlab._results import Result
from trtlab.build.plan import BuildPlan, Shape, ShapeProfile, ShapeRange
from trtlab.model.description import ModelDescription, TensorDescription

MAXIMUM_SIZE = 2**31 - 1  # TensorRT's limit for one dimension and for the volume of a tensor
_BOUNDS = ("min", "opt", "max")


@dataclass(frozen=True)
class PlanProblem(Result):
    """One thing that is wrong with a plan.

    Attributes:
        id: Kind of problem: `unknown_tensor`, `missing_input`, `wrong_rank`, `static_axis`, `order`, `size`,
            `clashing_dimension`, `option`, `target`, `memory_limit`, `rank_unknown`.
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
    problems = list(_profiles(plan, model, {tensor.name for tensor in network_inputs if tensor.is_shape_tensor}))
    if not 0 <= (plan.optimization_level or 0) <= 5:  # noqa: PLR2004 - TensorRT's range
        problems.append(
            PlanProblem(
                "option",
                f"The optimization level is {plan.optimization_level}; TensorRT has 0 (fast build) to 5 (fast engine).",
            )
        )
    for pool, limit in plan.memory_limits.items():
        if limit < 0:
            problems.append(
                PlanProblem(
                    "memory_limit", f"The limit of memory pool '{pool}' is {limit} bytes; it cannot be negative."
                )
            )
    if installation is not None:
        problems += _options(plan, installation)
    return tuple(problems)


def _profiles(plan: BuildPlan, model: ModelDescription, shape_tensors: set[str]) -> Iterator[PlanProblem]:
    dynamic = {tensor.name for tensor in model.dynamic_inputs}
    if not plan.profiles and dynamic:
        names = ", ".join(f"'{shorten_middle(name)}'" for name in sorted(dynamic))
        yield PlanProblem(
            "missing_input",
            f"The model has dynamic inputs ({names}), and the plan has no shape profile. Give min, opt and max shapes for each.",
        )
    inputs = {tensor.name: tensor for tensor in model.inputs}
    for number, profile in enumerate(plan.profiles):
        for name in dict.fromkeys([*profile.shapes, *profile.values]):
            if name not in inputs:
                yield PlanProblem("unknown_tensor", _unknown(name, inputs), number, name)
        for name in sorted(dynamic - profile.shapes.keys() - (profile.values.keys() & shape_tensors)):
            yield PlanProblem(
                "missing_input",
                f"Profile {number} has no shapes for the dynamic input '{shorten_middle(name)}' {_shown(inputs[name])}.",
                number,
                name,
            )
        for name in sorted(shape_tensors - profile.values.keys()):
            yield PlanProblem(
                "missing_input",
                f"'{shorten_middle(name)}' is a shape tensor: profile {number} must give min, opt and max of its values.",
                number,
                name,
            )
        for name, shapes in profile.shapes.items():
            if name in inputs:
                yield from _range(number, inputs[name], shapes)
        yield from _clashes(number, profile, inputs)


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
    volume = 1
    for size in shapes.max:
        volume *= max(size, 1)
    if volume > MAXIMUM_SIZE and all(size <= MAXIMUM_SIZE for size in shapes.max):
        yield PlanProblem(
            "size",
            f"'{name}' would have {volume} elements at its maximum; TensorRT's limit is {MAXIMUM_SIZE}.",
            number,
            tensor.name,
        )


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
    """Two dimensions of one name must be equal at run time, so their ranges must be equal too."""
    seen: dict[str, tuple[str, int, Shape]] = {}
    for name, shapes in profile.shapes.items():
        tensor = inputs.get(name)
        if tensor is None or tensor.shape is None or len(shapes.min) != len(tensor.shape):
            continue
        for axis, dimension in enumerate(tensor.shape):
            if not isinstance(dimension, str) or not all(axis < len(getattr(shapes, bound)) for bound in _BOUNDS):
                continue
            sizes = (shapes.min[axis], shapes.opt[axis], shapes.max[axis])
            other, other_axis, expected = seen.setdefault(dimension, (name, axis, sizes))
            if sizes != expected:
                text = (
                    f"Axis {axis} of '{shorten_middle(name)}' and axis {other_axis} of '{shorten_middle(other)}' are both called "
                    f"'{shorten_middle(dimension)}' in the model, so they must be equal; the profile says "
                    f"{'..'.join(map(str, sizes))} and {'..'.join(map(str, expected))}."
                )
                yield PlanProblem("clashing_dimension", text, number, name, axis)


def _options(plan: BuildPlan, installation: Installation) -> Iterator[PlanProblem]:
    wanted = [f"precision.{name}" for name in plan.precision]
    wanted += [f"memory.{pool.lower()}" for pool in plan.memory_limits]
    wanted += ["targets"] if plan.targets else []
    wanted += ["timing_cache"] if plan.timing_cache else []
    wanted += ["version_compatible"] if plan.version_compatible else []
    wanted += ["hardware_compatibility"] if plan.hardware_compatibility != "none" else []
    wanted += ["tf32"] if plan.tf32 is not None else []
    wanted += ["optimization_level"] if plan.optimization_level is not None else []
    for name in wanted:
        option = installation.option(name)
        if not option.offered:
            yield PlanProblem("option", f"{name.replace('.', ' ')}: {option.reason}")
    known = installation.compute_capabilities
    for target in plan.targets if known else ():
        if target.lower().removeprefix("sm") not in known or not target.lower().startswith("sm"):
            names = ", ".join(f"sm{capability}" for capability in known)
            yield PlanProblem("target", f"{installation.title} cannot build for '{target}'. It has: {names}.")
