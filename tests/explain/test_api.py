"""`trtlab.explain` takes whatever somebody has in hand."""

from __future__ import annotations

import io
import json
from enum import IntEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trtlab
from trtlab._errors import BuildError, InputError
from trtlab.explain.catalog import catalog
from trtlab.explain.diagnosis import Diagnoses, Diagnosis
from trtlab.explain.exceptions import chain, concerns_tensorrt, exception_text
from trtlab.explain.recording_logger import LoggedMessage

NAMES = [
    "PARSE_ERROR",
    "UNSUPPORTED_NODE",
    "INVALID_ARGUMENT",
    "INTERNAL_ERROR",
    "EXECUTION_FAILED",
    "CALIBRATION_FAILED",
]
REMOVED = "'tensorrt_bindings.tensorrt.IBuilderConfig' object has no attribute 'max_workspace_size'"


def ids(found: Diagnoses) -> list[str]:
    return [diagnosis.id for diagnosis in found]


@pytest.mark.parametrize("name", NAMES)
def test_the_names_that_people_use(name: str) -> None:
    found = trtlab.explain(name)
    assert found[0].id == f"name.{name}"
    assert found[0].root
    assert found[0].remedies
    assert ids(trtlab.explain(name.lower())) == ids(found)


def test_numbers_and_their_enumerations() -> None:
    assert ids(trtlab.explain(700)) == ["cuda.700"]
    assert ids(trtlab.explain("cuda 700")) == ids(trtlab.explain("CUDA error 700")) == ["cuda.700"]
    assert ids(trtlab.explain(3, enum="nvinfer1.ErrorCode")) == ["nvinfer1.ErrorCode.INVALID_ARGUMENT"]
    assert ids(trtlab.explain(3, enum="nvonnxparser::ErrorCode")) == ["nvonnxparser.ErrorCode.MODEL_DESERIALIZE_FAILED"]
    assert ids(trtlab.explain("Error Code 10")) == ["nvinfer1.ErrorCode.UNSUPPORTED_STATE"]
    several = trtlab.explain(3)
    assert len(several) > 1
    assert not several[0].sure, "the number alone does not say which enumeration it belongs to"
    assert ids(trtlab.explain(123456)) == []
    with pytest.raises(InputError, match="none of"):
        trtlab.explain(3, enum="errno")


def test_members_of_enumerations() -> None:
    class ErrorCode(IntEnum):
        UNSUPPORTED_NODE = 8

    class cudaError_t(IntEnum):  # noqa: N801 - its name in cuda-python
        cudaErrorInsufficientDriver = 35  # noqa: N815

    assert ids(trtlab.explain(ErrorCode.UNSUPPORTED_NODE))[0] == "nvonnxparser.ErrorCode.UNSUPPORTED_NODE"
    assert ids(trtlab.explain(cudaError_t.cudaErrorInsufficientDriver)) == ["cuda.35"]


def test_every_id_of_the_catalog_explains_itself_in_both_languages() -> None:
    for identifier in catalog():
        for language in ("en", "zh"):
            found = trtlab.explain(identifier, lang=language)
            assert found[0].id == identifier
            assert found[0].meaning
            assert found[0].causes
            assert found[0].remedies
            assert found[0].references


def test_none_is_explained() -> None:
    assert ids(trtlab.explain(None)) == ["build.null_engine"]


def test_an_exception_with_its_chain() -> None:
    try:
        try:
            raise AttributeError(REMOVED)
        except AttributeError as error:
            raise RuntimeError("could not build") from error
    except RuntimeError as error:
        caught = error
    found = trtlab.explain(caught)
    assert found[0].id == "api.removed"
    assert found[0].facts["symbol"] == "max_workspace_size"
    assert [type(link).__name__ for link in chain(caught)] == ["AttributeError", "RuntimeError"]
    assert "could not build" in exception_text(caught)


def test_exceptions_of_trtlab_know_already() -> None:
    diagnosis = Diagnosis("parse.shape", "It does not fit")
    error = ValueError("outer")
    error.__cause__ = BuildError.__new__(BuildError)
    error.__cause__.diagnoses = (diagnosis,)
    assert trtlab.explain(error) == [diagnosis]


def test_other_exceptions() -> None:
    assert ids(trtlab.explain(MemoryError())) == ["build.out_of_memory"]
    assert ids(trtlab.explain(FileNotFoundError(2, "No such file", "model.engine"))) == ["file.not_found"]
    assert ids(trtlab.explain(KeyError("x"))) == []
    assert not concerns_tensorrt(KeyError("x"))


def test_a_path_a_stream_bytes_and_records(tmp_path: Path) -> None:
    text = "[E] Error Code 2: OutOfMemory (Requested size was 68719477120 bytes.)\n"
    path = tmp_path / "build.log"
    path.write_text(text)
    records = [LoggedMessage(0.0, "error", text[4:]), {"severity": "info", "message": "fine"}]
    for source in (text, path, str(path), text.encode(), io.StringIO(text), io.BytesIO(text.encode()), records):
        found = trtlab.explain(source)
        assert ids(found) == ["build.out_of_memory"], source
        assert found[0].facts["requested_bytes"] == "68719477120"


def test_objects_of_tensorrt() -> None:
    class ErrorCode(IntEnum):
        UNSUPPORTED_NODE = 8

    class ParserError:
        def code(self) -> ErrorCode:
            return ErrorCode.UNSUPPORTED_NODE

        def desc(self) -> str:
            return (
                'Assertion failed: creator && "Plugin not found, are the plugin name, version, and namespace correct?"'
            )

        def node(self) -> int:
            return 4

        def node_name(self) -> str:
            return "swish"

        def node_operator(self) -> str:
            return "MySwish"

        def func(self) -> str:
            return "importFallbackPluginImporter"

    class Parser:
        num_errors = 1

        def get_error(self, index: int) -> ParserError:
            assert index == 0
            return ParserError()

    for what in (ParserError(), Parser()):
        found = trtlab.explain(what)
        assert ids(found) == ["parse.plugin_missing"]
        assert (found[0].place.node, found[0].place.operator) == ("swish", "MySwish")


def test_the_real_parser() -> None:
    """In a child process, as everywhere: its errors are explained as they are."""
    from tests.explain.processes import run_python

    output = run_python("""
        import tensorrt_rtx as trt, onnx, trtlab
        from onnx import helper, TensorProto
        node = helper.make_node("Det", ["x"], ["y"], "the node")
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph([node], "g", [value("x", (2, 3, 3))], [value("y", (2,))])
        logger = trt.Logger(trt.Logger.INTERNAL_ERROR)
        builder = trt.Builder(logger)
        network = builder.create_network(0)
        parser = trt.OnnxParser(network, logger)
        assert not parser.parse(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
        found = trtlab.explain(parser)
        print(found[0].id, found[0].place.node, found[0].place.operator, trtlab.explain(parser.get_error(0).code())[0].id, sep="|")
    """)
    assert (
        output.strip().splitlines()[-1] == "parse.unsupported_node|the node|Det|nvonnxparser.ErrorCode.UNSUPPORTED_NODE"
    )


def test_what_says_nothing_is_refused_or_gives_nothing() -> None:
    with pytest.raises(InputError, match="False says nothing"):
        trtlab.explain(False)
    with pytest.raises(InputError, match="nothing that can be explained"):
        trtlab.explain(object())
    empty = trtlab.explain("what is this")
    assert empty == []
    assert repr(empty).startswith("Nothing was recognised")


def test_json_and_html() -> None:
    found = trtlab.explain("[E] 3: getPluginCreator could not find plugin: <img src=x onerror=alert(1)> version: 1")
    document = json.loads(json.dumps(found.to_dict()))
    assert document["schema"] == "trtlab.explain/1"
    assert set(document["diagnoses"][0]) >= {
        "id", "title", "severity", "root", "lines", "tensorrt_code", "meaning", "causes", "remedies", "references",
    }  # fmt: skip
    html = found._repr_mimebundle_()["text/html"]
    assert "<img" not in html
    assert "&lt;img" in html


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    try:
        assert isinstance(trtlab.explain(text), Diagnoses)
    except InputError:
        assert Path(text).exists()
