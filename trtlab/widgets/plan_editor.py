"""A build plan as the panel edits it: rows of the profile editor, and what an edit makes of the plan.

Pure functions from plan and model to plain data and back; no widget here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trtlab._errors import InputError
from trtlab._format import format_shape
from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange, parse_bytes
from trtlab.build.proposals import propose
from trtlab.build.validation import PlanProblem
from trtlab.model.description import ModelDescription
from trtlab.widgets.plan_options import DEFAULT

_BOUNDS = ("min", "opt", "max")


def profile_rows(plan: BuildPlan, model: ModelDescription, problems: Sequence[PlanProblem]) -> list[dict[str, Any]]:
    """Return one entry a profile with a row for each dynamic dimension."""
    reasons = {(proposal.tensor, proposal.axis): proposal for proposal in propose(model)}
    return [{"rows": _rows(profile, number, model, problems, reasons)} for number, profile in enumerate(plan.profiles)]


def _rows(
    profile: ShapeProfile,
    number: int,
    model: ModelDescription,
    problems: Sequence[PlanProblem],
    reasons: dict[tuple[str, int], Any],
) -> list[dict[str, Any]]:
    rows = []
    for tensor in model.dynamic_inputs:
        shapes = profile.shapes.get(tensor.name)
        if shapes is None:
            continue
        for axis in tensor.dynamic_axes:
            proposal = reasons.get((tensor.name, axis))
            sizes = {bound: getattr(shapes, bound)[axis] for bound in _BOUNDS}
            proposed = proposal is not None and all(sizes[bound] == getattr(proposal, bound) for bound in _BOUNDS)
            texts = [p.text for p in problems if p.profile == number and p.tensor == tensor.name and p.axis == axis]
            rows.append({
                "tensor": tensor.name, "dtype": tensor.dtype, "axis": axis, "dimension": proposal.dimension if proposal else "",
                "shape": format_shape(tensor.shape), **sizes, "problem": " ".join(texts),
                "note": f"proposed: {proposal.reason}" if proposal and proposed else "",
            })  # fmt: skip
    return rows


def general_problems(plan: BuildPlan, model: ModelDescription, problems: Sequence[PlanProblem]) -> list[str]:
    """Return the texts of the problems that no row of the profile editor shows."""
    rows = {
        (number, t.name, axis)
        for number in range(len(plan.profiles))
        for t in model.dynamic_inputs
        for axis in t.dynamic_axes
    }
    return [problem.text for problem in problems if (problem.profile, problem.tensor, problem.axis) not in rows]


def with_sizes(plan: BuildPlan, profile: int, tensor: str, axis: int, sizes: tuple[int, int, int]) -> BuildPlan:
    """Return the plan with other sizes for one dimension of one profile.

    Raises:
        InputError: There is no such profile, tensor or axis.
    """
    try:
        changed = plan.profiles[profile]
        old = changed.shapes[tensor]
        shapes = [
            (*shape[:axis], size, *shape[axis + 1 :])
            for shape, size in zip((old.min, old.opt, old.max), sizes, strict=True)
        ]
        old.min[axis]  # raises for an axis that is not there
    except (IndexError, KeyError, TypeError) as error:
        raise InputError(f"Profile {profile} has no axis {axis} of '{tensor}'.") from error
    new = replace(changed, shapes={**changed.shapes, tensor: ShapeRange(*shapes)})
    return plan.with_profiles(*plan.profiles[:profile], new, *plan.profiles[profile + 1 :])


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "targets": lambda value: tuple(map(str, value)),
    "precision": lambda value: tuple(map(str, value)),
    "optimization_level": lambda value: None if value in (DEFAULT, None) else int(value),
    "tf32": lambda value: {"on": True, "off": False}.get(str(value)),
    "strongly_typed": bool,
    "timing_cache": lambda value: str(value) or None,
    "version_compatible": bool,
    "profiling_verbosity": str,
    "hardware_compatibility": str,
}
_ALLOWED: dict[str, tuple[Any, ...]] = {
    "profiling_verbosity": ("detailed", "layer_names_only", "none"),
    "hardware_compatibility": ("none", "ampere_plus", "same_compute_capability"),
}


def with_option(plan: BuildPlan, identifier: str, value: Any) -> BuildPlan:  # noqa: ANN401 - what the page sent
    """Return the plan with one option changed.

    Raises:
        InputError: There is no such option, or it cannot have this value.
    """
    if identifier == "workspace":
        limit = parse_bytes(str(value or ""))
        others = {pool: size for pool, size in plan.memory_limits.items() if pool != "workspace"}
        return replace(plan, memory_limits=others if limit is None else {**others, "workspace": limit})
    if identifier in _CONVERTERS and value in _ALLOWED.get(identifier, (value,)):
        return replace(plan, **{identifier: _CONVERTERS[identifier](value)})
    raise InputError(f"The option {identifier!r} cannot be set to {value!r}.")
