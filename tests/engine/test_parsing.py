"""What the parser says of a refusal is read whole: node, operator, path of the subgraph or function, input and its type."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from tests import models
from trtlab._engine_results import ParseResult
from trtlab.build.session import BuildSession
from trtlab.explain.diagnosis import Diagnosis


def parsed(proto: onnx.ModelProto) -> tuple[ParseResult, tuple[Diagnosis, ...]]:
    """Return the result of the step parse, and its diagnoses."""
    with BuildSession(proto) as session:
        record = session.run_to("parse")
    assert isinstance(record.result, ParseResult), record
    assert (record.state == "done") == record.result.ok
    return record.result, record.diagnoses


def test_an_accepted_model_has_its_tensors() -> None:
    result, _ = parsed(models.convolution())
    assert result.ok
    assert result.errors == ()
    assert result.layers > 0
    [tensor] = result.inputs
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.is_shape_tensor) == ("x", "float", (-1, 3, 8, 8), False)
    assert [tensor.name for tensor in result.outputs] == ["y"]


def test_an_input_whose_values_are_shapes_is_told() -> None:
    nodes = [models.node("Reshape", ["x", "target"], ["y"], "reshape")]
    inputs = [models.value("x", (2, 6)), models.value("target", (2,), TensorProto.INT64)]
    result, _ = parsed(models.model(nodes, inputs, [models.value("y", ("a", "b"))]))
    assert {tensor.name: tensor.is_shape_tensor for tensor in result.inputs} == {"x": False, "target": True}


def test_all_failures_of_the_static_checks_come_with_their_nodes() -> None:
    nodes = [
        models.node("Det", ["x"], ["a"], "first"),
        models.node("Det", ["x"], ["b"], ""),
        models.node("Add", ["a", "b"], ["y"], "add"),
    ]
    result, diagnoses = parsed(models.model(nodes, [models.value("x", (2, 4, 4))], [models.value("y", (2,))]))
    assert [(error.code, error.node_index, error.node_name, error.operator) for error in result.errors] == [
        ("UNSUPPORTED_NODE", 0, "first", "Det"),
        ("UNSUPPORTED_NODE", 1, "", "Det"),
    ]
    assert [diagnosis.place.node for diagnosis in diagnoses] == ["first", "#1"]


def test_a_failure_in_a_branch_says_which() -> None:
    proto = models.branches(
        [models.node("Det", ["x"], ["t"], "in the branch")],
        [models.node("ReduceSum", ["x"], ["e"], "other", keepdims=0)],
    )
    proto.graph.input[0].CopyFrom(models.value("x", (4, 4)))
    result, [diagnosis, *_] = parsed(proto)
    [error, *_] = result.errors
    assert "then_branch" in "/".join(error.scope)
    assert error.node_name == "in the branch"
    assert "then_branch" in diagnosis.place.scope
    assert "then_branch" in repr(diagnosis)


def test_a_failure_in_a_function_says_which() -> None:
    body = [models.node("Det", ["a"], ["b"], "in the function")]
    function = helper.make_function("local", "F", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    call = models.node("F", ["x"], ["y"], "call", domain="local")
    proto = models.model(
        [call],
        [models.value("x", (2, 4, 4))],
        [models.value("y", (2,))],
        opsets={"": 17, "local": 1},
        functions=[function],
    )
    result, _ = parsed(proto)
    [error, *_] = result.errors
    assert error.operator == "Det"
    assert error.scope, "the call that led to the function"


@pytest.mark.parametrize(
    ("dtype", "name"), [(TensorProto.INT16, "int16"), (TensorProto.UINT32, "uint32"), (TensorProto.STRING, "string")]
)
def test_a_refused_input_is_named_with_its_type(dtype: int, name: str) -> None:
    nodes = [models.node("Identity", ["strange input"], ["y"], "identity")]
    proto = models.model(nodes, [models.value("strange input", (2,), dtype)], [models.value("y", (2,), dtype)])
    result, [diagnosis, *_] = parsed(proto)
    [error, *_] = result.errors
    assert error.tensor == "strange input"
    assert diagnosis.id == "parse.dtype"
    assert f"'strange input' is {name}" in diagnosis.why
    assert diagnosis.place.tensor == "strange input"


def test_names_in_any_script_come_through() -> None:
    nodes = [models.node("Det", ["输入"], ["выход"], "узел 🚀 <b>")]
    proto = models.model(nodes, [models.value("输入", (2, 4, 4))], [models.value("выход", (2,))])
    result, [diagnosis] = parsed(proto)
    assert result.errors[0].node_name == "узел 🚀 <b>"
    assert "<b>" not in diagnosis._repr_mimebundle_()["text/html"]


def test_a_refusal_leaves_the_worker_ready_for_the_next_model() -> None:
    for _ in range(3):
        assert not parsed(models.model([models.node("Det", ["x"], ["y"])], [models.value("x", (2, 4, 4))]))[0].ok
        assert parsed(models.relu())[0].ok
