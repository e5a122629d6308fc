"""How the parser is made to look at every node, and what is never held against one."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto

import trtlab
from tests import models
from tests.support.hostile_models import SHAPE, det, function, functions_in_functions
from trtlab.support.report import NodeVerdict, SupportReport

ACME = {"": 17, "acme": 1}


def quick(proto: onnx.ModelProto) -> SupportReport:
    return trtlab.check(proto, depth="quick")


def statuses(report: SupportReport) -> dict[str, str]:
    return {verdict.node.name: verdict.status for verdict in report.nodes}


def of(report: SupportReport, name: str) -> NodeVerdict:
    return report.find(name)


def run_time_axes(source: str, made: str, name: str) -> onnx.NodeProto:
    """Return a node at which the parser stops: the axes are an input."""
    return models.node("ReduceSum", [source, "axes"], [made], name, keepdims=1)


def with_axes(
    *nodes: onnx.NodeProto, known: tuple[str, ...] = (), opsets: dict[str, int] | None = None
) -> onnx.ModelProto:
    inputs = [models.value("x", SHAPE), models.value("axes", (1,), TensorProto.INT64)]
    proto = models.model(list(nodes), inputs, [models.value("y", None)], opsets=opsets)
    proto.graph.value_info.extend(models.value(name, SHAPE) for name in known)
    return proto


def test_the_parser_goes_on_behind_each_stop() -> None:
    nodes = [
        run_time_axes("x", "a", "one"),
        run_time_axes("a", "b", "two"),
        models.node("Relu", ["b"], ["c"], "good"),
        run_time_axes("c", "y", "three"),
    ]
    report = quick(with_axes(*nodes, known=("a", "b", "c")))
    assert statuses(report) == {"one": "unsupported", "two": "unsupported", "good": "supported", "three": "unsupported"}
    assert all("axes" in verdict.reason.lower() for verdict in report.unsupported)


def test_stops_and_static_checks_are_found_together() -> None:
    nodes = [run_time_axes("x", "a", "stops"), det("a", "d"), models.node("Bernoulli", ["a"], ["y"], "static")]
    report = quick(with_axes(*nodes, known=("a",)))
    assert statuses(report) == {"stops": "unsupported", "det": "unsupported", "static": "unsupported"}


def test_a_refusal_that_may_only_follow_is_not_held_against_a_node() -> None:
    """Nobody knows what the first node gives, and the second fits to some of it."""
    weights = models.weight("w", 8, 5, 1, 1)
    nodes = [models.node("Gate", ["x"], ["g"], "gate", domain="acme"), models.node("Conv", ["g", "w"], ["y"], "conv")]
    proto = models.model(nodes, [models.value("x", (1, 8, 4, 4))], [models.value("y", None)], [weights], opsets=ACME)
    report = quick(proto)
    assert of(report, "gate").status == "unsupported"
    conv = of(report, "conv")
    assert conv.status in ("supported", "unknown")
    assert conv.cause == 0
    assert "gate" in conv.reason
    assert "assum" in conv.reason or "consequence" in conv.reason


def test_a_refusal_that_does_not_depend_on_what_is_unknown_is_held_against_a_node() -> None:
    nodes = [
        models.node("Gate", ["x"], ["g"], "gate", domain="acme"),
        models.node("Det", ["g"], ["d"], "det"),
        run_time_axes("g", "y", "stops"),
    ]
    report = quick(with_axes(*nodes, opsets=ACME))
    assert statuses(report) == {"gate": "unsupported", "det": "unsupported", "stops": "unsupported"}


def test_a_type_that_tensorrt_lacks_leaves_its_readers_unjudged() -> None:
    nodes = [
        models.node("Cast", ["x"], ["u"], "cast", to=TensorProto.UINT16),
        models.node("Relu", ["x"], ["r"], "good"),
        models.node("Cast", ["u"], ["y"], "back", to=TensorProto.FLOAT),
    ]
    report = quick(models.model(nodes, [models.value("x", SHAPE)], [models.value("y", SHAPE)]))
    assert of(report, "cast").status == "unsupported"
    assert of(report, "good").status == "supported"
    back = of(report, "back")
    assert back.status == "unknown"
    assert back.cause == of(report, "cast").number
    assert "uint16" in back.reason


def test_an_input_that_is_refused_is_a_tensor_not_a_node() -> None:
    nodes = [
        models.node("Cast", ["s"], ["f"], "cast", to=TensorProto.FLOAT),
        models.node("Relu", ["x"], ["r"], "good"),
        det("x", "d"),
    ]
    proto = models.model(
        nodes, [models.value("s", (1,), TensorProto.STRING), models.value("x", SHAPE)], [models.value("r", SHAPE)]
    )
    report = quick(proto)
    assert [(tensor.name, tensor.kind) for tensor in report.tensors] == [("s", "input")]
    assert statuses(report) == {"cast": "unknown", "good": "supported", "det": "unsupported"}


def test_branches_are_looked_into_past_a_refused_node() -> None:
    then = [
        det("x", "t1", "first"),
        models.node("Relu", ["t1"], ["t2"], "good"),
        models.node("Bernoulli", ["t2"], ["t3"], "second"),
    ]
    proto = models.branches(then, [models.node("Relu", ["x"], ["e"], "else")])
    report = quick(proto)
    found = statuses(report)
    assert (found["first"], found["second"], found["else"]) == ("unsupported", "unsupported", "supported")
    assert of(report, "first").node.scope == "choice/then_branch"
    assert found["good"] == "supported"


def test_a_loop_and_its_body_are_looked_into() -> None:
    body_nodes = [
        models.node("Identity", ["go"], ["go_on"], "pass"), det("carried", "d", "in_body"),
        models.node("Relu", ["carried"], ["next"], "good"),
    ]  # fmt: skip
    flag = ("go", (), TensorProto.BOOL)
    body = models.graph(
        body_nodes,
        [models.value("turn", (), TensorProto.INT64), models.value(*flag), models.value("carried", SHAPE)],
        [models.value("go_on", (), TensorProto.BOOL), models.value("next", SHAPE)],
    )
    loop = models.node("Loop", ["count", "true", "x"], ["y"], "loop", body=body)
    truth = onnx.helper.make_tensor("true", TensorProto.BOOL, [], [True])
    count = onnx.helper.make_tensor("count", TensorProto.INT64, [], [3])
    report = quick(models.model([loop], [models.value("x", SHAPE)], [models.value("y", SHAPE)], [truth, count]))
    assert {verdict.node.name for verdict in report.unsupported} == {"in_body"}
    assert of(report, "good").status == "supported"


def test_a_node_of_a_function_is_judged_once_for_all_its_calls() -> None:
    report = quick(functions_in_functions())
    [verdict] = report.unsupported
    assert (verdict.node.name, verdict.node.scope) == ("det", "local.Inner")


def test_a_function_of_another_opset_is_judged_by_its_own() -> None:
    """ReduceMax takes its axes as an attribute before opset 18."""
    reduce = models.node("ReduceMax", ["a"], ["b"], "reduce", axes=[1], keepdims=1)
    old = onnx.helper.make_function("local", "Old", ["a"], ["b"], [reduce], [onnx.helper.make_opsetid("", 17)])
    call = models.node("Old", ["x"], ["m"], "call", domain="local")
    proto = models.model(
        [call, det("m")],
        [models.value("x", SHAPE)],
        [models.value("y", (1,))],
        opsets={"": 18, "local": 1},
        functions=[old],
    )
    report = quick(proto)
    assert {verdict.node.name for verdict in report.unsupported} == {"det"}


def test_a_function_that_is_never_called_refuses_nothing() -> None:
    proto = models.relu(SHAPE)
    proto.functions.append(function("Unused", [det("a", "b", "unused")]))
    proto.opset_import.append(onnx.helper.make_opsetid("local", 1))
    report = quick(proto)
    assert report.supported
    assert not report.problems


@pytest.mark.parametrize("count", [1600, 3000])
def test_models_of_thousands_of_nodes_are_gone_through_in_windows(count: int) -> None:
    proto = models.chain(count)
    faulty = range(100, count, 400)
    proto.graph.input.append(models.value("axes", (1,), TensorProto.INT64))
    for number in faulty:
        proto.graph.node.append(run_time_axes(f"t{number}", f"r{number}", f"refused{number}"))
    report = quick(proto)
    assert {verdict.node.name for verdict in report.unsupported} == {f"refused{number}" for number in faulty}
    assert report.counts["unknown"] == 0
    assert report.passes < 10 * len(faulty)


def test_a_name_of_the_model_that_looks_like_the_surveys_own_is_kept() -> None:
    nodes = [models.node("Relu", ["x"], ["a"], "trtlab_n1_"), det("a", name="trtlab_n0_")]
    report = quick(models.model(nodes, [models.value("x", SHAPE)], [models.value("y", (1,))]))
    assert [(verdict.number, verdict.node.name) for verdict in report.unsupported] == [(1, "trtlab_n0_")]
