"""What is no ONNX model is refused when it is loaded, with what it is: TensorRT would take much of it for an empty network."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import models
from trtlab._errors import InputError
from trtlab.build.session import BuildSession
from trtlab.model import strict_text
from trtlab.model.foreign_files import describe_foreign_content
from trtlab.model.reading import ModelFile, undecodable_field
from trtlab.model.skeleton import skeleton
from trtlab.model.strict_text import texts_are_valid


def error_of(content: bytes, folder: Path) -> str:
    """Return why a file with this content is refused."""
    path = folder / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        ModelFile(path)
    message = str(caught.value)
    assert message.startswith("model.onnx ")
    return message


def zip_file() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.pkl", "x")
    return stream.getvalue()


def tar_file() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.onnx"))
    return stream.getvalue()


def numpy_file() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


LICENCE = (Path(__file__).parents[2] / "LICENSE").read_bytes()
FOREIGN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty (0 bytes)"),
    "zeros": (b"\0" * 4096, "nothing but zeros"),
    "html": (b"<!DOCTYPE html><html>Sign in</html>", "is a web page"),
    "html after a byte order mark": (b"\xef\xbb\xbf\n <HTML>", "is a web page"),
    "xml": (b"<?xml version='1.0'?><Error/>", "is a web page"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
    "zip": (zip_file(), "is a ZIP archive"),
    "tar": (tar_file(), "is a tar archive"),
    "gzip": (gzip.compress(b"model"), "gunzip"),
    "engine of TensorRT": (b"ftrt" + bytes(60), "already built"),
    "engine of TensorRT-RTX": (b"ptrt" + bytes(60), "already built"),
    "pickle": (pickle.dumps({"weights": [1.0]}, protocol=2), "is a Python pickle"),
    "keras": (b"\x89HDF\r\n\x1a\n" + bytes(8), "tf2onnx"),
    "tensorflow lite": (b"\x1c\0\0\0TFL3" + bytes(8), "TensorFlow Lite"),
    "safetensors": ((20).to_bytes(8, "little") + b'{"w":{"dtype":"F32"}}', "safetensors"),
    "gguf": (b"GGUF" + bytes(20), "GGUF"),
    "numpy": (numpy_file(), "NumPy array"),
    "not found": (b"404: Not Found", "is a text file, not a model; it begins with '404: Not Found'"),
    "hello": (b"hello", "is a text file"),
    "licence": (LICENCE, "it begins with 'Apache License'"),
    "json": (b'{"error": "no access"}', "is a text file"),
    "utf-16 with a mark": ("Zugriff verweigert — no".encode("utf-16"), "it begins with 'Zugriff verweigert — no'"),
    "utf-16 without a mark": ("hello".encode("utf-16-le"), "it begins with 'hello'"),
    "utf-16 big": ("hello".encode("utf-16-be"), "it begins with 'hello'"),
    "text of another script": (("模型不存在" * 60).encode(), "is a text file"),
    "onnx as json": (json.dumps({"irVersion": "8", "graph": {}}).encode(), "an ONNX model in a text form"),
    "onnx as text": (b"ir_version: 8\ngraph {\n}\n", "an ONNX model in a text form"),
    "other protobuf message": (models.weight("w", 3).SerializeToString(), "model.onnx "),
    "an empty graph": (onnx.ModelProto(ir_version=8, graph=onnx.GraphProto(name="g")).SerializeToString(), "no graph"),
    "a model with a name that is no text": (
        models.relu().SerializeToString().replace(b"relu", b"re\xff\xfe"),
        "is not valid text (UTF-8)",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_error_says_what_the_file_is(kind: str, tmp_path: Path) -> None:
    content, expected = FOREIGN[kind]
    assert expected in error_of(content, tmp_path)


@pytest.mark.parametrize("kind", ["empty", "html", "hello", "utf-16 with a mark", "an empty graph"])
def test_a_build_stops_at_load_with_that_error(kind: str) -> None:
    content, expected = FOREIGN[kind]
    with BuildSession(content) as session:
        report = session.run_all()
    assert not report.ok
    assert report.step("load").state == "failed"
    assert expected in report.diagnoses[0].why
    assert report.diagnoses[0].id == "parse.invalid_model"


@pytest.mark.parametrize("length", [1, 10, 100, -1])
def test_a_model_that_breaks_off(length: int, tmp_path: Path) -> None:
    error_of(models.convolution().SerializeToString()[:length], tmp_path)


def test_a_missing_file_a_folder_and_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "absent.onnx", "There is no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe or a device"),
        (tmp_path / "a\0b", "cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(InputError, match=words):
            ModelFile(path)


def test_a_file_over_the_limit_of_protobuf(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with path.open("wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(InputError, match="cannot be larger than 2 GiB"):
        ModelFile(path)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=600), st.text(max_size=300).map(str.encode), st.text().map(lambda t: t.encode("utf-16"))
    )
)
def test_random_content_is_never_taken_for_a_model_without_nodes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.onnx"
    path.write_bytes(content)
    try:
        file = ModelFile(path)
    except InputError as error:
        assert len(str(error)) > len("random.onnx ")  # noqa: PT017 - both endings are right, a third one is not
    else:
        assert file.proto.graph.node or file.proto.graph.output


@pytest.mark.parametrize("path", [*models.LIGHT_MODELS, *models.SAMPLES.glob("*.onnx")], ids=lambda path: path.stem)
def test_real_models_are_not_taken_for_something_else(path: Path) -> None:
    file = ModelFile(path)
    assert describe_foreign_content(file.content) == ""
    assert undecodable_field(file.proto) == ""
    assert texts_are_valid(skeleton(file.content))


@pytest.mark.parametrize("field", ["x", "y", "relu", "batch", "Relu"])
def test_every_name_that_is_no_text_is_found(field: str) -> None:
    content = models.relu().SerializeToString()
    position = content.index(bytes([len(field)]) + field.encode()) + 1
    proto = onnx.ModelProto.FromString(content[:position] + b"\xff" + content[position + 1 :])
    assert "\\xff" in undecodable_field(proto)
    assert not texts_are_valid(proto.SerializeToString())


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_protobuf_sees_the_same_texts_as_the_search_does(data: st.DataObject) -> None:
    model = models.convolution()
    model.producer_name = model.graph.doc_string = model.graph.node[0].doc_string = "a remark"
    model.metadata_props.add(key="a key", value="a value")
    content = bytearray(model.SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.sampled_from((0x00, 0x41, 0x80, 0xC3, 0xFF))
        )
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(bytes(content))
    except DecodeError:
        return
    if texts_are_valid(bytes(content)):  # what it does not know is searched for
        assert undecodable_field(proto) == ""


def test_where_protobuf_does_not_look_at_texts_they_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise TypeError

    assert texts_are_valid(models.relu().SerializeToString())
    strict_text._strict_model_class.cache_clear()
    monkeypatch.setattr(strict_text, "_make_class", refuse)
    assert not texts_are_valid(models.relu().SerializeToString())
    strict_text._strict_model_class.cache_clear()
    monkeypatch.setattr(strict_text, "_make_class", lambda _: onnx.ModelProto)  # takes everything
    assert not texts_are_valid(models.relu().SerializeToString())
    strict_text._strict_model_class.cache_clear()
