"""Look into a built engine: with TensorRT's inspector where a GPU can load it, with the builder's log elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trtlab._engine_results import Gpu, InspectResult, MemoryUse
from trtlab.engine.flavour import Flavour
from trtlab.engine.layers import layers_from_inspector, layers_from_log
from trtlab.engine.logger import BuildNotes

LOG_SOURCE = "builder's log"
INSPECTOR_SOURCE = "engine inspector"


def inspect(flavour: Flavour, serialized: Any, gpu: Gpu | None, notes: BuildNotes) -> InspectResult:  # noqa: ANN401 - IHostMemory or bytes
    """Return the engine's layers and memory, with the source that was used and why.

    Args:
        flavour: The TensorRT that built it.
        serialized: The serialized engine.
        gpu: The GPU that is here, if any.
        notes: What the log of the build said.
    """
    logged = InspectResult(layers_from_log(notes.layer_messages), memory_from_notes(notes), LOG_SOURCE)
    if gpu is None:
        return _with_note(logged, "No GPU here that could load the engine; the layers are those of the builder's log.")
    runtime = flavour.module.Runtime(flavour.logger)
    engine = runtime.deserialize_cuda_engine(serialized)
    if engine is None:
        return _with_note(
            logged, f"{gpu.name} cannot load this engine (see the log); the layers are those of the builder's log."
        )
    inspector = engine.create_engine_inspector()
    text = inspector.get_engine_information(flavour.module.LayerInformationFormat.JSON)
    try:
        layers, note = layers_from_inspector(text), ""
    except ValueError:  # seen with profiling verbosity 'none': the inspector then gives no JSON
        layers, note = (
            (),
            "The engine holds no information about its layers; build with profiling verbosity 'detailed'.",
        )
    memory = _with_engine_memory(logged.memory, engine)
    del inspector, engine, runtime
    return InspectResult(layers, memory, INSPECTOR_SOURCE, note)


def memory_from_notes(notes: BuildNotes) -> MemoryUse:
    """Return the memory totals of the builder's log; what the log did not say stays None."""
    return replace(MemoryUse(), **notes.memory)  # type: ignore[arg-type]  # the names are those of its byte counts


def _with_engine_memory(logged: MemoryUse, engine: Any) -> MemoryUse:  # noqa: ANN401 - ICudaEngine
    activation = getattr(engine, "device_memory_size_v2", None)
    if activation is None:
        activation = getattr(engine, "device_memory_size", None)
    return MemoryUse(
        activation_bytes=logged.activation_bytes if activation is None else int(activation),
        weights_bytes=logged.weights_bytes,
        scratch_bytes=logged.scratch_bytes,
        device_persistent_bytes=logged.device_persistent_bytes,
        host_persistent_bytes=logged.host_persistent_bytes,
        source="engine",
    )


def _with_note(result: InspectResult, note: str) -> InspectResult:
    if not result.layers:
        note += " The log lists no layers: build with profiling verbosity 'detailed' to see them."
    return InspectResult(result.layers, result.memory, result.source, note)
