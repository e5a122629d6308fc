"""What this TensorRT offers, found by asking it: attributes first, then behaviour where an attribute promises too much.

TensorRT-RTX for instance has `create_timing_cache` and `hardware_compatibility_level`, and both do nothing there; it says
so in a warning, and that warning is what is looked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from trtlab._engine_results import Gpu, Installation, Option
from trtlab.engine.flavour import Flavour
from trtlab.engine.logger import LogSink

PRECISION_FLAGS = ("fp16", "bf16", "int8", "fp8", "int4", "fp4")
_STRONGLY_TYPED = (
    "Precision is a property of the model here (strongly typed): convert the ONNX model to FP16, "
    "or quantize it with Q/DQ nodes."
)


def describe(flavour: Flavour, gpu: Gpu | None, sink: LogSink) -> Installation:
    """Return what the flavour is and what it offers on this machine."""
    module = flavour.module
    # The probes' messages are no business of the user's log; TensorRT keeps one logger a process, so its sink is diverted.
    with sink.diverted() as messages:
        builder = module.Builder(flavour.logger)
        config = builder.create_builder_config()
        options = tuple(_options(module, config, messages))
        del config, builder
    return Installation(
        flavour=flavour.name,
        version=str(module.__version__),
        chosen_because=flavour.chosen_because,
        gpu=gpu,
        options=options,
        compute_capabilities=compute_capabilities(module),
        limitations=tuple(limitations(module)),
    )


def compute_capabilities(module: ModuleType) -> tuple[str, ...]:
    """Return the compute capabilities that can be chosen as targets, `86` for 8.6."""
    members = getattr(getattr(module, "ComputeCapability", None), "__members__", {})
    return tuple(name[2:] for name in members if name.startswith("SM"))


def limitations(module: ModuleType) -> Iterator[str]:
    """Return what trtlab does not offer with this release because the release lacks it."""
    parser_error = getattr(module, "ParserError", None)
    if not hasattr(module, "IProgressMonitor"):
        yield "No progress and no gentle cancel: this release has no progress monitor, cancelling ends the process."
    if not hasattr(parser_error, "node_name"):
        yield "Parser errors carry a node number, but not its name and operator (TensorRT 9.1 and newer have them)."
    if not hasattr(parser_error, "local_function_stack"):
        yield "Parser errors inside subgraphs and functions do not say which one (TensorRT 10 and newer do)."
    if not hasattr(getattr(module, "ICudaEngine", None), "num_io_tensors"):
        yield "This release addresses inputs and outputs by number only; running engines is not offered (needs TensorRT 8.5)."
    if not hasattr(module.Builder, "build_serialized_network"):
        yield "Building is not offered: this release has no build_serialized_network (needs TensorRT 8.0)."


def _options(module: ModuleType, config: Any, messages: list[str]) -> Iterator[Option]:  # noqa: ANN401
    title = module.__name__
    yield from _precision_options(module)
    flags = getattr(module, "BuilderFlag", object)
    yield _strong_typing(module)
    yield _attribute("tf32", flags, "TF32", f"{title} has no TF32 flag.")
    yield _attribute(
        "optimization_level",
        config,
        "builder_optimization_level",
        "This release has no optimization level (TensorRT 8.6 and newer).",
    )
    yield _attribute("profiling_verbosity", config, "profiling_verbosity", "This release has no profiling verbosity.")
    yield _timing_cache(config)
    yield _version_compatibility(module)
    yield _hardware_compatibility(module, config, messages)
    targets = bool(compute_capabilities(module)) and hasattr(config, "set_compute_capability")
    reason = "" if targets else f"{title} builds for the GPU that is here; other targets cannot be chosen."
    yield Option("targets", targets, reason)
    yield from _memory_pools(module, config, messages)


def _memory_pools(module: ModuleType, config: Any, messages: list[str]) -> Iterator[Option]:  # noqa: ANN401
    """Ask for each pool whether its own default can be set again: RTX has the names of DLA's pools, and refuses them."""
    for name, pool in getattr(getattr(module, "MemoryPoolType", None), "__members__", {}).items():
        if not hasattr(config, "set_memory_pool_limit"):
            yield Option(f"memory.{name.lower()}", offered=False, reason="This release has no memory pool limits.")
            continue
        messages.clear()
        config.set_memory_pool_limit(pool, config.get_memory_pool_limit(pool))
        refused = any("Error Code" in message for message in messages)
        reason = f"{module.__name__} does not take a limit for this pool here." if refused else ""
        yield Option(f"memory.{name.lower()}", not refused, reason)


def _attribute(name: str, owner: object, attribute: str, reason: str) -> Option:
    offered = hasattr(owner, attribute)
    return Option(name, offered, "" if offered else reason)


def _precision_options(module: ModuleType) -> Iterator[Option]:
    flags = getattr(module, "BuilderFlag", None)
    # TensorRT-RTX is always strongly typed. Its release 1.4 still has the flags, takes them, and then refuses to build.
    weakly_typed = module.__name__ != "tensorrt_rtx"
    for name in PRECISION_FLAGS:
        offered = weakly_typed and hasattr(flags, name.upper())
        yield Option(f"precision.{name}", offered, "" if offered else _STRONGLY_TYPED)


def _strong_typing(module: ModuleType) -> Option:
    """Strong typing is an option only where weak typing is the other choice."""
    if module.__name__ == "tensorrt_rtx" or not hasattr(getattr(module, "BuilderFlag", None), "FP16"):
        return Option("strongly_typed", offered=False, reason="Networks are always strongly typed here.")
    if not hasattr(module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED"):
        return Option(
            "strongly_typed", offered=False, reason="This release has no strong typing (TensorRT 10 and newer)."
        )
    return Option("strongly_typed", offered=True)


def _timing_cache(config: Any) -> Option:  # noqa: ANN401 - IBuilderConfig
    if not hasattr(config, "create_timing_cache"):
        return Option("timing_cache", offered=False, reason="This release has no timing cache.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, True)
        config.get_timing_cache()
    if any("no-op" in str(warning.message) for warning in caught):
        return Option(
            "timing_cache",
            offered=False,
            reason="The timing cache does nothing here (TensorRT-RTX compiles for the GPU at run time and has a runtime cache instead).",
        )
    return Option("timing_cache", offered=True)


def _version_compatibility(module: ModuleType) -> Option:
    if not hasattr(getattr(module, "BuilderFlag", None), "VERSION_COMPATIBLE"):
        return Option(
            "version_compatible", offered=False, reason="This release cannot build version-compatible engines."
        )
    if module.__name__ == "tensorrt_rtx" and not _has_lean_runtime(module):
        reason = "It needs the lean runtime library (libnvinfer_lean), which this installation does not have."
        return Option("version_compatible", offered=False, reason=reason)
    return Option("version_compatible", offered=True)


def _has_lean_runtime(module: ModuleType) -> bool:
    site = Path(str(module.__file__)).resolve().parent.parent
    return any(site.glob("tensorrt_rtx*/*lean*")) or any(site.glob("tensorrt_rtx*/**/lib*lean*.so*"))


def _hardware_compatibility(module: ModuleType, config: Any, messages: list[str]) -> Option:  # noqa: ANN401
    levels = getattr(getattr(module, "HardwareCompatibilityLevel", None), "__members__", {})
    if not levels or not hasattr(config, "hardware_compatibility_level"):
        return Option(
            "hardware_compatibility", offered=False, reason="This release has no hardware compatibility levels."
        )
    messages.clear()
    level = next((member for name, member in levels.items() if name != "NONE"), None)
    if level is not None:
        config.hardware_compatibility_level = level
    if any("unsupported" in message for message in messages):
        reason = "TensorRT-RTX ignores hardware compatibility levels; choose the GPUs with the targets instead."
        return Option("hardware_compatibility", offered=False, reason=reason)
    return Option("hardware_compatibility", offered=True)
