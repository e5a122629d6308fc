"""The options of a build plan as the panel shows them, each with the reason where it does not apply here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trtlab._engine_results import Installation
from trtlab.build.plan import BuildPlan

DEFAULT = "default"
_PRECISIONS = ("fp16", "bf16", "int8", "fp8")
_LEVELS = (
    (DEFAULT, "default (3)"),
    ("0", "0, fastest build"),
    *((str(level), str(level)) for level in range(1, 5)),
    ("5", "5, slowest build"),
)


@dataclass(frozen=True)
class PlanOption:
    """One option of the panel.

    Attributes:
        id: Its name in messages of the page.
        label: What it is called.
        help: What it does, in a sentence.
        kind: Which control shows it.
        value: What it is set to.
        choices: Values and labels to choose from.
        needs: The option of the installation that decides whether it applies; empty if it always does.
    """

    id: str
    label: str
    help: str
    kind: Literal["choice", "flag", "bytes", "text", "several"]
    value: Any
    choices: Sequence[tuple[str, str]] = ()
    needs: str = ""


def options(plan: BuildPlan, installation: Installation | None, *, flavour: str, cache: bool) -> list[dict[str, Any]]:
    """Return the options of the plan in the form of CONTRACT.md. Before TensorRT was asked, none is disabled."""
    rows = [*_what_to_build(plan, installation, flavour), *_how_to_build(plan), *_where_it_runs(plan)]
    rows.append(
        PlanOption(
            "cache",
            "Use the engine cache",
            "Take an engine that was built before from the same model and plan.",
            "flag",
            cache,
        )
    )
    return [_shown(row, installation) for row in rows]


def _shown(row: PlanOption, installation: Installation | None) -> dict[str, Any]:
    option = installation.option(row.needs) if installation and row.needs else None
    offered = option is None or option.offered
    return {
        "id": row.id,
        "label": row.label,
        "kind": row.kind,
        "value": row.value,
        "help": row.help,
        "problem": "",
        "choices": [{"value": value, "label": label} for value, label in row.choices],
        "enabled": offered,
        "reason": "" if option is None or offered else option.reason,
    }


def _what_to_build(plan: BuildPlan, installation: Installation | None, flavour: str) -> Iterator[PlanOption]:
    flavours = (("", "what can build here"), ("tensorrt", "TensorRT"), ("tensorrt_rtx", "TensorRT-RTX"))
    yield PlanOption("flavour", "TensorRT", "Which TensorRT builds.", "choice", flavour, flavours)
    capabilities = installation.compute_capabilities if installation else ()
    targets = [(f"sm{name}", f"SM{name} ({name[:-1]}.{name[-1]})") for name in capabilities]
    text = "Compute capabilities the engine is compiled for. None chosen: TensorRT's default."
    yield PlanOption("targets", "Target GPUs", text, "several", list(plan.targets), targets, "targets")


def _how_to_build(plan: BuildPlan) -> Iterator[PlanOption]:
    level = DEFAULT if plan.optimization_level is None else str(plan.optimization_level)
    text = "Higher levels search longer for a faster engine."
    yield PlanOption("optimization_level", "Optimization level", text, "choice", level, _LEVELS, "optimization_level")
    limit = plan.memory_limits.get("workspace")
    text = "Scratch memory a layer may use. Empty: no limit but the GPU's memory."
    yield PlanOption(
        "workspace", "Workspace limit", text, "bytes", "" if limit is None else limit, needs="memory.workspace"
    )
    text = "How much the engine tells about its layers. 'detailed' names the ONNX nodes of each layer."
    levels = (("detailed", "detailed"), ("layer_names_only", "names only"), ("none", "none"))
    verbosity = plan.profiling_verbosity
    yield PlanOption("profiling_verbosity", "Layer details", text, "choice", verbosity, levels, "profiling_verbosity")
    tf32 = DEFAULT if plan.tf32 is None else "on" if plan.tf32 else "off"
    text = "Whether FP32 products may use TF32 tensor cores (10 bits of mantissa)."
    yield PlanOption(
        "tf32", "TF32", text, "choice", tf32, ((DEFAULT, "default (on)"), ("on", "on"), ("off", "off")), "tf32"
    )
    text = "Precisions the builder may choose besides FP32."
    precisions = [(name, name.upper()) for name in _PRECISIONS]
    yield PlanOption(
        "precision", "Lower precisions", text, "several", list(plan.precision), precisions, "precision.fp16"
    )
    text = "Take every precision from the model's own types."
    value = plan.strongly_typed
    yield PlanOption("strongly_typed", "Strong typing", text, "flag", value, needs="strongly_typed")
    text = "File that keeps measured times, for faster builds next time."
    yield PlanOption("timing_cache", "Timing cache", text, "text", plan.timing_cache or "", needs="timing_cache")


def _where_it_runs(plan: BuildPlan) -> Iterator[PlanOption]:
    text = "An engine that newer TensorRT releases can load."
    value = plan.version_compatible
    yield PlanOption("version_compatible", "Version compatible", text, "flag", value, needs="version_compatible")
    levels = (
        ("none", "none"),
        ("ampere_plus", "Ampere and newer"),
        ("same_compute_capability", "same compute capability"),
    )
    needs = "hardware_compatibility"
    text = "Which other GPUs can load the engine."
    yield PlanOption(needs, "Hardware compatibility", text, "choice", plan.hardware_compatibility, levels, needs)
