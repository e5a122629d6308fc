"""The details of a node: bounded texts, inferred types, ranges of constants wherever they lie, makers and readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests import models
from trtlab._errors import InputError
from trtlab._results import from_dict
from trtlab.model import skeleton as skeleton_module
from trtlab.model.constant_values import constant_facts
from trtlab.model.node_details import NodeDetails, NodeInput, NodeLookup
from trtlab.model.reading import ModelFile


def lookup(proto: onnx.ModelProto, folder: Path) -> NodeLookup:
    return NodeLookup(ModelFile(models.save(proto, folder / "model.onnx")))


def with_constant(array: Any, name: str = "w") -> onnx.ModelProto:
    """Return a model with one node that reads a constant."""
    tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(array, name)
    return models.model([models.node("Add", ["x", name], ["y"], "add")], initializers=[tensor])


def constant_of(proto: onnx.ModelProto, folder: Path) -> NodeInput:
    return lookup(proto, folder).details(0).inputs[1]


def test_a_convolution_is_described_whole(tmp_path: Path) -> None:
    """Attributes, roles, inferred types, the range of the weights, and who makes and reads what."""
    found = lookup(models.convolution(), tmp_path)
    details = found.details(0)
    assert (details.title, details.operator, details.opset, details.index) == ("conv", "Conv", 17, 0)
    assert [(item.name, item.type, item.text) for item in details.attributes] == [("pads", "ints", "[1, 1, 1, 1]")]
    image, weights = details.inputs
    assert (image.name, image.type, image.role, image.made_by) == ("x", "float32 [batch x 3 x 8 x 8]", "X", -1)
    assert (weights.type, weights.role) == ("float32 [4 x 3 x 3 x 3]", "W")
    assert weights.constant is not None
    assert weights.constant.text == "all 1, 432 B"
    (result,) = details.outputs
    assert (result.name, result.type, result.read_by) == ("c", "float32 [batch x 4 x 8 x 8]", (1,))
    relu = found.details(1)
    assert relu.inputs[0].made_by == 0
    assert found.details(3).outputs[0].is_result
    assert from_dict(NodeDetails, details.to_dict()) == details


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.linspace(-0.5, 2, 5000, dtype=np.float32), "-0.5 .. 2, 19.5 KiB"),
        (np.linspace(-0.5, 2, 5000).astype(np.float16), "-0.5 .. 2, 9.77 KiB"),
        (np.array([np.nan, np.inf, -np.inf, 3.0] * 10), "all 3, 10 NaN, 20 infinite, 320 B"),
        (np.full(40, np.nan, np.float32), "40 NaN, 160 B"),
        (np.arange(3, dtype=np.int64), "[0, 1, 2], 24 B"),
        (np.arange(-40, 60, dtype=np.int8), "-40 .. 59, 100 B"),
        (np.array([True, False] * 20), "0 .. 1, 40 B"),
        (np.array(2.5, np.float32), "2.5, 4 B"),
        (np.zeros((0, 4), np.float32), "0 B"),
        (np.array([b"a", b"<b>"], object), "[a, <b>], 11 B"),
    ],
    ids=["float32", "float16", "odd", "nan", "few", "int8", "bool", "scalar", "empty", "text"],
)
def test_constants_of_each_kind(array: Any, text: str, tmp_path: Path) -> None:
    """The range is that of the finite values; what is not finite is counted."""
    constant = constant_of(with_constant(array), tmp_path).constant
    assert constant is not None
    assert constant.text.split(", ")[:-1] == text.split(", ")[:-1]
    if array.dtype != object:
        assert constant.text == text


@pytest.mark.parametrize("dtype", ["BFLOAT16", "FLOAT8E4M3FN", "INT4", "UINT4", "FLOAT4E2M1"])
def test_narrow_types_are_read(dtype: str, tmp_path: Path) -> None:
    """Types that NumPy does not have, packed ones too."""
    kind = TensorProto.DataType.Value(dtype)
    tensor = helper.make_tensor("w", kind, [40], [0.0, 1.0] * 20)
    raw = numpy_helper.from_array(numpy_helper.to_array(tensor), "w")
    for stored in (tensor, raw):
        constant = constant_of(with_constant(stored), tmp_path).constant
        assert constant is not None
        assert constant.note == ""
        assert (constant.minimum, constant.maximum) == (0, 1)


@pytest.mark.parametrize("is_left_out", [True, False])
def test_large_weights_are_read_from_the_file(
    is_left_out: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that are not in the message are looked at where they lie: the file, or one beside it."""
    monkeypatch.setattr(skeleton_module, "_WORTHWHILE_BYTES", 0 if is_left_out else 1 << 40)
    array = np.linspace(-3, 5, 3_000_000, dtype=np.float32)
    array[17] = np.nan
    inside = constant_of(with_constant(array), tmp_path).constant
    assert inside is not None
    assert inside.text == "-3 .. 5, 1 NaN, 11.4 MiB"
    whole = numpy_helper.from_array(array, "w")
    (tmp_path / "weights.bin").write_bytes(b"x" * 8 + whole.raw_data)
    outside = models.external(whole, "weights.bin", offset=8, length=len(whole.raw_data))
    assert constant_of(with_constant(outside), tmp_path).constant == inside


def test_constants_that_do_not_fit_say_so(tmp_path: Path) -> None:
    """Data of the wrong size, and a note of left out data that leads nowhere, are told and stop nothing."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], raw_data=b"123")
    constant = constant_of(with_constant(tensor), tmp_path).constant
    assert constant is not None
    assert "needs 16 bytes, the file has 3" in constant.text
    forged = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    for key, value in (("trtlab.left_out_bytes", "16"), ("trtlab.left_out_at", "9" * 30)):
        forged.metadata_props.add(key=key, value=value)
    file = ModelFile(models.save(with_constant(forged), tmp_path / "forged.onnx"))
    assert "cannot be read" in constant_facts(file.proto.graph.initializer[0], file).text


def test_a_constant_node_and_what_a_branch_reads_from_around(tmp_path: Path) -> None:
    """A Constant is shown with its values where it is read, also from inside a branch; the holder tells what its branches read."""
    constant = models.node("Constant", [], ["k"], "k", value=numpy_helper.from_array(np.array([1.5], np.float32)))
    branch = models.graph([models.node("Mul", ["r", "k"], ["m"], "mul")], outputs=[models.value("m", None)])
    nodes = [
        constant,
        models.node("Relu", ["x"], ["r"], "relu"),
        models.node("If", ["condition"], ["y"], "choice", then_branch=branch, else_branch=branch),
    ]
    inputs = [models.value("x"), models.value("condition", (), TensorProto.BOOL)]
    found = lookup(models.model(nodes, inputs), tmp_path)
    inner = found.details(3)
    assert inner.scope == "choice/else_branch"
    assert [(item.name, item.made_by) for item in inner.inputs] == [("r", 1), ("k", 0)]
    assert inner.inputs[1].constant is not None
    assert inner.inputs[1].constant.values == "[1.5]"
    assert inner.inputs[0].type == "float32 [batch x 4]"
    holder = found.details(2)
    assert [(item.name, item.role) for item in holder.inputs] == [
        ("condition", "cond"), ("k", "read by what is inside"), ("r", "read by what is inside"),
    ]  # fmt: skip
    assert [item.text for item in holder.attributes] == ["graph of 1 node"] * 2
    assert found.details(1).outputs[0].read_by == (2,)


def test_sizes_without_a_name_are_not_given_one(tmp_path: Path) -> None:
    """Names that shape inference makes up are not shown as if the model had them."""
    nodes = [models.node("NonZero", ["x"], ["n"], "nonzero"), models.node("Relu", ["n"], ["y"], "relu")]
    assert lookup(models.model(nodes), tmp_path).details(0).outputs[0].type == "int64 [2 x ?]"


def test_what_is_huge_is_cut_with_its_count(tmp_path: Path) -> None:
    """A million-element attribute, thousands of inputs and a name of 10,000 characters stay readable."""
    node = helper.make_node(
        "Sum", [f"t{number}" for number in range(3000)], ["y"], name="n" * 10_000, many=list(range(1_000_000)),
        text="<img src=x>" * 10_000, doc_string="d" * 10_000,
    )  # fmt: skip
    details = lookup(models.model([node]), tmp_path).details(0)
    texts = {item.name: item.text for item in details.attributes}
    assert texts["many"] == f"[{', '.join(map(str, range(16)))}, …] (1000000 elements)"
    assert len(texts["text"]) == 500
    assert (len(details.inputs), details.more_inputs) == (200, 2800)
    assert len(details.to_json()) < 100_000


def test_a_function_tells_its_attributes_and_its_opset(tmp_path: Path) -> None:
    """Inside a local function, attributes may be those of the call, and the operator set is the function's."""
    inner = models.node("LeakyRelu", ["a"], ["b"], "leaky")
    inner.attribute.add(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    function = helper.make_function("acme", "Fold", ["a"], ["b"], [inner], [helper.make_opsetid("", 16)], ["slope"])
    call = models.node("Fold", ["x"], ["y"], "call", domain="acme", slope=0.5)
    details = lookup(models.model([call], opsets={"": 17, "acme": 1}, functions=[function]), tmp_path).details(1)
    assert details.attributes[0].text == "attribute slope of the function"
    assert (details.opset, details.scope) == (16, "acme.Fold")
    assert details.inputs[0].role == "X"


@pytest.mark.parametrize("number", [-1, 4, 10**9])
def test_a_node_that_is_not_there(number: int, tmp_path: Path) -> None:
    """A wrong number is an error that says how many nodes there are."""
    with pytest.raises(InputError, match="4 nodes"):
        lookup(models.convolution(), tmp_path).details(number)


@pytest.mark.parametrize("path", models.LIGHT_MODELS[:4], ids=lambda path: path.stem)
def test_every_node_of_models_that_others_wrote(path: Path) -> None:
    """In ONNX's light models every tensor has a type, and makers and readers agree."""
    file = ModelFile(path)
    found = NodeLookup(file)
    everything = [found.details(number) for number in range(len(file.scopes[0].nodes))]
    for details in everything:
        assert all(item.type for item in details.inputs)
        assert details.outputs[0].type
        for item in details.inputs:
            if item.made_by >= 0:
                made = [output for output in everything[item.made_by].outputs if output.name == item.name]
                assert details.number in made[0].read_by
