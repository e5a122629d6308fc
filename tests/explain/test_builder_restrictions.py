"""What parses and then stops the real builder is explained in the words of the model, and what is said to build does build."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests import models
from trtlab.explain.building import diagnose_build_of_node
from trtlab.explain.cards import cards_html
from trtlab.explain.catalog import LANGUAGES
from trtlab.explain.diagnosis import Diagnosis
from trtlab.explain.log import analyse_log
from trtlab.explain.restrictions import find_restriction, restrictions
from trtlab.model.description import NodeReference
from trtlab.model.node_description import NodeFacts, RefusalFacts, TensorFacts
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveySession

# A line of TensorRT's source, its names of layers, what trtlab itself adds to names, an address.
RAW = re.compile(r"::|&&|\|\||\(\)|==|\bI[A-Z]\w+Layer|Unnamed Layer|\.cpp|checkMacros|trtlab|https?:")
FLOAT8, FLOAT16 = TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT16


def array(name: str, values: Any) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values), name)


def attention(shape: tuple[int | str, ...], dtype: int = TensorProto.FLOAT, **attributes: Any) -> onnx.ModelProto:
    inputs = [models.value(name, shape, dtype) for name in "qkv"]
    node = models.node("Attention", ["q", "k", "v"], ["y"], "attention", **attributes)
    return models.model([node], inputs, [models.value("y", None, dtype)], opsets={"": 23})


def attention_between_casts() -> onnx.ModelProto:
    inputs = [models.value(name, (1, 4, 16, 64)) for name in "qkv"]
    nodes = [models.node("Cast", [name], [f"{name}_half"], to=FLOAT16) for name in "qkv"]
    nodes += [
        models.node("Attention", ["q_half", "k_half", "v_half"], ["y_half"], "attention"),
        models.node("Cast", ["y_half"], ["y"], to=TensorProto.FLOAT),
    ]
    return models.model(nodes, inputs, [models.value("y", None)], opsets={"": 23})


def attention_written_out() -> onnx.ModelProto:
    inputs = [models.value(name, (1, 2, 6, 8)) for name in "qkv"]
    nodes = [
        models.node("Transpose", ["k"], ["k_turned"], perm=[0, 1, 3, 2]),
        models.node("MatMul", ["q", "k_turned"], ["products"]),
        models.node("Mul", ["products", "scale"], ["scaled"]),
        models.node("Softmax", ["scaled"], ["weights"]),
        models.node("MatMul", ["weights", "v"], ["y"]),
    ]
    return models.model(nodes, inputs, [models.value("y", None)], [array("scale", np.float32(0.35))], opsets={"": 23})


def one(
    operator: str,
    *,
    reads: tuple[str, ...] = ("x",),
    takes: int = TensorProto.FLOAT,
    gives: int = TensorProto.FLOAT,
    shape: tuple[int | str, ...] = (4, 8),
    weights: tuple[TensorProto, ...] = (),
    **attributes: Any,
) -> onnx.ModelProto:
    node = models.node(operator, reads, ["y"], "it", **attributes)
    return models.model(
        [node], [models.value("x", shape, takes)], [models.value("y", None, gives)], weights, opsets={"": 23}
    )


def between_casts(operator: str, dtype: int) -> onnx.ModelProto:
    nodes = [
        models.node("Cast", ["x"], ["a"], to=TensorProto.FLOAT),
        models.node(operator, ["a"], ["b"]),
        models.node("Cast", ["b"], ["y"], to=dtype),
    ]
    return models.model(nodes, [models.value("x", (4, 8), dtype)], [models.value("y", None, dtype)])


def top_k(count: int, length: int = 8000) -> onnx.ModelProto:
    node = models.node("TopK", ["x", "k"], ["values", "places"], "top")
    outputs = [models.value("values", None), models.value("places", None, TensorProto.INT64)]
    return models.model([node], [models.value("x", (2, length))], outputs, [models.integers("k", count)])


def suppression() -> onnx.ModelProto:
    node = models.node("NonMaxSuppression", ["boxes", "scores", "most", "overlap", "least"], ["y"], "suppression")
    inputs = [models.value("boxes", (1, 10, 4)), models.value("scores", (1, 2, 10))]
    weights = [
        array("most", np.array([3], np.int64)),
        array("overlap", np.array([0.5], np.float32)),
        array("least", np.array([0.1], np.float32)),
    ]
    return models.model([node], inputs, [models.value("y", None, TensorProto.INT64)], weights)


def branches_of_ranks(*, same: bool) -> onnx.ModelProto:
    nodes = [models.node("Relu", ["x"], ["a"])]
    if same:
        nodes.append(models.node("Unsqueeze", ["a", "axis"], ["a3"]))
    proto = models.branches(nodes, [models.node("Unsqueeze", ["x", "axis"], ["b"])])
    proto.graph.initializer.append(models.integers("axis", 0))
    return proto


def loop(*inside: onnx.NodeProto) -> onnx.ModelProto:
    body = models.graph(
        [models.node("Identity", ["go"], ["on"]), *inside],
        [
            models.value("i", (), TensorProto.INT64),
            models.value("go", (), TensorProto.BOOL),
            models.value("carried", None),
        ],
        [models.value("on", (), TensorProto.BOOL), models.value("next", None)],
    )
    inputs = [
        models.value("count", (), TensorProto.INT64),
        models.value("first", (), TensorProto.BOOL),
        models.value("x", (2, 3)),
    ]
    node = models.node("Loop", ["count", "first", "x"], ["y"], "loop", body=body)
    return models.model([node], inputs, [models.value("y", None)])


def reshape(*target: int) -> onnx.ModelProto:
    node = models.node("Reshape", ["x", "target"], ["y"], "reshape")
    return models.model(
        [node], [models.value("x", ("batch", 3, 4))], [models.value("y", None)], [models.integers("target", *target)]
    )


def to_half() -> onnx.NodeProto:
    return models.node("Cast", ["carried"], ["next"], to=FLOAT16)


def quantized(dtype: int) -> TensorProto:
    return helper.make_tensor("w", dtype, [4, 8], bytes([17] * 32), raw=True)


@dataclass(frozen=True)
class Case:
    """A model that the builder refuses, why, and the same after what is advised."""

    make: Callable[[], onnx.ModelProto]
    restriction: str
    says: tuple[str, ...]
    advice: str
    repaired: Callable[[], onnx.ModelProto] | None = None


SCALE = array("s", np.float32(1))
CASES = {
    "attention in float32": Case(
        lambda: attention((1, 4, 16, 64)), "builder.attention_float32",
        ("not for float32", "is float32 [1, 4, 16, 64]"), "Cast to float16", attention_between_casts,
    ),
    "attention of open sizes": Case(
        lambda: attention(("b", 4, "s", 64)), "builder.attention_float32", ("float32 [b, 4, s, 64]",), "Cast",
        lambda: attention(("b", 4, "s", 64), FLOAT16),
    ),
    "attention with small heads": Case(
        lambda: attention((1, 2, 6, 8)), "builder.attention_head_size", ("9 to 256",), "MatMul", attention_written_out
    ),
    "attention with small heads in float16": Case(
        lambda: attention((1, 2, 6, 8), FLOAT16), "builder.attention_head_size", ("9 to 256",), "MatMul",
        lambda: attention((1, 2, 6, 9), FLOAT16),
    ),
    "attention with large heads": Case(
        lambda: attention((1, 2, 6, 260), FLOAT16), "builder.attention_head_size", ("9 to 256",), "MatMul",
        lambda: attention((1, 2, 6, 256), FLOAT16),
    ),
    "suppression": Case(
        suppression, "builder.non_max_suppression", ("no implementation", "'boxes' is float32 [1, 10, 4]"),
        "End the model",
    ),
    "ranks of branches": Case(
        lambda: branches_of_ranks(same=False), "builder.if_ranks", ("Both branches", "known at run time only"), "Unsqueeze",
        lambda: branches_of_ranks(same=True),
    ),
    "cast to float8": Case(
        lambda: one("Cast", gives=FLOAT8, to=FLOAT8), "builder.low_bit_made_by_cast", ("'y' is float8e4m3fn", "not by Cast"),
        "QuantizeLinear", lambda: one("QuantizeLinear", reads=("x", "s"), gives=FLOAT8, weights=(SCALE,), output_dtype=FLOAT8),
    ),
    "cast from float8": Case(
        lambda: one("Cast", takes=FLOAT8, to=TensorProto.FLOAT), "builder.low_bit_read_by_cast", ("DequantizeLinear only",),
        "DequantizeLinear", lambda: one("DequantizeLinear", reads=("x", "s"), takes=FLOAT8, weights=(SCALE,)),
    ),
    "sum in float8": Case(
        lambda: one("Add", reads=("x", "x"), takes=FLOAT8, gives=FLOAT8), "builder.low_bit_read", ("computes nothing",), "DequantizeLinear"
    ),
    "constant in int8": Case(
        lambda: one("Cast", reads=("w",), weights=(quantized(TensorProto.INT8),), to=TensorProto.FLOAT), "builder.quantized_constant",
        ("The constant 'w'", "int8 [4, 8]"), "DequantizeLinear",
        lambda: one("DequantizeLinear", reads=("w", "s"), weights=(quantized(TensorProto.INT8), SCALE)),
    ),
    "sine in int8": Case(
        lambda: one("Sin", takes=TensorProto.INT8, gives=TensorProto.INT8), "builder.integer_computation", ("takes Sin in int8",),
        "Cast to float32",
        lambda: between_casts("Sin", TensorProto.INT8),
    ),
    "too many of the largest": Case(
        lambda: top_k(3841), "builder.top_k_limit", ("at most 3840", "= [3841]"), "3840 or fewer", lambda: top_k(3840)
    ),
    "more than there are": Case(lambda: top_k(20, 10), "builder.top_k_axis", ("20 elements",), "smaller K", lambda: top_k(10, 10)),
    "a loop that grows": Case(
        lambda: loop(models.node("Concat", ["carried", "carried"], ["next"], axis=0)), "builder.loop_shapes",
        ("[2,3]", "[4,3]"), "scan output", lambda: loop(models.node("Relu", ["carried"], ["next"])),
    ),
    "a loop that changes its type": Case(
        lambda: loop(to_half()), "builder.loop_types", ("begins as float32", "gives float16"), "Cast it back to float32",
        lambda: loop(models.node("Cast", ["carried"], ["h"], to=FLOAT16), models.node("Cast", ["h"], ["next"], to=TensorProto.FLOAT)),
    ),
    "a batch in the target shape": Case(
        lambda: reshape(2, 12), "builder.reshape_fixed_size", ("= [2, 12]",), "-1", lambda: reshape(-1, 12)
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def check() -> Callable[[onnx.ModelProto], SupportReport]:
    """A full check of a model, by the worker that all checks share."""

    def full(proto: onnx.ModelProto) -> SupportReport:
        with SurveySession(proto) as session:
            return session.check(depth="full")

    return full


def check_readable(diagnosis: Diagnosis, language: str = "en") -> None:
    assert diagnosis.why
    assert not RAW.search(diagnosis.why), diagnosis.why
    assert diagnosis.why not in ("false", ".")
    assert (language == "zh") == bool(re.search("[一-鿿]", diagnosis.why)), diagnosis.why
    assert diagnosis.remedies
    assert diagnosis.place.step == "build"


@pytest.mark.parametrize("name", CASES)
def test_the_builders_refusal_is_explained(name: str, check: Callable[[onnx.ModelProto], SupportReport]) -> None:
    case = CASES[name]
    report = check(case.make())
    assert report.accepted
    assert not report.supported
    [verdict] = report.unsupported
    assert verdict.refused_by == "builder"
    diagnosis = verdict.diagnosis
    assert diagnosis is not None
    check_readable(diagnosis)
    known = {item.id: item for item in restrictions()}[case.restriction]
    assert diagnosis.id == known.diagnosis
    assert diagnosis.causes[0].text.startswith(known.reason.en.partition("{")[0].strip())
    for words in case.says:
        assert words in verdict.reason
    assert case.advice in verdict.remedies[0].text
    assert diagnosis.original == verdict.message, "TensorRT's own words stay at hand"
    chinese = diagnose_build_of_node(verdict.message.split("\n"), facts=facts_of(verdict.node), language="zh")
    check_readable(chinese, "zh")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.repaired])
def test_what_is_advised_builds(name: str, check: Callable[[onnx.ModelProto], SupportReport]) -> None:
    repaired = CASES[name].repaired
    assert repaired is not None
    report = check(repaired())
    assert report.supported, report


def test_a_refusal_inside_a_function(check: Callable[[onnx.ModelProto], SupportReport]) -> None:
    proto = branches_of_ranks(same=False)
    reads = [value.name for value in proto.graph.input] + ["axis"]
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    function = helper.make_function("mine", "Choose", reads, ["y"], list(proto.graph.node), imports[:1])
    call = helper.make_node("Choose", reads, ["y"], "call", domain="mine")
    graph = helper.make_graph([call], "g", proto.graph.input, proto.graph.output, proto.graph.initializer)
    report = check(helper.make_model(graph, functions=[function], opset_imports=imports, ir_version=10))
    [verdict] = report.unsupported
    assert (verdict.node.name, verdict.refused_by) == ("choice", "builder")
    assert "Both branches of an If" in verdict.reason


# Messages by themselves


def facts_of(node: NodeReference, **inputs: str) -> RefusalFacts:
    tensors = tuple(TensorFacts(name, dtype=dtype, shape=(2,), source="input") for name, dtype in inputs.items())
    return RefusalFacts(NodeFacts(node, inputs=tensors))


def test_every_entry_of_the_builder_says_how_it_is_recognised() -> None:
    entries = [item for item in restrictions() if item.by == "builder"]
    assert len(entries) > 25
    assert all(item.match and item.diagnosis and item.instead for item in entries)
    assert all(item.id.startswith("builder.") for item in entries)


def test_the_parsers_reasons_are_not_taken_for_the_builders() -> None:
    message = "Internal Error (Assertion x failed. nms_8 has no runners that implement it In f at /_src/a.cpp:1)"
    found = find_restriction(message, operator="NonMaxSuppression", by="builder")
    assert found is not None
    assert found.restriction.id == "builder.non_max_suppression"
    parser = find_restriction(message, operator="NonMaxSuppression")
    assert parser is None or parser.restriction.by == "parser"
    assert find_restriction("false", operator="Det", by="builder") is None


def test_a_tensor_that_is_named_like_a_type_keeps_its_name() -> None:
    message = "Error Code 4: API Usage Error (Tensor half has datatype FP8 but is not produced by IPluginLayer, or IdentityLayer.)"
    found = diagnose_build_of_node([message], facts=facts_of(NodeReference(0, "n", "Cast")))
    assert "'half' is float8e4m3fn" in found.why


@pytest.mark.parametrize(
    "messages",
    [
        (),
        ("",),
        ("false",),
        ("IBuilder::buildSerializedNetwork: Error Code 2: Internal Error (Assertion a->b() == c failed. )",),
        ("Error Code 9: Internal Error (ISomethingLayer (Unnamed Layer* 3): it did not work)",),
        ("foo.cpp:12: CHECK(x->y()) failed.",),
        ("Error Code 9: Myelin ([a.cpp:1: f] Called with unknown input tensor)",),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_nobody_has_seen_is_no_cplusplus(messages: tuple[str, ...], language: Any) -> None:
    for facts in (facts_of(NodeReference(0, "n", "Conv"), x="float32"), RefusalFacts()):
        check_readable(diagnose_build_of_node(messages, facts=facts, language=language), language)


@given(st.text(max_size=200), st.sampled_from(["Conv", "Attention", "If", "", "Nothing"]))
def test_any_text_is_explained(text: str, operator: str) -> None:
    found = diagnose_build_of_node([text], facts=facts_of(NodeReference(0, "n", operator)))
    assert found.why.strip(".")
    assert found.remedies


def test_names_cannot_do_harm() -> None:
    name = "<img src=x onerror=alert(1)>" + "ä" * 10_000 + "}{dtype}{"
    message = f"Error Code 4: API Usage Error (Tensor {name} has datatype FP8 but is not produced by IPluginLayer.)"
    found = diagnose_build_of_node([message], facts=facts_of(NodeReference(0, name, "Cast"), **{name: "float32"}))
    assert len(found.why) < 600
    assert len(found.remedies[0].text) < 600
    assert "<img" not in cards_html([found])


def test_the_log_names_the_operation_alone() -> None:
    log = (
        "[E] IBuilder::buildSerializedNetwork: Error Code 9: Myelin ([myelin_graph.h:1: attach] MyelinCheckException: "
        "decompose.cpp:59: CHECK(op->is_decomposable()) failed. Attention operation was not supported by a dedicated kernel.  "
        "(See https://docs.nvidia.com/x.html for shapes.)  Alternatively, use IAttention::setDecomposable.)\n"
    )
    [found] = analyse_log(log).diagnoses
    assert found.id == "build.no_implementation"
    assert found.why == "Attention operation was not supported by a dedicated kernel"


def test_types_that_the_parser_compares_are_named_in_the_models_words() -> None:
    message = (
        "ITensor::getDimensions: Error Code 4: API Usage Error (c_OutputLayer: IConditionalOutputLayer must have inputs of same "
        "type. First input is of type Float but second input is of type Half.)"
    )
    found = find_restriction(message, operator="If")
    assert found is not None
    assert found.restriction.id == "type.branches"
    assert (found.facts["dtype"], found.facts["wanted_dtype"]) == ("float32", "float16")
