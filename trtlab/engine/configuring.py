"""Turn a build plan into TensorRT's builder configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trtlab._errors import ActionError, InputError
from trtlab.build.plan import BuildPlan, ShapeProfile
from trtlab.engine.logger import BuildNotes
from trtlab.engine.parsing import ParsedNetwork


def make_config(parsed: ParsedNetwork, plan: BuildPlan, notes: BuildNotes) -> Any:  # noqa: ANN401 - IBuilderConfig
    """Return a configuration for `plan`, which was validated before (`trtlab.build.validation`).

    Raises:
        ActionError: TensorRT refused a value; carries its own message.
    """
    module = parsed.flavour.module
    config = parsed.builder.create_builder_config()
    _set_options(module, config, plan)
    if plan.targets:
        _set_targets(module, config, plan.targets)
    if plan.timing_cache:
        _read_timing_cache(config, Path(plan.timing_cache))
    for number, profile in enumerate(plan.profiles):
        _add_profile(parsed, config, profile, number)
    if notes.errors:
        raise ActionError("TensorRT refused the configuration: " + " ".join(notes.errors), kind="ConfigurationRefused")
    return config


def _set_options(module: Any, config: Any, plan: BuildPlan) -> None:  # noqa: ANN401 - IBuilderConfig
    if hasattr(config, "profiling_verbosity"):
        config.profiling_verbosity = getattr(module.ProfilingVerbosity, plan.profiling_verbosity.upper())
    if plan.optimization_level is not None:
        config.builder_optimization_level = plan.optimization_level
    for pool, limit in plan.memory_limits.items():
        config.set_memory_pool_limit(getattr(module.MemoryPoolType, pool.upper()), limit)
    for name in plan.precision:
        config.set_flag(getattr(module.BuilderFlag, name.upper()))
    if plan.tf32 is not None:
        (config.set_flag if plan.tf32 else config.clear_flag)(module.BuilderFlag.TF32)
    if plan.version_compatible:
        config.set_flag(module.BuilderFlag.VERSION_COMPATIBLE)
    if plan.hardware_compatibility != "none":
        config.hardware_compatibility_level = getattr(
            module.HardwareCompatibilityLevel, plan.hardware_compatibility.upper()
        )


def _set_targets(module: Any, config: Any, targets: tuple[str, ...]) -> None:  # noqa: ANN401
    config.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        config.set_compute_capability(getattr(module.ComputeCapability, target.upper()), index)


def _add_profile(parsed: ParsedNetwork, config: Any, profile: ShapeProfile, number: int) -> None:  # noqa: ANN401
    optimization_profile = parsed.builder.create_optimization_profile()
    for name, shapes in profile.shapes.items():
        optimization_profile.set_shape(name, shapes.min, shapes.opt, shapes.max)
    for name, values in profile.values.items():
        optimization_profile.set_shape_input(name, values.min, values.opt, values.max)
    if config.add_optimization_profile(optimization_profile) < 0:
        raise InputError(f"TensorRT refused profile {number}: for some input, min <= opt <= max does not hold.")


def _read_timing_cache(config: Any, path: Path) -> None:  # noqa: ANN401
    content = path.read_bytes() if path.exists() else b""
    cache = config.create_timing_cache(content)
    if cache is None or not config.set_timing_cache(cache, ignore_mismatch=False):
        # Made by another release or for another GPU: TensorRT starts a new one, and the file is replaced after the build.
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)


def timing_cache_content(config: Any) -> bytes | None:  # noqa: ANN401 - IBuilderConfig
    """Return the timing cache after a build, None where there is none."""
    cache = config.get_timing_cache()
    if cache is None:
        return None
    with memoryview(cache.serialize()) as view:
        return bytes(view)
