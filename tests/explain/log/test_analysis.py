"""What a log means: the first real cause, what follows from it, what is harmless, and nothing where nothing is known."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtlab._errors import CancelledError, InputError
from trtlab.explain.diagnosis import Diagnosis, LogAnalysis
from trtlab.explain.log import analyse_log

PROFILE = "[E] [TRT] IExecutionContext::setInputShape: Error Code 3: API Usage Error (Parameter check failed, condition: satisfyProfile. Set dimension [32,3,64,64] for tensor x does not satisfy any optimization profiles. Valid range for profile 0: [1,3,64,64]..[16,3,64,64]. In setInputShape at executionContext.cpp:2368)"  # noqa: E501
MEMORY = "[W] [TRT] Requested amount of GPU memory (12902400000 bytes) could not be allocated."
NO_MEMORY = "[E] Error[1]: [defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)"
NO_IMPLEMENTATION = "[E] Error[10]: IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any implementation for node {ForeignNode[a...b]}.)"  # noqa: E501
HARMLESS = "[W] [TRT] CUDA lazy loading is not enabled. Enabling it can significantly reduce device memory usage"
NULL = "AttributeError: 'NoneType' object has no attribute 'serialize'"


def roots(analysis: LogAnalysis) -> list[str]:
    return [diagnosis.id for diagnosis in analysis.diagnoses if diagnosis.root]


def first(text: str, *, lang: str = "en") -> Diagnosis:
    return analyse_log(text, lang=lang).diagnoses[0]


def test_the_facts_are_in_the_diagnosis() -> None:
    diagnosis = first(PROFILE)
    assert diagnosis.id == "runtime.shape_out_of_profile"
    assert diagnosis.facts["shape"] == "[32,3,64,64]"
    assert diagnosis.facts["maximum"] == "[16,3,64,64]"
    assert diagnosis.place.tensor == "x"
    assert "[32,3,64,64]" in diagnosis.why
    assert "[16,3,64,64]" in diagnosis.why
    assert diagnosis.tensorrt_code == "Error Code 3: API Usage Error"
    assert diagnosis.lines == (1, 1)


def test_a_failed_allocation_before_it_decides_what_no_implementation_means() -> None:
    assert roots(analyse_log(f"{NO_IMPLEMENTATION}\n")) == ["build.no_implementation"]
    with_memory = analyse_log(f"{NO_MEMORY}\n{MEMORY}\n{NO_IMPLEMENTATION}\n")
    assert roots(with_memory) == ["build.out_of_memory"]
    assert with_memory.diagnoses[0].facts["requested_bytes"] == "12902400000"
    consequence = next(d for d in with_memory.diagnoses if d.id == "build.no_implementation")
    assert not consequence.root
    assert (with_memory.marks[0].first, with_memory.marks[0].role) == (1, "root")


def test_a_consequence_counts_only_alone() -> None:
    assert roots(analyse_log(f"{PROFILE}\n{NULL}")) == ["runtime.shape_out_of_profile"]
    alone = analyse_log(NULL)
    assert roots(alone) == ["build.null_engine"]
    assert not alone.diagnoses[0].sure


def test_harmless_lines_are_marked_and_are_no_root() -> None:
    analysis = analyse_log(f"{HARMLESS}\n{PROFILE}\n{HARMLESS}\n")
    assert roots(analysis) == ["runtime.shape_out_of_profile"]
    assert [(mark.first, mark.role) for mark in analysis.marks] == [(1, "harmless"), (2, "root"), (3, "harmless")]
    assert roots(analyse_log(HARMLESS)) == []


def test_verbose_lines_never_count() -> None:
    assert analyse_log(PROFILE.replace("[E]", "[V]")).diagnoses == ()


@pytest.mark.parametrize("text", ["", "\n\n", "hello", "Everything went well\n" * 100, "42"])
def test_unknown_text_gives_nothing(text: str) -> None:
    assert analyse_log(text).diagnoses == ()


def test_a_message_that_a_terminal_broke_is_put_together() -> None:
    width = 60
    broken = "\n".join(PROFILE[start : start + width] for start in range(0, len(PROFILE), width))
    analysis = analyse_log(f"before\n{broken}\nafter")
    assert roots(analysis) == ["runtime.shape_out_of_profile"]
    assert analysis.diagnoses[0].lines is not None
    assert analysis.diagnoses[0].lines[0] == 2


def test_the_node_comes_from_the_lines_before() -> None:
    log = (
        '[E] [TRT] ModelImporter.cpp:773: While parsing node number 207 [GridSample -> "grid_out"]:\n'
        "[E] [TRT] ModelImporter.cpp:779: ERROR: builtin_op_importers.cpp:4958 In function importFallbackPluginImporter:\n"
        '[8] Assertion failed: creator && "Plugin not found, are the plugin name, version, and namespace correct?"\n'
    )
    diagnosis = first(log)
    assert diagnosis.id == "parse.unsupported_node", "GridSample is an operator of ONNX, not a plugin"
    assert diagnosis.place.operator == "GridSample"
    assert first(log.replace("GridSample", "DCNv2")).id == "parse.plugin_missing"


def test_the_line_before_a_block_ends_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trtlab.explain.log.reading._BLOCK_BYTES", 64)
    log = "\n".join(
        [f"line {number} of no interest" for number in range(200)] + [NO_MEMORY, NO_IMPLEMENTATION, *["tail"] * 50]
    )
    analysis = analyse_log(log)
    assert roots(analysis) == ["build.out_of_memory"]
    assert analysis.diagnoses[0].lines == (201, 201)
    assert analysis.line_count == 252


def test_what_the_log_says_of_its_tool_and_version() -> None:
    analysis = analyse_log(f"&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # trtexec\n{NO_MEMORY}\n")
    assert (analysis.tool, analysis.version) == ("trtexec", "8.6.1")
    assert analyse_log(f"TensorRT version: 10.8.0.43\n{NO_MEMORY}").version == "10.8.0.43"


def test_a_driver_that_is_missing_is_told_from_one_that_is_old() -> None:
    log = "[W] [TRT] CUDA initialization failure with error: 35. Please check your CUDA installation"
    assert roots(analyse_log(log)) == ["env.driver_too_old"]
    assert roots(analyse_log(log, has_driver=False)) == ["env.no_gpu"]


def test_chinese() -> None:
    english, chinese = first(PROFILE), first(PROFILE, lang="zh")
    assert (english.id, english.facts) == (chinese.id, chinese.facts)
    assert chinese.title != english.title
    assert chinese.language == "zh"
    with pytest.raises(InputError, match=r"English .* and Chinese"):
        analyse_log(PROFILE, lang="fr")


def test_it_can_be_stopped() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(CancelledError):
        analyse_log(PROFILE, cancelled=cancelled)


def test_ten_megabytes_in_one_line() -> None:
    analysis = analyse_log(("x" * 10_000_000) + "\n" + PROFILE)
    assert roots(analysis) == ["runtime.shape_out_of_profile"]


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([PROFILE, MEMORY, NO_MEMORY, NO_IMPLEMENTATION, HARMLESS, NULL, "plain", ""]), max_size=12)
)
def test_any_mixture_has_one_first_cause_and_marks_in_range(lines: list[str]) -> None:
    analysis = analyse_log("\n".join(lines))
    if analysis.diagnoses and analysis.diagnoses[0].severity != "harmless":
        assert analysis.diagnoses[0].root
    for mark in analysis.marks:
        assert 1 <= mark.first <= mark.last <= max(1, len(lines))
        assert 0 <= mark.diagnosis < len(analysis.diagnoses)
    assert LogAnalysis(**{field: getattr(analysis, field) for field in analysis.__dataclass_fields__}) == analysis


@given(st.binary(max_size=2000) | st.text(max_size=500))
def test_any_input_gives_a_result_or_a_clear_error(content: bytes | str) -> None:
    try:
        analysis = analyse_log(content)
    except InputError as error:
        if "binary" not in str(error):
            pytest.fail(f"not clear: {error}")
        return
    assert isinstance(analysis, LogAnalysis)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "build.log"
    path.write_text(f"{HARMLESS}\n{PROFILE}\n")
    assert roots(analyse_log(path)) == ["runtime.shape_out_of_profile"]


@pytest.mark.parametrize(
    ("message", "gone", "instead"),
    [
        (
            "AttributeError: 'tensorrt_bindings.tensorrt.IBuilderConfig' object has no attribute 'max_workspace_size'",
            "IBuilderConfig.max_workspace_size",
            "set_memory_pool_limit",
        ),
        (
            "AttributeError: 'tensorrt.tensorrt.ICudaEngine' object has no attribute 'num_bindings'",
            "num_bindings",
            "num_io_tensors",
        ),
        (
            "AttributeError: module 'tensorrt_rtx' has no attribute 'IInt8EntropyCalibrator2'",
            "IInt8EntropyCalibrator2",
            "Q",
        ),
    ],
)
def test_a_name_that_is_gone_is_named_with_what_replaces_it_first(message: str, gone: str, instead: str) -> None:
    diagnosis = first(message)
    assert diagnosis.id == "api.removed"
    assert gone in diagnosis.why
    assert "gone since" in diagnosis.why or "only" in diagnosis.why
    assert instead in diagnosis.remedies[0].text
    assert first(message, lang="zh").remedies[0].text != diagnosis.remedies[0].text


SKIPPED = "[W] [TRT] Skipping tactic 0 due to insufficient memory on requested size of {} detected for tactic 0x1."


def test_skipped_tactics_are_normal_unless_no_tactic_is_left() -> None:
    harmless = analyse_log(f"{SKIPPED.format(71680)}\n[I] Engine built in 3.1 sec.\n")
    assert roots(harmless) == []
    assert harmless.diagnoses[0].severity == "harmless"
    assert roots(analyse_log(f"{SKIPPED.format(29147520)}\n{NO_IMPLEMENTATION}\n")) == ["config.workspace"]
    assert roots(analyse_log(f"{SKIPPED.format(9663676416)}\n{NO_IMPLEMENTATION}\n")) == ["build.out_of_memory"]


def test_what_a_build_got_over_is_no_error() -> None:
    tried = f"{NO_MEMORY}\n{MEMORY}\n"
    assert roots(analyse_log(tried)) == ["build.out_of_memory"]
    built = analyse_log(f"{tried}[I] [TRT] Engine generation completed in 12.3 seconds.\n")
    assert roots(built) == []
    assert {diagnosis.severity for diagnosis in built.diagnoses} == {"harmless"}
    later = analyse_log(f"{tried}[I] [TRT] Engine generation completed in 12.3 seconds.\n{PROFILE}\n")
    assert roots(later) == ["runtime.shape_out_of_profile"]


def test_a_crash_follows_from_a_cause_before_it() -> None:
    analysis = analyse_log(
        "[E] Error Code 1: Cuda Runtime (an illegal memory access was encountered)\nSegmentation fault (core dumped)\n"
    )
    assert roots(analysis) == ["runtime.cuda_illegal_access"]
    assert roots(analyse_log("Segmentation fault (core dumped)\n")) == ["worker.crash"]


def test_the_parsers_word_false_gets_its_reason() -> None:
    log = "[E] In node 3 with name: det and operator: Det (checkDet): UNSUPPORTED_NODE: false\n"
    assert "determinants" in first(log).why
    assert "行列式" in first(log, lang="zh").why
