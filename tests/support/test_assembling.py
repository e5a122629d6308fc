"""Everything that a survey can say of a node becomes a sentence that a person can read, whatever the model is named like."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from trtlab._engine_results import Installation, ParserError
from trtlab.explain.cards import cards_html
from trtlab.model.description import ModelDescription, NodeReference, TensorDescription
from trtlab.model.node_description import NodeFacts, RefusalFacts, TensorFacts
from trtlab.support.assembling import Evidence, node_verdicts, tensor_verdicts
from trtlab.support.journal import CRASH
from trtlab.support.report import NodeVerdict
from trtlab.support.verdicts import Because, Status, SurveyRecord, Verdict

NODES = (NodeReference(0, "first", "Det"), NodeReference(1, "", "Attention"), NodeReference(2, "third", "Relu"))
NO_KERNEL = (
    "IBuilder::buildSerializedNetwork: Error Code 9: Myelin ([graph.h:1: attach] MyelinCheckException: a.cpp:59: "
    "CHECK(op->is_decomposable()) failed. Attention operation was not supported by a dedicated kernel.  (See https://x.y.))"
)
RANKS = (
    "Error Code 4: API Usage Error (IConditionalOutputLayer c: Must have inputs with equal ranks when condition is not a "
    "build-time constant. Dimensions are [2] and [2,3]. In lowerShapes at /_src/a.cpp:1)"
)
REFUSED = ParserError("UNSUPPORTED_NODE", "false", 0, "first", "Det")
RAW = re.compile(r"::|&&|\(\)|->|\.cpp|CHECK|https?:|\bfalse\b")
NASTY = "<img src=x onerror=alert(1)>" + "ä" * 10_000 + '"}{operator}{'


def record(*verdicts: tuple[int, Verdict], **fields: object) -> SurveyRecord:
    installation = Installation("tensorrt_rtx", "1.7.1", "it is here", None, ())
    values = {"accepted": False, "built": None, "needs_values": False, **fields}
    return SurveyRecord(installation, "full", nodes=len(NODES), verdicts=verdicts, **values)  # type: ignore[arg-type]


def evidence(
    references: tuple[NodeReference, ...] = NODES,
    *,
    facts: dict[int, RefusalFacts] | None = None,
    tensor_facts: dict[str, RefusalFacts] | None = None,
) -> Evidence:
    inputs = (TensorDescription("x", "float32", (2, 2)), TensorDescription("sizes", "int64", (2,)))
    model = ModelDescription("m.onnx", "", 1, 10, {"": 23}, "", inputs, (), 3, 0, {"Det": 1}, 0, 0)
    return Evidence(model, references, facts or {}, tensor_facts or {})


def verdict_of(verdict: Verdict, number: int = 1, known: Evidence | None = None) -> NodeVerdict:
    return node_verdicts(record((number, verdict)), known or evidence())[number]


CASES: dict[str, tuple[Verdict, str]] = {
    "": (Verdict("supported"), ""),
    "parser": (Verdict("unsupported", "parser", (REFUSED,)), "does not compute determinants"),
    "builder": (Verdict("unsupported", "builder", messages=(NO_KERNEL,)), "builds Attention with its own kernels only"),
    "dtype": (Verdict("unknown", "dtype", cause=0, tensor="t"), "TensorRT does not have that type"),
    "follows": (Verdict("unknown", "follows", (REFUSED,), cause=0, tensor="t"), "Repair the other node first"),
    "assumed": (Verdict("supported", "assumed", cause=0, tensor="t"), "Accepted on an assumption"),
    "inside": (Verdict("unknown", "inside", cause=0), "stands inside 'first' (Det)"),
    "circle": (Verdict("unknown", "circle"), "feeds itself"),
    "unnamed": (Verdict("unknown", "unnamed", (ParserError("X", "no words"),)), "names no node: no words"),
}


@pytest.mark.parametrize("because", get_args(Because))
def test_every_kind_of_verdict_is_a_sentence(because: str) -> None:
    verdict, words = CASES[because]
    found = verdict_of(verdict, 0 if because == "parser" else 1)
    assert words in found.reason
    assert bool(found.reason) == bool(because)
    assert not RAW.search(found.reason)
    assert found.refused_by == (because if because in ("parser", "builder") else "")
    assert found.status == verdict.status
    assert found.cause == verdict.cause


@pytest.mark.parametrize("status", get_args(Status))
def test_nodes_that_are_not_named_are_supported(status: Status) -> None:
    found = node_verdicts(record((1, Verdict(status, "circle" if status == "unknown" else ""))), evidence())
    assert [item.number for item in found] == [0, 1, 2]
    assert [item.status for item in found] == ["supported", status, "supported"]


def test_the_builders_refusal_uses_what_the_model_says() -> None:
    tensors = (TensorFacts("q", "Q", "float32", (1, 4, 16, 64), "input"),)
    facts = {1: RefusalFacts(NodeFacts(NODES[1], inputs=tensors))}
    found = verdict_of(CASES["builder"][0], known=evidence(facts=facts))
    assert "not for float32. Here input Q ('q') is float32 [1, 4, 16, 64]." in found.reason
    assert "Cast to float16" in found.remedies[0].text
    assert found.message == NO_KERNEL
    assert found.diagnosis is not None
    assert (found.diagnosis.place.node, found.diagnosis.place.operator) == ("#1", "Attention")


@pytest.mark.parametrize("because", ["parser", "builder"])
@pytest.mark.parametrize("text", ["", "false", "Assertion failed: a->b() == c", "foo.cpp:3: CHECK(x) failed."])
def test_a_refusal_without_words_has_a_reason(because: Because, text: str) -> None:
    for errors, messages in (((ParserError("INVALID_NODE", text),), (text,)), ((), ())):
        said = (errors, ()) if because == "parser" else ((), messages)
        found = verdict_of(Verdict("unsupported", because, *said), 2)
        assert len(found.reason) > 20
        assert not RAW.search(found.reason), found.reason
        assert found.remedies


def test_a_crash_is_said_as_one() -> None:
    how = "The worker died of signal 11."
    by_parser = verdict_of(Verdict("unsupported", "parser", (ParserError(CRASH, how),)))
    by_builder = verdict_of(Verdict("unsupported", "builder", messages=(f"{CRASH}: {how}",)))
    assert by_parser.reason == f"TensorRT's parser crashes on this node. {how} The check went on in a new process."
    assert by_builder.reason == f"TensorRT's builder crashes on this node. {how} The check went on in a new process."
    assert by_builder.diagnosis_id == "worker.crash"


def test_nodes_that_only_fail_together() -> None:
    verdict = Verdict("unsupported", "builder", messages=(NO_KERNEL,), cause=0, alone=False)
    assert verdict_of(verdict).reason.endswith("only together with the nodes from 'first' (Det) on.")


def test_tensors_have_their_own_place() -> None:
    error = ParserError("UNSUPPORTED_NODE", "Failed to import initializer: w")
    facts = {"w": RefusalFacts(tensor=TensorFacts("w", dtype="complex64", shape=(3,), source="initializer"))}
    refused_input = ParserError("INVALID_VALUE", "Unsupported ONNX data type: STRING", tensor="x")
    tensors, others = tensor_verdicts(record(unplaced=(error, refused_input)), evidence(tensor_facts=facts))
    assert [(item.name, item.kind, item.dtype) for item in tensors] == [
        ("w", "initializer", "complex64"),
        ("x", "input", "float32"),
    ]
    assert all(item.diagnosis.why and item.diagnosis.place.tensor == item.name for item in tensors)
    assert others == ()


def test_sizes_as_values_are_no_refusal() -> None:
    _, [found] = tensor_verdicts(record(accepted=True, built=False, needs_values=True), evidence())
    assert "depends on the values of an input" in found.title
    assert "'sizes'" in found.why
    assert found.place.tensor == "sizes"


@pytest.mark.parametrize(
    "message",
    [
        NO_KERNEL,
        RANKS,
        "Error Code 2: Internal Error (Assertion a->b() failed. )",
        "",
    ],
)
def test_what_leads_to_no_node_is_readable(message: str) -> None:
    _, [found] = tensor_verdicts(record(accepted=True, built=False, build_messages=(message,)), evidence())
    assert len(found.why) > 20
    assert not RAW.search(found.why), found.why
    assert found.original == message


def test_a_model_that_is_refused_without_a_word() -> None:
    tensors, [found] = tensor_verdicts(record(), evidence())
    assert tensors == ()
    assert found.id == "parse.unsupported_node"


def test_a_build_that_fails_without_a_word() -> None:
    _, [found] = tensor_verdicts(record(accepted=True, built=False), evidence())
    assert found.id == "build.failed"
    assert len(found.why) > 20
    refused = (1, CASES["builder"][0])
    assert tensor_verdicts(record(refused, accepted=True, built=False), evidence())[1] == ()


@pytest.mark.parametrize("because", get_args(Because))
def test_names_cannot_do_harm(because: str) -> None:
    verdict, _ = CASES[because]
    references = tuple(NodeReference(item.index, NASTY, item.op_type) for item in NODES)
    errors = tuple(ParserError(item.code, item.text, 0, NASTY, "Det", tensor=NASTY) for item in verdict.errors)
    messages = tuple(f"{message} {NASTY}" for message in verdict.messages)
    nasty = Verdict(
        verdict.status, verdict.because, errors, messages, verdict.cause, NASTY if verdict.tensor else "", alone=False
    )
    found = verdict_of(nasty, known=evidence(references))
    assert len(found.reason) < 1500
    if found.diagnosis is not None:
        assert "<img" not in cards_html([found.diagnosis])
