"""The estimate of multiply-adds against published numbers, and against cases counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from tests import models
from trtlab._results import from_dict
from trtlab.model.arithmetic import Arithmetic, estimate_arithmetic
from trtlab.model.reading import ModelFile


def estimated(proto: onnx.ModelProto, folder: Path, sizes: Mapping[str, int] | None = None) -> Arithmetic:
    return estimate_arithmetic(ModelFile(models.save(proto, folder / "model.onnx")), sizes=sizes)


# In billions, from the table of models in torchvision's documentation (ResNet50, VGG19, SqueezeNet1_1).
@pytest.mark.parametrize(
    ("name", "billions"), [("light_resnet50", 4.09), ("light_vgg19", 19.63), ("light_squeezenet", 0.35)]
)
def test_networks_that_others_counted(name: str, billions: float) -> None:
    """Known networks have the published number of multiply-adds, to one in a hundred; nothing is unknown."""
    path = next(path for path in models.LIGHT_MODELS if path.stem == name)
    file = ModelFile(path)
    found = estimate_arithmetic(file)
    counted = [item for item in found.operations if item is not None]
    assert len(counted) == len(file.scopes[0].nodes)
    products = sum(
        count
        for node, count in zip(file.scopes[0].nodes, counted, strict=True)
        if node.op_type in ("Conv", "Gemm", "MatMul")
    )
    assert products / 1e9 == pytest.approx(billions, rel=0.01)
    assert sum(counted) / products < 1.02  # other operators are little beside them


def one(operator: str, inputs: Mapping[str, tuple[int, ...]], outputs: int = 1, **attributes: Any) -> onnx.ModelProto:
    """Return a model of one node with inputs of given shapes, float32."""
    names = [f"o{place}" for place in range(outputs)]
    dtypes = {"int8": TensorProto.INT8}
    values = [models.value(name, shape, dtypes.get(name[:4], TensorProto.FLOAT)) for name, shape in inputs.items()]
    results = [models.value(name, None) for name in names]
    return models.model([models.node(operator, list(inputs), names, **attributes)], values, results, opsets={"": 23})


CASES = {
    "Conv": (one("Conv", {"x": (2, 4, 8, 8), "w": (6, 2, 3, 3)}, group=2, pads=[1, 1, 1, 1]), 2 * 6 * 64 * 2 * 9),
    "ConvTranspose": (one("ConvTranspose", {"x": (1, 4, 5, 5), "w": (4, 3, 2, 2)}, strides=[2, 2]), 4 * 25 * 3 * 4),
    "Gemm": (one("Gemm", {"a": (3, 5), "b": (5, 7)}), 3 * 5 * 7),
    "Gemm transposed": (one("Gemm", {"a": (5, 3), "b": (7, 5)}, transA=1, transB=1), 3 * 5 * 7),
    "MatMul": (one("MatMul", {"a": (2, 1, 3, 5), "b": (4, 5, 7)}), 2 * 4 * 3 * 5 * 7),
    "MatMul of vectors": (one("MatMul", {"a": (5,), "b": (5,)}), 5),
    "LSTM": (one("LSTM", {"x": (9, 2, 3), "w": (1, 16, 3), "r": (1, 16, 4)}, 3, hidden_size=4), 9 * 2 * 16 * (3 + 4)),
    "GRU": (
        one("GRU", {"x": (9, 2, 3), "w": (2, 12, 3), "r": (2, 12, 4)}, 2, hidden_size=4, direction="bidirectional"),
        9 * 2 * 2 * 12 * (3 + 4),
    ),
    "RNN": (one("RNN", {"x": (9, 2, 3), "w": (1, 4, 3), "r": (1, 4, 4)}, 2, hidden_size=4), 9 * 2 * 4 * (3 + 4)),
    "Attention": (
        one("Attention", {"q": (2, 4, 6, 8), "k": (2, 4, 10, 8), "v": (2, 4, 10, 12)}), 2 * 4 * 6 * 10 * (8 + 12),
    ),
    "Attention, heads side by side": (
        one("Attention", {"q": (2, 6, 32), "k": (2, 10, 16), "v": (2, 10, 24)}, q_num_heads=4, kv_num_heads=2),
        2 * 4 * 6 * 10 * (8 + 12),
    ),
    "Einsum": (one("Einsum", {"a": (2, 3, 5), "b": (2, 5, 7)}, equation="bij, bjk -> bik"), 2 * 3 * 5 * 7),
    "Relu": (one("Relu", {"x": (2, 3, 4)}), 24),
    "Split": (one("Split", {"x": (4, 6)}, 2, num_outputs=2), 24),
    "Identity": (one("Identity", {"x": (2, 3, 4)}), 0),
    "NonZero": (one("NonZero", {"x": (2, 3)}), None),
    "Einsum of three": (one("Einsum", {"a": (2,), "b": (2,), "c": (2,)}, equation="i,i,i->i"), None),
    "another domain": (one("Gelu", {"x": (2, 3)}, domain="com.acme"), None),
    "shapes that do not fit": (one("Gemm", {"a": (3,), "b": (5, 7)}), None),
}  # fmt: skip


@pytest.mark.parametrize(("proto", "count"), CASES.values(), ids=CASES.keys())
def test_operators_counted_by_hand(proto: onnx.ModelProto, count: int | None, tmp_path: Path) -> None:
    """Each rule gives what a person counts; what is not known is None, not a guess."""
    assert list(estimated(proto, tmp_path).operations) == [count]


def test_quantized_products_count_like_the_others(tmp_path: Path) -> None:
    """The weight of a QLinearConv is its fourth input, that of ConvInteger its second."""
    scale, zero = numpy_helper.from_array(np.float32(1), "s"), numpy_helper.from_array(np.int8(0), "z")
    weights = [models.weight("w", 6, 4, 3, 3, dtype=np.int8), models.weight("m", 5, 7, dtype=np.int8), scale, zero]
    nodes = [
        models.node("QLinearConv", ["x", "s", "z", "w", "s", "z", "s", "z"], ["c"]),
        models.node("ConvInteger", ["x", "w"], ["i"]),
        models.node("QLinearMatMul", ["a", "s", "z", "m", "s", "z", "s", "z"], ["p"]),
        models.node("MatMulInteger", ["a", "m"], ["q"]),
    ]
    inputs = [models.value("x", (1, 4, 8, 8), TensorProto.INT8), models.value("a", (3, 5), TensorProto.INT8)]
    outputs = [models.value(name, None, TensorProto.INT8) for name in "cp"]
    outputs += [models.value(name, None, TensorProto.INT32) for name in "iq"]
    found = estimated(models.model(nodes, inputs, outputs, weights), tmp_path)
    assert list(found.operations) == [6 * 36 * 36, 6 * 36 * 36, 105, 105]


def test_open_sizes_are_what_was_given_or_one(tmp_path: Path) -> None:
    """Sizes count by their name, or by input and axis; the result says which were taken."""
    proto = models.model(
        [models.node("Mul", ["x", "z"], ["y"], "mul")], [models.value("x", ("batch", 4)), models.value("z", (None, 4))]
    )
    small = estimated(proto, tmp_path)
    assert (list(small.operations), small.sizes) == ([4], {"batch": 1, "z[0]": 1})
    assert "Counted with batch = 1, z[0] = 1." in small.note
    large = estimated(proto, tmp_path, {"batch": 8, "z[0]": 8})
    assert list(large.operations) == [32]
    assert from_dict(Arithmetic, large.to_dict()) == large


def test_branches_and_loops(tmp_path: Path) -> None:
    """An If counts its larger branch; how often a Loop runs is unknown, what its body does once is not."""
    proto = models.branches(
        [models.node("Relu", ["x"], ["a"]), models.node("Neg", ["a"], ["b"])], [models.node("Abs", ["x"], ["c"])]
    )
    assert list(estimated(proto, tmp_path, {"batch": 2}).operations) == [16, 8, 8, 8]
    body = models.graph(
        [models.node("Identity", ["go"], ["on"]), models.node("Relu", ["state"], ["next"])],
        [
            models.value("i", (), TensorProto.INT64),
            models.value("go", (), TensorProto.BOOL),
            models.value("state", (2, 4)),
        ],
        [models.value("on", (), TensorProto.BOOL), models.value("next", (2, 4))],
    )
    loop = models.model(
        [models.node("Loop", ["n", "", "x"], ["y"], "loop", body=body)],
        [models.value("n", (), TensorProto.INT64), models.value("x", (2, 4))],
        [models.value("y", (2, 4))],
    )
    found = estimated(loop, tmp_path)
    assert list(found.operations) == [None, 0, 8]
    assert "Unknown for 1 of 3 nodes." in found.note


def test_sizes_that_a_model_computes_itself_are_known(tmp_path: Path) -> None:
    """What Shape, Gather, Mul and Slice compute from known shapes is known behind them, one after the other too."""
    nodes = [
        models.node("Shape", ["x"], ["s"]),
        models.node("Gather", ["s", "first"], ["length"]),
        models.node("Slice", ["table", "zero", "length"], ["part"]),
        models.node("Shape", ["part"], ["p"]),
        models.node("Gather", ["p", "first"], ["rows"]),
        models.node("Mul", ["rows", "three"], ["many"]),
        models.node("Slice", ["table", "zero", "many"], ["more"]),
        models.node("Relu", ["more"], ["y"]),
    ]
    constants = [models.integers("first", 0), models.integers("zero", 0), models.integers("three", 3)]
    inputs = [models.value("x", ("length", 4)), models.value("table", (100, 8))]
    found = estimated(models.model(nodes, inputs, initializers=constants), tmp_path, {"length": 5})
    assert list(found.operations) == [0, 1, 5 * 8, 0, 1, 1, 15 * 8, 15 * 8]


def test_sizes_that_depend_on_values_stay_unknown(tmp_path: Path) -> None:
    """A size that is the sum of an input's values is not guessed."""
    nodes = [
        models.node("ReduceSum", ["n"], ["end"], keepdims=1),
        models.node("Slice", ["x", "zero", "end"], ["part"]),
        models.node("Relu", ["part"], ["y"]),
    ]
    inputs = [models.value("n", (1,), TensorProto.INT64), models.value("x", (9, 4))]
    found = estimated(models.model(nodes, inputs, initializers=[models.integers("zero", 0)]), tmp_path)
    assert list(found.operations) == [1, None, None]


@pytest.mark.parametrize("path", sorted(models.SAMPLES.glob("*.onnx")), ids=lambda path: path.stem)
def test_sample_models_are_counted(path: Path) -> None:
    """Every node of a sample has its place in the result, and counts are never negative."""
    file = ModelFile(path)
    found = estimate_arithmetic(file, sizes={"batch": 4})
    assert len(found.operations) == sum(len(scope.nodes) for scope in file.scopes)
    assert all(item is None or item >= 0 for item in found.operations)
    assert any(found.operations)


def test_a_transformer_with_computed_sizes_is_counted_whole() -> None:
    """The sample that slices its position table to the length of its input has no unknown node."""
    found = estimate_arithmetic(ModelFile(models.SAMPLES / "transformer.onnx"), sizes={"batch": 2, "sequence": 16})
    assert None not in found.operations
    assert found.sizes == {"batch": 2, "sequence": 16}
