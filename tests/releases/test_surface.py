"""The data on what each release's Python API has, and its loader."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import resources
from typing import Any, get_args

import pytest

from trtlab import releases
from trtlab._errors import InputError
from trtlab.releases import Flavour, Kind, UnknownReleaseError, closest_release, describe, has, releases_with, symbols
from trtlab.releases.read_wheels import RELEASES

TEN: tuple[str, ...] = tuple(release.version for release in releases.releases("tensorrt") if release.numbers[0] == 10)
ELEVEN: tuple[str, ...] = tuple(
    release.version for release in releases.releases("tensorrt") if release.numbers[0] == 11
)
RTX: tuple[str, ...] = tuple(release.version for release in releases.releases("tensorrt_rtx"))
ALL_TENSORRT = ("8.6.1", *TEN, *ELEVEN)


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_file().read_text(encoding="utf-8"))
    return loaded


def _file() -> Any:
    return resources.files("trtlab.releases").joinpath("api_surface.json")


def versions_with(symbol: str, flavour: Flavour = "tensorrt") -> tuple[str, ...]:
    return tuple(release.version for release in releases_with(symbol, flavour))


def since(version: str, versions: tuple[str, ...] = ALL_TENSORRT) -> tuple[str, ...]:
    return versions[versions.index(version) :]


# ---- the releases -------------------------------------------------------------------------------------------------


def test_every_listed_release_was_read_from_its_own_wheel() -> None:
    known = releases.releases()
    assert [(release.flavour, release.package, release.version) for release in known] == [
        (source.flavour, source.package, source.version) for source in RELEASES
    ]
    for release in known:
        assert release.wheel.startswith(f"{release.package.replace('-', '_')}-{release.version}-")
        assert re.fullmatch(r"[0-9a-f]{64}", release.sha256)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", release.read_on)
        assert release.read_by == "import"
    assert len({release.sha256 for release in known}) == len(known)


def test_the_releases_that_trtlab_supports_are_there_in_order() -> None:
    assert TEN[0] == "10.0.1"
    assert TEN[-1] == "10.16.1.11"
    assert len(TEN) == 25
    assert ELEVEN == ("11.0.0.114", "11.1.0.106", "11.2.1.2", "11.3.0.99", "11.4.0.106")
    assert RTX == ("1.4.0.76", "1.5.0.114", "1.6.1.120", "1.7.1.116")
    for flavour in get_args(Flavour):
        numbers = [release.numbers for release in releases.releases(flavour)]
        assert numbers == sorted(numbers)


# ---- known facts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "symbol",
    [
        *(f"BuilderFlag.{name}" for name in ("FP16", "INT8", "OBEY_PRECISION_CONSTRAINTS")),
        *(f"IInt8{name}Calibrator" for name in ("", "Legacy", "Entropy", "MinMax")),
        "IInt8EntropyCalibrator2",
        "IAlgorithmSelector",
        "ILayer.precision",
        "ILayer.set_output_type",
        "NetworkDefinitionCreationFlag.EXPLICIT_BATCH",
    ],
)
def test_weak_typing_ended_with_tensorrt_11_and_rtx_1_5(symbol: str) -> None:
    assert versions_with(symbol) == ("8.6.1", *TEN)
    # RTX 1.4 still has the names. It refuses to build with the flags, and its config takes no calibrator.
    assert versions_with(symbol, "tensorrt_rtx") == ("1.4.0.76",)


@pytest.mark.parametrize(
    "symbol",
    [
        "IBuilderConfig.int8_calibrator",
        "IBuilderConfig.set_calibration_profile",
        "IBuilderConfig.algorithm_selector",
        "ICudaEngine.device_memory_size",
        "Builder.platform_has_fast_fp16",
        "ITensor.dynamic_range",
        "OnnxParser.supports_model",
    ],
)
def test_what_ended_with_tensorrt_11_and_never_was_in_rtx(symbol: str) -> None:
    assert versions_with(symbol) == ("8.6.1", *TEN)
    assert versions_with(symbol, "tensorrt_rtx") == ()


@pytest.mark.parametrize(
    "symbol",
    [
        "IBuilderConfig.max_workspace_size",
        "Builder.build_engine",
        "Builder.max_batch_size",
        "IExecutionContext.execute_async_v2",
        "ICudaEngine.get_binding_index",
        "UffParser",
        "CaffeParser",
    ],
)
def test_what_tensorrt_10_removed_is_in_8_6_only(symbol: str) -> None:
    assert versions_with(symbol) == ("8.6.1",)
    assert versions_with(symbol, "tensorrt_rtx") == ()


@pytest.mark.parametrize(
    "symbol",
    [
        "Builder.build_serialized_network",
        "Builder.create_network",
        "BuilderFlag.TF32",
        "BuilderFlag.REFIT",
        "BuilderFlag.VERSION_COMPATIBLE",
        "EngineInspector.get_engine_information",
        "IBuilderConfig.builder_optimization_level",
        "IBuilderConfig.create_timing_cache",
        "IBuilderConfig.profiling_verbosity",
        "IBuilderConfig.set_memory_pool_limit",
        "IExecutionContext.execute_async_v3",
        "IOptimizationProfile.set_shape_input",
        "OnnxParser.parse_from_file",
        "ParserError.node",
        "ProfilingVerbosity.DETAILED",
        "Runtime.deserialize_cuda_engine",
    ],
)
def test_what_trtlab_uses_everywhere_is_everywhere(symbol: str) -> None:
    assert versions_with(symbol) == ALL_TENSORRT
    assert versions_with(symbol, "tensorrt_rtx") == RTX


def test_the_progress_monitor_came_with_tensorrt_10() -> None:
    for symbol in ("IProgressMonitor.step_complete", "IBuilderConfig.progress_monitor"):
        assert versions_with(symbol) == (*TEN, *ELEVEN)
        assert versions_with(symbol, "tensorrt_rtx") == RTX


def test_names_that_came_later_are_there_from_then_on() -> None:
    assert versions_with("OnnxParser.supports_model_v2") == since("10.1.0")
    assert versions_with("ICudaEngine.device_memory_size_v2") == since("10.1.0")
    assert versions_with("BuilderFlag.STRICT_NANS") == since("10.6.0")
    assert versions_with("HardwareCompatibilityLevel.SAME_COMPUTE_CAPABILITY") == since("10.9.0.34")
    assert versions_with("ParserError.local_function_stack") == since("10.0.1")
    assert versions_with("ComputeCapability.SM121", "tensorrt_rtx") == RTX[1:]


def test_only_rtx_builds_for_a_named_compute_capability() -> None:
    for symbol in ("IBuilderConfig.set_compute_capability", "IBuilderConfig.num_compute_capabilities"):
        assert versions_with(symbol) == ()
        assert versions_with(symbol, "tensorrt_rtx") == RTX


def test_values_are_the_ones_that_tensorrt_gives() -> None:
    severities = {"INTERNAL_ERROR": 0, "ERROR": 1, "WARNING": 2, "INFO": 3, "VERBOSE": 4}
    for release in releases.releases():
        for name, value in severities.items():
            for owner in ("ILogger.Severity", "ILogger", "Logger", "Logger.Severity"):
                symbol = describe(f"{owner}.{name}", release.flavour, release.version)
                assert symbol is not None
                assert symbol.value == value


@pytest.mark.parametrize(
    ("symbol", "before", "after"),
    [
        ("NetworkDefinitionCreationFlag.STRONGLY_TYPED", 1, 0),
        ("BuilderFlag.VERSION_COMPATIBLE", 13, 12),
        ("BuilderFlag.STRIP_PLAN", 19, 18),
        ("BuilderFlag.TF32", 6, 6),
        ("BuilderFlag.REFIT", 4, 4),
    ],
)
def test_flags_were_numbered_anew_when_weak_typing_went(symbol: str, before: int, after: int) -> None:
    older: tuple[tuple[Flavour, str], ...] = (*(("tensorrt", version) for version in TEN), ("tensorrt_rtx", RTX[0]))
    newer: tuple[tuple[Flavour, str], ...] = (
        *(("tensorrt", version) for version in ELEVEN),
        *(("tensorrt_rtx", version) for version in RTX[1:]),
    )
    for expected, group in ((before, older), (after, newer)):
        values = {described.value for release in group if (described := describe(symbol, *release)) is not None}
        assert values == {expected}


def test_deprecations_say_since_when() -> None:
    flag = "BuilderFlag.FP16"
    marked = [version for version in TEN if (describe(flag, "tensorrt", version) or pytest.fail(flag)).deprecated]
    assert tuple(marked) == since("10.12.0.36", TEN)
    symbol = describe(flag, "tensorrt", "10.16.1.11")
    assert symbol is not None
    assert symbol.deprecated == "Deprecated in TensorRT 10.12. Superseded by strong typing."
    # The alias WEIGHTLESS is deprecated, the name that replaced it is not, although both are one value.
    alias, current = (
        describe(f"BuilderFlag.{name}", "tensorrt", "10.16.1.11") for name in ("WEIGHTLESS", "STRIP_PLAN")
    )
    assert alias is not None
    assert current is not None
    assert (alias.value, current.value) == (19, 19)
    assert alias.deprecated == "Deprecated in TensorRT 10.0."
    assert current.deprecated is None
    # A remark about another interface, in brackets, is no mark.
    workspace = describe("MemoryPoolType.WORKSPACE", "tensorrt", "10.16.1.11")
    assert workspace is not None
    assert workspace.deprecated is None


def test_signatures_read_as_python_does() -> None:
    parse = describe("OnnxParser.parse", "tensorrt_rtx", "1.7.1.116")
    assert parse is not None
    assert parse.kind == "method"
    assert parse.signatures == ("(model: buffer, path: str = None) -> bool",)
    parser = describe("OnnxParser", "tensorrt", "11.4.0.106")
    assert parser is not None
    assert parser.signatures == ("(network: INetworkDefinition, logger: ILogger) -> None",)
    flags = describe("IBuilderConfig.flags", "tensorrt", "10.0.1")
    assert flags is not None
    assert (flags.kind, flags.type_name, flags.settable) == ("property", "int", True)


def test_inherited_names_are_there() -> None:
    layer = describe("IConvolutionLayer", "tensorrt", "10.16.1.11")
    assert layer is not None
    assert layer.bases == ("ILayer",)
    assert has("IConvolutionLayer.name", "tensorrt", "10.16.1.11")
    assert has("IConvolutionLayer.set_output_type", "tensorrt", "10.16.1.11")
    assert not has("IConvolutionLayer.set_output_type", "tensorrt", "11.0.0.114")


# ---- the loader ---------------------------------------------------------------------------------------------------


def test_an_unknown_release_says_which_are_known() -> None:
    for ask in (symbols, lambda flavour, version: has("Builder", flavour, version)):
        with pytest.raises(UnknownReleaseError, match=r"tensorrt '10\.99'.*8\.6\.1, 10\.0\.1.*11\.4\.0\.106"):
            ask("tensorrt", "10.99")
    assert issubclass(UnknownReleaseError, InputError)


def test_an_unknown_flavour_says_which_there_are() -> None:
    with pytest.raises(UnknownReleaseError, match="flavours are tensorrt, tensorrt_rtx"):
        symbols("tensorflow", "2.0")  # type: ignore[arg-type]


def test_an_unknown_name_is_in_no_release() -> None:
    assert not has("BuilderFlag.MAKE_IT_FAST", "tensorrt", "10.16.1.11")
    assert describe("BuilderFlag.MAKE_IT_FAST", "tensorrt", "10.16.1.11") is None
    assert releases_with("BuilderFlag.MAKE_IT_FAST", "tensorrt") == ()


@pytest.mark.parametrize(
    ("flavour", "version", "closest"),
    [
        ("tensorrt", "10.13.3.9", "10.13.3.9"),
        ("tensorrt", "10.13.3.9.post1", "10.13.3.9.post1"),
        ("tensorrt", "10.14.1.48", "10.14.1.48.post1"),
        ("tensorrt", "10.12.0.36.post1", "10.12.0.36"),
        ("tensorrt", "10.3.0.26", "10.3.0"),
        ("tensorrt", "10.9.0.99", "10.9.0.34"),
        ("tensorrt", "8.5.3", "8.6.1"),
        ("tensorrt", "12.0.0.1", "11.4.0.106"),
        ("tensorrt_rtx", "1.6.2", "1.6.1.120"),
    ],
)
def test_the_closest_release_is_the_same_one_or_the_newest_before(flavour: Flavour, version: str, closest: str) -> None:
    assert closest_release(flavour, version).version == closest


def test_the_closest_release_needs_a_number() -> None:
    with pytest.raises(UnknownReleaseError, match="'newest'"):
        closest_release("tensorrt", "newest")


def test_importing_reads_nothing_and_asking_needs_no_tensorrt() -> None:
    code = (
        "import sys; import trtlab.releases as releases; from trtlab.releases import _surface\n"
        "assert _surface._load.cache_info().currsize == 0\n"
        "assert releases.has('Builder', 'tensorrt', '10.0.1')\n"
        "loaded = {'tensorrt', 'tensorrt_bindings', 'tensorrt_rtx', 'tensorrt_rtx_bindings', 'numpy', 'onnx'}\n"
        "assert not loaded & set(sys.modules), loaded & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


# ---- the file -----------------------------------------------------------------------------------------------------


def test_the_file_is_small() -> None:
    assert len(_file().read_bytes()) < 400_000


def test_the_file_is_well_formed(content: dict[str, Any]) -> None:
    assert set(content) == {"schema", "releases", "symbols"}
    count = len(content["releases"])
    keys = {"kind", "value", "type", "settable", "signatures", "bases", "deprecated"}
    for name, entries in content["symbols"].items():
        assert re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", name), name
        seen: list[int] = []
        for spans, fact in entries:
            assert re.fullmatch(r"\d+(-\d+)?( \d+(-\d+)?)*", spans), name
            assert set(fact) <= keys, name
            assert fact["kind"] in get_args(Kind), name
            assert "value" in fact or fact["kind"] != "member", name
            for span in spans.split():
                first, _, last = span.partition("-")
                seen.extend(range(int(first), int(last or first) + 1))
        assert len(seen) == len(set(seen)), f"{name} stands twice in one release"
        assert set(seen) <= set(range(count)), name
    assert list(content["symbols"]) == sorted(content["symbols"])


def test_what_holds_a_name_and_what_it_inherits_from_is_a_class_of_the_same_release() -> None:
    for release in releases.releases():
        names = symbols(release.flavour, release.version)
        assert len(names) > 1000
        for name in names:
            owner = name.rpartition(".")[0]
            described = describe(name, release.flavour, release.version)
            assert described is not None
            assert not owner or (describe(owner, release.flavour, release.version) or pytest.fail(owner)).kind in (
                "class",
                "enum",
            )
            assert names.issuperset(described.bases)


def test_no_machine_shows_in_the_file() -> None:
    text = _file().read_text(encoding="utf-8")
    assert not re.search(r"/(?:root|home|tmp|usr|work)/|://| at 0x", text)
