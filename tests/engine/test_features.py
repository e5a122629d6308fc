"""What a TensorRT offers is found by asking it: the real TensorRT-RTX, and stand-ins with the shape of other releases."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from trtlab._engine_results import Installation
from trtlab._results import from_dict
from trtlab.engine import features
from trtlab.engine.flavour import Flavour
from trtlab.engine.logger import LogSink
from trtlab.engine.parsing import network_flags
from trtlab.worker import LogRecord, Worker, shared_pool
from trtlab.worker.context import ActionContext, EventWriter
from trtlab.worker.ring_buffer import RingWriter, create


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    pool = shared_pool()
    borrowed = pool.acquire()
    yield borrowed
    pool.release(borrowed)


@pytest.fixture(scope="module")
def rtx(worker: Worker) -> Installation:
    return from_dict(Installation, worker.call("trtlab.engine.actions:describe_installation"))


def test_the_real_rtx_is_described(rtx: Installation) -> None:
    assert rtx.flavour == "tensorrt_rtx"
    assert {"75", "86", "89"} <= set(rtx.compute_capabilities)
    assert rtx.limitations == ()
    for name in ("targets", "tf32", "optimization_level", "profiling_verbosity", "memory.workspace"):
        assert rtx.option(name).offered, name
        assert rtx.option(name).reason == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timing_cache", "does nothing here"),
        ("hardware_compatibility", "ignores hardware compatibility"),
        ("version_compatible", "lean runtime"),
        ("precision.fp16", "strongly typed"),
        ("precision.int8", "strongly typed"),
        ("memory.dla_managed_sram", "does not take a limit"),
        ("memory.nonsense", "has no option"),
    ],
)
def test_what_the_real_rtx_only_pretends_to_have_is_not_offered(rtx: Installation, name: str, words: str) -> None:
    option = rtx.option(name)
    assert not option.offered
    assert words in option.reason


def test_asking_leaves_no_trace_in_the_log(worker: Worker) -> None:
    seen: list[Any] = []
    worker.call("trtlab.engine.actions:describe_installation", on_event=seen.append)
    assert [event for event in seen if isinstance(event, LogRecord)] == []


# Stand-ins: modules with the attributes of other releases, as far as they are asked for.


class Members:
    """Something like a pybind11 enum."""

    def __init__(self, *names: str) -> None:
        self.__members__ = {name: number for number, name in enumerate(names)}
        for name, number in self.__members__.items():
            setattr(self, name, number)


class Config:
    """A builder configuration that remembers what TensorRT would."""

    profiling_verbosity = 0
    builder_optimization_level = 3

    def create_timing_cache(self, content: bytes) -> bytes:
        return content

    def set_timing_cache(self, cache: bytes, ignore_mismatch: bool) -> bool:
        del ignore_mismatch
        self.cache = cache
        return True

    def get_timing_cache(self) -> bytes:
        return self.cache

    def set_memory_pool_limit(self, pool: int, limit: int) -> None:
        self.limit = (pool, limit)

    def get_memory_pool_limit(self, pool: int) -> int:
        return pool


def stand_in(name: str, version: str, **attributes: Any) -> Flavour:
    """Return a flavour whose module has these attributes."""
    module = ModuleType(name)
    module.__dict__.update(__version__=version, __file__="/nowhere/stand_in/__init__.py", **attributes)
    return Flavour("tensorrt", module, None, "It was asked for.")


def builder_of(config: type) -> type:
    class Builder:
        def __init__(self, logger: Any) -> None:
            del logger

        def create_builder_config(self) -> Any:
            return config()

        def build_serialized_network(self) -> None:
            raise NotImplementedError

    return Builder


PARSER_ERROR_8 = type("ParserError", (), {"code": None, "desc": None, "node": None})
PARSER_ERROR_10 = type("ParserError", (), {"node_name": None, "local_function_stack": None})
ENGINE = type("ICudaEngine", (), {"num_io_tensors": 0})


def tensorrt_8() -> Flavour:
    return stand_in(
        "tensorrt",
        "8.6.1",
        Builder=builder_of(Config),
        BuilderFlag=Members("FP16", "INT8", "TF32", "FP8", "VERSION_COMPATIBLE"),
        MemoryPoolType=Members("WORKSPACE", "TACTIC_DRAM"),
        NetworkDefinitionCreationFlag=Members("EXPLICIT_BATCH"),
        ParserError=PARSER_ERROR_8,
        ICudaEngine=ENGINE,
    )


def tensorrt_10() -> Flavour:
    class Compatible(Config):
        hardware_compatibility_level = 0

    return stand_in(
        "tensorrt",
        "10.13.3",
        Builder=builder_of(Compatible),
        BuilderFlag=Members("FP16", "BF16", "INT8", "TF32", "FP8", "INT4", "FP4", "VERSION_COMPATIBLE"),
        MemoryPoolType=Members("WORKSPACE"),
        HardwareCompatibilityLevel=Members("NONE", "AMPERE_PLUS"),
        NetworkDefinitionCreationFlag=Members("EXPLICIT_BATCH", "STRONGLY_TYPED"),
        ParserError=PARSER_ERROR_10,
        ICudaEngine=ENGINE,
        IProgressMonitor=object,
    )


def described(flavour: Flavour) -> Installation:
    return features.describe(flavour, None, LogSink(ActionContext(EventWriter(RingWriter(create())))))


def test_release_8_has_precisions_and_says_what_it_lacks() -> None:
    found = described(tensorrt_8())
    assert found.title == "TensorRT 8.6.1"
    assert [name for name in features.PRECISION_FLAGS if found.option(f"precision.{name}").offered] == [
        "fp16",
        "int8",
        "fp8",
    ]
    assert found.option("timing_cache").offered
    assert found.option("version_compatible").offered
    assert not found.option("hardware_compatibility").offered
    assert not found.option("targets").offered
    assert found.compute_capabilities == ()
    text = " ".join(found.limitations)
    assert "no progress monitor" in text
    assert "not its name and operator" in text
    assert "do not say which one" in text


def test_release_10_has_all_but_targets() -> None:
    found = described(tensorrt_10())
    assert found.limitations == ()
    assert {option.id for option in found.options if not option.offered} == {"targets"}
    assert "builds for the GPU that is here" in found.option("targets").reason


def test_a_warning_of_a_release_is_what_tells_that_an_option_does_nothing() -> None:
    class NoOperation(Config):
        def create_timing_cache(self, content: bytes) -> bytes:
            warnings.warn("Timing cache is a no-op here", UserWarning, stacklevel=1)
            return content

    flavour = tensorrt_10()
    flavour.module.__dict__["Builder"] = builder_of(NoOperation)
    assert not described(flavour).option("timing_cache").offered


def test_network_flags_ask_for_what_the_release_needs() -> None:
    eight, ten = tensorrt_8().module, tensorrt_10().module
    assert network_flags(eight, strongly_typed=True) == 1, "explicit batch; there is no strong typing to ask for"
    assert network_flags(ten, strongly_typed=False) == 0
    assert network_flags(ten, strongly_typed=True) == 1 << 1
    eleven = SimpleNamespace(NetworkDefinitionCreationFlag=Members())
    assert network_flags(eleven, strongly_typed=True) == 0  # type: ignore[arg-type]
