"""Messages that cannot be provoked on this machine, as they were recorded elsewhere, and any other text."""

from __future__ import annotations

import errno
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab._engine_results import ParserError
from trtlab.explain.building import diagnose_build, diagnose_ending, diagnose_file_error
from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy
from trtlab.explain.parsing import diagnose_parse
from trtlab.explain.wording import clean_message, first_sentence
from trtlab.worker.ending import Ending, EndingKind

NO_DRIVER = "(cudaError 35: CUDA driver version is insufficient for CUDA runtime version)"
# Of TensorRT-RTX 1.6.1 and 1.7.1 (recorded on 2026-11-22).
RECORDED = {
    "Error Code 2: OutOfMemory (Requested size was 68719477120 bytes.)": "build.out_of_memory",
    "IBuilder::buildSerializedNetwork: Error Code 7: BuildCanceled (The build was cancelled.)": "build.cancelled",
    "Error Code 6: API Usage Error (The engine cannot run on this GPU, which has compute capability 9.0.)": "env.unsupported_gpu",
    f"Error Code 1: Cuda Runtime (In init at /_src/x.cpp:1 {NO_DRIVER})": "env.no_gpu",
    "Error Code 6: API Usage Error (Unable to load library: libnvinfer_lean.so.1: cannot open shared object file)": "env.library_missing",
    "IBuilder::buildSerializedNetwork: Error Code 1: Myelin ([shape.cpp:1: f] Mismatched number of elements)": "build.myelin_internal",
    "Error Code 2: Internal Error (Assertion tScope.getType() != ScopeType::kUNDEFINED failed. )": "build.internal_error",
    "Something nobody has seen before": "build.failed",
}


@pytest.mark.parametrize("message", RECORDED)
def test_recorded_messages(message: str) -> None:
    diagnosis = diagnose_build([message])
    assert diagnosis.id == RECORDED[message]
    assert diagnosis.original == message
    assert diagnosis.why
    assert diagnosis.remedies


def test_the_tail_about_the_driver_counts_only_alone() -> None:
    tail = (
        "[checkMacros.cpp::catchCudaError::250] Error Code 1: Cuda Runtime (In catchCudaError at "
        "/_src/common/dispatch/checkMacros.cpp:250 (cudaError 35: CUDA driver version is insufficient for CUDA runtime version))"
    )
    cause = "Error Code 2: OutOfMemory (Requested size was 5 bytes.)"
    for messages in ([cause, tail], [tail, cause], [f"{cause}\n{tail}"]):
        assert diagnose_build(messages).id == "build.out_of_memory"
    assert diagnose_build([tail]).id == "env.no_gpu"
    reason = "broadcast dimensions must be conformable"
    text = (
        f"Invalid Node - n\nITensor::getDimensions: Error Code 4: Shape Error ({reason} In f at /_src/a.cpp:1)\n{tail}"
    )
    [diagnosis] = diagnose_parse((ParserError("INVALID_NODE", text, 0, "n", "Add"),), None)
    assert diagnosis.id == "parse.shape"
    assert reason in diagnosis.why
    assert "cudaError" not in diagnosis.why


def test_reasons_lose_the_places_in_the_source() -> None:
    places = "In operator() at /_src/runtime/a.cpp:628 In b at /_src/c.cpp:1"
    text = f"IBuilder::f: Error Code 4: Internal Error (kOPT values: n: bad 0 >= 0. {places})"
    assert first_sentence(text) == "kOPT values: n: bad 0 >= 0."
    assert clean_message("  plain  ") == "plain"


@pytest.mark.parametrize("kind", get_args(EndingKind))
def test_every_ending_of_a_worker_has_a_diagnosis(kind: EndingKind) -> None:
    diagnosis = diagnose_ending(
        Ending(kind, "It ended.", "SIGSEGV", None, "last line"), step="build", last_message="tactic 7"
    )
    assert diagnosis.title
    assert diagnosis.remedies
    assert diagnosis.why.startswith("It ended. The notebook's kernel was not affected")
    assert diagnosis.causes[0].evidence == "tactic 7"
    assert diagnosis.original == "last line"


@pytest.mark.parametrize(
    ("number", "identifier"),
    [
        (errno.ENOSPC, "file.disk_full"),
        (errno.EACCES, "file.not_writable"),
        (errno.ENOENT, "file.no_folder"),
        (errno.EIO, "file.failed"),
    ],
)
def test_file_errors(number: int, identifier: str) -> None:
    diagnosis = diagnose_file_error(OSError(number, "reason"), step="save", path="/x/y.engine")
    assert diagnosis.id == identifier
    assert "/x/y.engine: reason" in diagnosis.why
    assert diagnosis.remedies


codes = st.sampled_from(
    [
        "UNSUPPORTED_NODE",
        "INVALID_NODE",
        "INVALID_GRAPH",
        "MODEL_DESERIALIZE_FAILED",
        "MEM_ALLOC_FAILED",
        "REFIT_FAILED",
        "",
    ]
)
errors = st.builds(
    ParserError,
    codes,
    st.text(),
    st.integers(-1, 9),
    st.text(),
    st.text(),
    st.text(),
    st.lists(st.text()).map(tuple),
    st.text(),
    st.text(),
)


@given(st.lists(errors, max_size=4))
def test_any_parser_errors_are_explained_one_by_one(given_errors: list[ParserError]) -> None:
    diagnoses = diagnose_parse(tuple(given_errors), None)
    assert len(diagnoses) == len(given_errors)
    for diagnosis, error in zip(diagnoses, given_errors, strict=True):
        assert diagnosis.title
        assert diagnosis.id != "trtlab.unexpected"
        assert error.text in diagnosis.original
        assert len(repr(diagnosis).splitlines()) <= 4 or not diagnosis.title.isprintable()


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_messages_of_a_build_are_explained(messages: list[str]) -> None:
    diagnosis = diagnose_build(messages)
    assert diagnosis.title
    assert diagnosis.why
    assert diagnosis.original == "\n".join(messages)


def test_a_diagnosis_in_words() -> None:
    diagnosis = Diagnosis(
        "parse.shape",
        "It does not fit",
        place=Place("parse", "conv", "Conv", "x", "if0/then_branch"),
        why="Because.",
        causes=(Cause("One"),),
        remedies=(Remedy("Do it.", "code()"),),
        tensorrt_code="INVALID_NODE",
    )
    assert repr(diagnosis).splitlines() == [
        "It does not fit (INVALID_NODE)",
        "    Where: step parse, node 'conv' (Conv) in if0/then_branch, tensor 'x'",
        "    Why: Because.",
        "    Do this: Do it. code()",
    ]
    assert Place().lines() == ()
    assert Place(operator="Conv").lines() == ("a node (Conv)",)
