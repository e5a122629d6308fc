"""Layers are read from real log text, and no name in a model can bring the reader down or forge a layer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import models
from trtlab._engine_results import EngineLayer
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.engine.layers import layers_from_inspector, layers_from_log, onnx_nodes

PROFILE = shape_profile({"x": ((1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8))})
HOSTILE = [
    "<b>conv, LayerType: evil, Inputs: [ ] ]",
    "re]lu\n[ONNX Layer: fake]",
    "Name: a\nName: b, TacticName: t, StreamId: 0, Metadata: ",
    "flatten",
]


def built(names: list[str], verbosity: str = "detailed") -> BuildReport:
    """Build the convolution with these names of nodes."""
    proto = models.convolution()
    for node, name in zip(proto.graph.node, names, strict=True):
        node.name = name
    with BuildSession(proto, plan=BuildPlan(profiles=(PROFILE,), profiling_verbosity=verbosity)) as session:  # type: ignore[arg-type]
        report = session.run_all()
    assert report.ok, report
    return report


def messages(report: BuildReport) -> list[str]:
    return [record.message for record in report.step("build").log if record.message.startswith("Layers:")]


@pytest.fixture(scope="module")
def plain() -> BuildReport:
    return built(["conv", "relu", "pool", "flatten"])


def test_a_real_build_lists_its_layers(plain: BuildReport) -> None:
    assert plain.installation is not None
    assert plain.layers_source == ("engine inspector" if plain.installation.gpu else "builder's log")
    assert {name for layer in plain.layers for name in layer.onnx_nodes} == {"conv", "relu", "pool"}, (
        "a Flatten costs nothing, so no layer computes it"
    )
    [layer] = [layer for layer in plain.layers if "conv" in layer.onnx_nodes]
    assert layer.onnx_nodes == ("conv", "relu"), "fused"
    assert layer.type
    assert layer.tactic
    assert all(": Float [-1 x " in text for text in (*layer.inputs, *layer.outputs))
    assert layers_from_log(messages(plain)) == plain.layers


def test_every_line_of_the_real_log_is_a_layer(plain: BuildReport) -> None:
    [message] = messages(plain)
    body = message.split("\n\n", maxsplit=1)[0]
    assert body.count("\nName: ") == len(plain.layers)


def test_the_real_log_of_a_build_without_details_names_no_nodes() -> None:
    report = built(["conv", "relu", "pool", "flatten"], "none")
    assert all(not layer.onnx_nodes for layer in report.layers)
    assert "profiling verbosity" in report.layers_note or report.layers, report.steps


def test_hostile_names_of_nodes_stay_names(plain: BuildReport) -> None:
    report = built(HOSTILE)
    assert len(report.layers) == len(plain.layers)
    assert [layer.type for layer in report.layers] == [layer.type for layer in plain.layers]
    found = {name for layer in report.layers for name in layer.onnx_nodes}
    assert found == set(HOSTILE[:3])
    assert "<b>" not in report._repr_mimebundle_()["text/html"]


LINE = (
    "Name: {name}_myl0_1, LayerType: kgen, Inputs: [ {{ Name: {tensor}, Dimensions: [-1,4], Strides: [4,1], Datatype: Float, "
    "Format: (Linear) Row major linear format }}], Constants: [], Outputs: [ {{ Name: y, Dimensions: [-1,4], Strides: [4,1], "
    "Datatype: Half, Format: (Linear) Row major linear format }}], TacticName: some_tactic, StreamId: 0, "
    "Metadata: [ONNX Layer: {name}]"
)
END = "\n\nI/O Tensors:\n Name: x, IOMode: Input\n"


def log_of(*lines: str) -> list[str]:
    return ["Layers:\n" + "\n".join(lines) + END]


@pytest.mark.parametrize(
    "name", ["a", "a.b/c:0", "[a]", "a]", "a, b", "line\nbreak", "{a}", "层", "a, LayerType: b", "Name: a"]
)
def test_names_are_read_as_they_are(name: str) -> None:
    line = LINE.format(name=name, tensor="x")
    layers = layers_from_log(log_of(line, LINE.format(name="next", tensor="t"), line))
    assert [layer.name for layer in layers] == [f"{name}_myl0_1", "next_myl0_1", f"{name}_myl0_1"]
    assert layers[0] == EngineLayer(
        f"{name}_myl0_1", "kgen", (name,), ("x: Float [-1 x 4]",), ("y: Half [-1 x 4]",), "some_tactic"
    )


PIECES = st.sampled_from([*"ab,[]{}:. \n", "Name: ", ", LayerType: ", "[ONNX Layer: ", ", Metadata: ", "\x1e"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=8).map("".join), max_size=5))
def test_no_name_breaks_the_reader_or_the_layers_around_it(names: list[str]) -> None:
    lines = [LINE.format(name="first", tensor="x"), *(LINE.format(name=name, tensor=name) for name in names)]
    layers = layers_from_log(log_of(*lines, LINE.format(name="last", tensor="x")))
    assert layers[0].name == "first_myl0_1"
    assert layers[0].onnx_nodes[0] == "first"
    assert all(isinstance(layer, EngineLayer) for layer in layers)
    assert len(layers) <= len(names) + 2


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text())
def test_any_text_is_read_without_an_exception(text: str, name: str) -> None:
    assert all(isinstance(layer, EngineLayer) for layer in layers_from_log([text, f"Layers:\n{text}", *log_of(text)]))
    assert all(isinstance(node, str) for node in onnx_nodes(f"[ONNX Layer: {name}]"))


def test_a_layer_of_many_nodes_is_read_whole() -> None:
    metadata = "".join(f"[ONNX Layer: node_{number}]" for number in range(20_000))
    line = LINE.format(name="x", tensor="x").replace("[ONNX Layer: x]", metadata)
    [layer] = layers_from_log(log_of(line))
    assert len(layer.onnx_nodes) == 20_000


def test_names_of_one_layer_appear_once_and_in_order() -> None:
    assert onnx_nodes("[ONNX Layer: b]\x1e[ONNX Layer: a]\x1e[ONNX Layer: b]") == ("b", "a")
    assert onnx_nodes("") == ()


def test_the_inspectors_json_in_both_of_its_forms() -> None:
    detailed = {
        "Layers": [
            {
                "Name": "conv",
                "LayerType": "correlation",
                "Inputs": [{"Name": "x", "Dimensions": [-1, 3], "Datatype": "Float"}],
                "Outputs": [{"Name": "y", "Dimensions": [2], "Format/Datatype": "Row major Half"}],
                "TacticName": "t",
                "Metadata": "[ONNX Layer: conv]\x1e[ONNX Layer: relu]",
            },
        ],
        "Bindings": ["x"],
    }
    assert layers_from_inspector(json.dumps(detailed)) == (
        EngineLayer("conv", "correlation", ("conv", "relu"), ("x: Float [-1 x 3]",), ("y: Row major Half [2]",), "t"),
    )
    assert layers_from_inspector('{"Layers": ["conv", "pool"]}') == (EngineLayer("conv", ""), EngineLayer("pool", ""))
    assert layers_from_inspector("{}") == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Name", "Inputs", "Dimensions", "Metadata"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_the_inspectors_json_may_hold_anything(value: object) -> None:
    layers = layers_from_inspector(json.dumps({"Layers": value}))
    assert all(isinstance(layer, EngineLayer) for layer in layers)
    assert layers_from_inspector(json.dumps(value)) == () or isinstance(value, dict)
