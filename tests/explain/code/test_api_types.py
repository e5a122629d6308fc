"""What TensorRT's calls return, and what names of variables speak for."""

from __future__ import annotations

import pytest
import tensorrt_rtx  # noqa: TID251 - live objects of the bindings are what is asked about here

from trtlab.explain.code import api_types
from trtlab.explain.code.api_types import INTEGER, NOTHING, OTHER, STRING, UNKNOWN


def objects(*names: str) -> api_types.Types:
    return frozenset({("object", name) for name in names})


@pytest.mark.parametrize(
    ("call", "gives"),
    [
        ("Builder.create_network", objects("INetworkDefinition")),
        ("Builder.create_builder_config", objects("IBuilderConfig")),
        ("Builder.build_engine", objects("ICudaEngine")),
        ("Builder.build_serialized_network", objects("IHostMemory")),
        ("Runtime.deserialize_cuda_engine", objects("ICudaEngine")),
        ("ICudaEngine.create_execution_context", objects("IExecutionContext")),
        ("INetworkDefinition.add_convolution_nd", objects("IConvolutionLayer")),
        ("INetworkDefinition.get_input", objects("ITensor")),
        ("ICudaEngine.get_tensor_name", STRING),
        ("ICudaEngine.get_binding_index", INTEGER),
        ("get_plugin_registry", objects("IPluginRegistry")),
        ("no.such_call", UNKNOWN),
    ],
)
def test_results_of_calls(call: str, gives: api_types.Types) -> None:
    assert api_types.result(call) == gives


def test_texts_of_the_bindings() -> None:
    assert api_types.from_text("list[str]") == frozenset({("items", ("str",))})
    assert api_types.from_text("tensorrt_bindings::ICudaEngine") == objects("ICudaEngine")
    assert api_types.from_text("Weights") == objects("Weights")
    assert api_types.from_text("capsule") == OTHER
    assert api_types.from_text("what is this") == UNKNOWN


def test_names_of_variables() -> None:
    assert api_types.hints("trt_engine_2") == {"ICudaEngine"}
    assert api_types.hints("builderConfig") == {"Builder", "IBuilderConfig"}
    assert api_types.hints("self") == frozenset()
    assert api_types.hints("") == frozenset()


def test_live_objects() -> None:
    logger = tensorrt_rtx.Logger()
    assert api_types.of_object(tensorrt_rtx) == frozenset({("module", "tensorrt_rtx")})
    assert api_types.of_object(logger) == objects("Logger")
    assert api_types.of_object(tensorrt_rtx.Logger) == frozenset({("class", "Logger")})
    for other in (pytest, 1, None, "trt", object()):
        assert api_types.of_object(other) == NOTHING


def test_too_many_possibilities_are_unknown() -> None:
    assert api_types.union(*(objects(str(number)) for number in range(20))) == UNKNOWN
