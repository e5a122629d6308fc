"""What the head of a file and serialization numbers say, held against engines and files that were really made."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trtlab
from tests import models
from trtlab.explain.catalog import LANGUAGES
from trtlab.explain.engine_files import kind_of_file, kind_of_head, kind_of_number, release_of_tag, tag_in_words
from trtlab.explain.log import analyse_log

HEADER = "[E] [TRT] IRuntime::deserializeCudaEngine: Error Code 1: Serialization (Serialization assertion safeVersionRead == kSAFE_SERIALIZATION_VERSION failed.Version tag does not match. Note: Current Version: {}, Serialized Engine Version: {})\n"  # noqa: E501
MAGIC = "[E] [TRT] IRuntime::deserializeCudaEngine: Error Code 1: Internal Error (Trying to load an engine created with incompatible serialization version ({} != 1953657974). Check that the engine was not created using safety runtime)\n"  # noqa: E501


def test_an_engine_says_who_built_it(tmp_path: Path) -> None:
    path = tmp_path / "relu.engine"
    report = trtlab.build(models.relu(), shapes={"x": ((1, 4), (2, 4), (4, 4))}, output=path)
    kind = kind_of_file(path)
    assert kind is not None
    assert kind.is_engine
    assert kind.flavour == "tensorrt_rtx"
    assert report.installation is not None
    assert report.installation.version.startswith(kind.version)
    assert kind.version.count(".") == 3


def zip_bytes() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.pkl", b"x")
    return stream.getvalue()


def ultralytics_bytes() -> bytes:
    metadata = json.dumps({"description": "a model"}).encode()
    return len(metadata).to_bytes(4, "little") + metadata + b"ftrt"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (zip_bytes(), "ZIP (PyTorch)"),
        (b"<html><body>404", "HTML"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (models.relu().SerializeToString(), "ONNX"),
        (ultralytics_bytes(), "Ultralytics engine (metadata before the engine)"),
        (b'{"a": 1}', "JSON"),
    ],
)
def test_other_files_are_named_and_so_are_the_numbers_that_tensorrt_prints_of_them(content: bytes, name: str) -> None:
    kind = kind_of_head(content[:64])
    assert kind is not None
    assert (kind.name, kind.is_engine) == (name, False)
    number = int.from_bytes(content[:4], "little")
    found = analyse_log(MAGIC.format(number)).diagnoses[0]
    assert found.id == "deserialize.corrupt"
    assert found.facts["file_kind"] == name
    assert name in found.why


@given(st.binary(max_size=80))
def test_any_head_gives_a_kind_or_none(head: bytes) -> None:
    kind = kind_of_head(head)
    assert kind is None or kind.name


@given(st.integers())
def test_any_number_gives_a_kind_or_none(number: int) -> None:
    kind = kind_of_number(number)
    assert kind is None or 0 < number < 1 << 32


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tag_is_decoded_with_how_sure_that_is(language: str) -> None:
    found = analyse_log(HEADER.format(98, 239), lang=language).diagnoses[0]
    assert found.id == "deserialize.version_mismatch"
    assert found.facts["release"] == "TensorRT 10.8–10.10"
    assert "TensorRT 10.8–10.10" in found.why
    assert "TensorRT-RTX 1.6.1" in found.causes[0].evidence
    assert ("public reports" if language == "en" else "公开") in found.causes[0].evidence


def test_an_unknown_tag_is_not_guessed() -> None:
    assert release_of_tag(237) is None
    assert tag_in_words(237, language="en") == ""
    found = analyse_log(HEADER.format(237, 9999)).diagnoses[0]
    assert "release" not in found.facts
    assert "9999" in found.why
