"""What the worker can do with TensorRT, step by step. Called through `trtlab.worker`."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from trtlab._engine_results import BuiltEngine, Gpu, Installation, ParseResult, WrittenEngine
from trtlab._errors import ActionError, InputError
from trtlab._memory import start_thread
from trtlab._results import from_dict
from trtlab.build.plan import BuildPlan
from trtlab.engine import configuring, features, inspecting
from trtlab.engine import flavour as flavours
from trtlab.engine.gpu import find_gpu
from trtlab.engine.logger import BuildNotes, LogSink, make_logger, make_progress_monitor
from trtlab.engine.parsing import ParsedNetwork, network_tensors, read_errors
from trtlab.model.actions import loaded_model
from trtlab.worker.context import ActionContext

_STATE_KEY = "engine"
_WRITE_BLOCK_BYTES = 1 << 24
# A flavour stays loaded as long as the process: TensorRT keeps the first logger it is given, and importing twice costs.
_loaded: dict[str | None, tuple[flavours.Flavour, LogSink, Gpu | None, Installation]] = {}


class EngineState:
    """What the steps of one build hand on to each other inside the worker."""

    def __init__(self, flavour: flavours.Flavour, sink: LogSink, gpu: Gpu | None) -> None:
        self.flavour = flavour
        self.sink = sink
        self.gpu = gpu
        self.parsed: ParsedNetwork | None = None
        self.config: Any = None
        self.monitor: Any = None
        self.serialized: Any = None
        self.notes = BuildNotes()

    def release(self) -> None:
        """Free what TensorRT holds, the dependent objects first."""
        self.serialized = self.config = self.monitor = None
        if self.parsed is not None:
            self.parsed.release()
            self.parsed = None

    def __del__(self) -> None:
        self.release()


def load_flavour(
    context: ActionContext, requested: str | None
) -> tuple[flavours.Flavour, LogSink, Gpu | None, Installation]:
    """Choose and load TensorRT: the flavour, where its log goes, the GPU if there is one, and what it offers."""
    key = requested or os.environ.get(flavours.ENVIRONMENT_VARIABLE)
    if key not in _loaded:
        sink = LogSink(context)
        with (
            sink.diverted()
        ):  # what a flavour says that cannot build here belongs to the reason, not to the build's log
            flavour = flavours.choose(requested, lambda module: make_logger(module, sink))
        gpu = find_gpu()
        _loaded[key] = (flavour, sink, gpu, features.describe(flavour, gpu, sink))
    return _loaded[key]


def describe_installation(context: ActionContext, *, flavour: str | None = None) -> dict[str, Any]:
    """Choose and load TensorRT; return `Installation` as a dictionary. Also warms the worker up for a build."""
    return load_flavour(context, flavour)[3].to_dict()


def parse(context: ActionContext, *, flavour: str | None = None, strongly_typed: bool = False) -> dict[str, Any]:
    """Parse the loaded model; return `ParseResult` as a dictionary. A refusal is a result, not an error."""
    file = loaded_model(context)
    chosen, sink, gpu, installation = load_flavour(context, flavour)
    context.state.pop(_STATE_KEY, None)
    sink.begin()
    state = EngineState(chosen, sink, gpu)
    state.parsed = ParsedNetwork(chosen, strongly_typed=strongly_typed)
    accepted = state.parsed.parse(file)
    if not accepted:
        errors = tuple(read_errors(state.parsed.parser, file.proto.graph))
        return ParseResult(ok=False, installation=installation, errors=errors).to_dict()
    context.state[_STATE_KEY] = state
    network = state.parsed.network
    return ParseResult(
        ok=True,
        installation=installation,
        layers=int(network.num_layers),
        inputs=network_tensors(network, kind="input"),
        outputs=network_tensors(network, kind="output"),
    ).to_dict()


def configure(context: ActionContext, *, plan: dict[str, Any]) -> None:
    """Make the builder configuration for `plan` (a `BuildPlan` as a dictionary) and keep it."""
    state = _engine_state(context)
    state.config = None
    notes = state.sink.begin()
    state.config = configuring.make_config(_parsed(state), from_dict(BuildPlan, plan), notes)
    state.monitor = make_progress_monitor(state.flavour.module, context)
    if state.monitor is not None:
        state.config.progress_monitor = state.monitor


def build(context: ActionContext, *, timing_cache: str | None = None) -> dict[str, Any]:
    """Build and serialize the engine; return `BuiltEngine` as a dictionary.

    Args:
        context: Holds the network and the configuration.
        timing_cache: Temporary file that the timing cache is written to after the build, if one is wanted.

    Raises:
        ActionError: The builder returned no engine; the message is TensorRT's own.
        Cancelled: The build was cancelled through the progress monitor.
    """
    state = _engine_state(context)
    if state.config is None:
        raise InputError("There is no configuration in this worker. Run the step 'configure' first.")
    parsed = _parsed(state)
    state.serialized = None
    state.notes = state.sink.begin()
    serialized = parsed.builder.build_serialized_network(parsed.network, state.config)
    context.raise_if_cancelled()
    if serialized is None:
        text = "\n".join(state.notes.errors) or "The builder returned no engine and gave no reason."
        raise ActionError(text, kind="BuildRefused")
    state.serialized = serialized
    if timing_cache:
        content = configuring.timing_cache_content(state.config)
        if content is not None:
            _write(timing_cache, memoryview(content), context)
    return BuiltEngine(int(serialized.nbytes), inspecting.memory_from_notes(state.notes)).to_dict()


def write(context: ActionContext, *, path: str) -> dict[str, Any]:
    """Write the engine to `path`, a new temporary file; return `WrittenEngine` as a dictionary.

    Hashing runs beside writing: hashlib lets go of the interpreter lock.
    """
    state = _engine_state(context)
    if state.serialized is None:
        raise InputError("There is no engine in this worker. Run the step 'build' first.")
    digest = hashlib.sha256()
    with memoryview(state.serialized) as view:
        hashing = start_thread(_hash, digest, view, context)
        try:
            _write(path, view, context)
        finally:
            hashing.join()
        return WrittenEngine(len(view), digest.hexdigest()).to_dict()


def _hash(digest: hashlib._Hash, content: memoryview, context: ActionContext) -> None:
    for start in range(0, len(content), _WRITE_BLOCK_BYTES):
        if context.cancel_requested:
            return
        digest.update(content[start : start + _WRITE_BLOCK_BYTES])


def _write(path: str, content: memoryview, context: ActionContext) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with os.fdopen(descriptor, "wb", buffering=0) as stream:
            for start in range(0, len(content), _WRITE_BLOCK_BYTES):
                context.raise_if_cancelled()
                block = content[start : start + _WRITE_BLOCK_BYTES]
                while block:  # one write call may take less than it was given
                    block = block[stream.write(block) :]
    except OSError as error:
        error.filename = path  # write and close do not know it
        raise


def inspect(context: ActionContext) -> dict[str, Any]:
    """Look into the engine that was built; return `InspectResult` as a dictionary."""
    state = _engine_state(context)
    if state.serialized is None:
        raise InputError("There is no engine in this worker. Run the step 'build' first.")
    return inspecting.inspect(state.flavour, state.serialized, state.gpu, state.notes).to_dict()


def _engine_state(context: ActionContext) -> EngineState:
    state: EngineState | None = context.state.get(_STATE_KEY)
    if state is None:
        raise InputError("No model is parsed in this worker. Run the step 'parse' first.")
    return state


def _parsed(state: EngineState) -> ParsedNetwork:
    if state.parsed is None:
        raise InputError("The network was released. Run the step 'parse' first.")
    return state.parsed
