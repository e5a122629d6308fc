"""What TensorRT-RTX said on an H100 when engines were misused is explained for what it was. The recording says when and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trtlab.explain.catalog import LANGUAGES
from trtlab.explain.diagnosis import Diagnosis
from trtlab.explain.log import analyse_log

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "recordings"
RECORDINGS = sorted(FOLDER.glob("*_runtime_failures_*.json"))
# What a person has to read in the sentence: the facts of the case.
SAYS = {
    "shape_over_the_maximum": ("[4096,1,8,8]", "[256,1,8,8]", "image"),
    "shape_below_the_minimum": ("[0,1,8,8]", "[1,1,8,8]", "image"),
    "shape_of_another_size": ("[4,1,9,8]", "[-1,1,8,8]", "image"),
    "tensor_that_does_not_exist": ("no_such_input",),
    "address_for_a_tensor_that_does_not_exist": ("no_such_input",),
    "shape_that_was_never_set": ("image",),
    "input_without_an_address": ("image",),
    "output_without_an_address": ("logits",),
    "null_address": ("logits",),
    "address_that_is_no_multiple_of_the_type": ("image", "4"),
    "misaligned_address": ("misaligned",),
    "onnx_file_as_engine": ("ONNX",),
    "text_as_engine": ("HTML",),
    "pytorch_file_as_engine": ("PyTorch",),
    "engine_of_another_release": ("98", "100", "1.7.1"),
}


def failures() -> list[Any]:
    return [
        pytest.param(failure, id=f"{path.stem}-{failure['case']}")
        for path in RECORDINGS
        for failure in json.loads(path.read_text("utf-8"))["failures"]
    ]


def root(log: str, language: str) -> Diagnosis | None:
    return next((found for found in analyse_log(log, lang=language).diagnoses if found.root), None)


def test_recordings_say_where_they_come_from() -> None:
    assert RECORDINGS
    for path in RECORDINGS:
        document = json.loads(path.read_text("utf-8"))
        assert document["date"]
        assert document["gpu"]
        assert document["driver"]
        assert document["version"]
        assert set(SAYS) <= {failure["case"] for failure in document["failures"]}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("failure", failures())
def test_recorded_failure_is_explained(failure: dict[str, Any], language: str) -> None:
    found = root(failure["log"], language)
    if not failure["class"]:
        assert found is None
        return
    assert found is not None
    assert found.id == failure["class"]
    for words in SAYS.get(failure["case"], ()):
        assert words in found.why, found.why
