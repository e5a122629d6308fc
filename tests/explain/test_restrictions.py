"""Every refusal of the real parser gets its real reason, with evidence from the model."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import models
from tests.explain.processes import run_python
from tests.explain.provoked_refusals import PROVOKED
from trtlab._engine_results import ParserError
from trtlab._errors import ActionError, WorkerError
from trtlab._results import from_dict
from trtlab.build.session import BuildSession
from trtlab.explain.catalog import LANGUAGES, catalog
from trtlab.explain.compile_restrictions import TARGET, compiled, problems_of, read_restrictions
from trtlab.explain.diagnosis import Diagnosis
from trtlab.explain.parsing import diagnose_parse
from trtlab.explain.refusals import explain_refusal, facts_requests
from trtlab.explain.restrictions import Restriction, find_restriction, restrictions
from trtlab.model.node_description import RefusalFacts
from trtlab.worker import ActionCancelled
from trtlab.worker.lease import WorkerLease

CPLUSPLUS = re.compile(r"::|&&|\|\||\(\)|ctx->|==|is_weights|std\b|nbDims")


def test_the_data_file_is_up_to_date() -> None:
    found = read_restrictions()
    assert TARGET.read_bytes() == compiled(found), "run: python -m trtlab.explain.compile_restrictions"
    assert [item.id for item in found] == [item.id for item in restrictions()]
    assert {item.diagnosis for item in found} - {""} <= set(catalog())


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"reason": {"en": "A.", "zh": "A。"}}, "wrong language"),
        ({"reason": {"en": "a == b.", "zh": "甲。"}}, "C++"),
        ({"reason": {"en": "A {nothing}.", "zh": "甲 {nothing}。"}}, "no fact"),
        ({"reason": {"en": "A {operator}.", "zh": "甲。"}}, "different facts"),
        ({"reason": {"en": "A", "zh": "甲。"}}, "no full sentence"),
        ({"reason": {"en": "A.", "zh": "甲。"}, "if": ["never"]}, "no condition"),
        ({"reason": {"en": "A.", "zh": "甲。"}, "shows": ["inside"]}, "does not exist"),
        ({"reason": {"en": "A.", "zh": "甲。"}, "code": "code"}, "needs a sentence"),
    ],
)
def test_mistakes_in_the_data_file_are_found(fields: dict[str, Any], problem: str) -> None:
    assert problem in " ".join(problems_of(from_dict(Restriction, {"id": "a", **fields})))


# All refusals of the models that onnx brings along

COLLECT = """
    import json, pathlib, sys, types, warnings
    warnings.filterwarnings("ignore")
    from onnx.backend.test.case.node import collect_testcases
    from trtlab.engine import flavour as flavours
    from trtlab.engine.parsing import ParsedNetwork, read_errors
    from trtlab.explain.refusals import facts_requests
    from trtlab.model.node_facts import collect_facts, requests_from

    flavour = flavours.choose(None, lambda module: module.Logger(module.Logger.INTERNAL_ERROR))
    seen, found = set(), []
    for case in collect_testcases(None):
        if case.model is None:
            continue
        content = case.model.SerializeToString()
        file = types.SimpleNamespace(content=content, path=pathlib.Path("model.onnx"), proto=case.model)
        parsed = ParsedNetwork(flavour, strongly_typed=False)
        if not parsed.parse(file):
            errors = tuple(read_errors(parsed.parser, file.proto.graph))
            new = [(error.operator, "".join(letter for letter in error.text if not letter.isdigit())) for error in errors]
            if not seen.issuperset(new):
                facts = collect_facts(case.model, requests_from(facts_requests(errors)))
                found += [[case.name, error.to_dict(), fact.to_dict()] for error, fact in zip(errors, facts)]
                seen.update(new)
        parsed.release()
    print(json.dumps(found))
"""
FEWEST_REFUSALS = 100


def test_every_refusal_of_the_node_tests_of_onnx_has_a_readable_reason() -> None:
    found = json.loads(run_python(COLLECT).splitlines()[-1])
    assert len(found) > FEWEST_REFUSALS
    whole = set()
    for name, error_data, facts_data in found:
        error, facts = from_dict(ParserError, error_data), from_dict(RefusalFacts, facts_data)
        for language in LANGUAGES:
            [diagnosis] = diagnose_parse((error,), None, evidence=(facts,), language=language)
            check_readable(diagnosis, name)
            assert explain_refusal(error, facts=facts).restriction, f"{name}: {error.text}"
        assert facts.node or facts.tensor or facts.around, f"{name}: {error}"
        if error.text == "false":
            whole.add(error.operator)
    assert len(whole) > 35, "operators that are refused with the one word false"


def check_readable(diagnosis: Diagnosis, name: str) -> None:
    why = diagnosis.why
    assert why, name
    assert "false" not in (why, diagnosis.facts["reason"]), name
    assert not CPLUSPLUS.search(why), (name, why)
    assert (diagnosis.language == "zh") == bool(re.search("[一-鿿]", why)), (name, why)
    assert diagnosis.causes[0].text, name
    assert diagnosis.remedies, name


@pytest.mark.parametrize("name", PROVOKED)
def test_the_real_reason_is_said(name: str) -> None:
    case = PROVOKED[name]
    with BuildSession(case.make()) as session:
        record = session.run_to("parse")
    assert record.state == "failed", record
    diagnosis = record.diagnoses[0]
    check_readable(diagnosis, name)
    assert diagnosis.id == case.id, diagnosis
    for words in case.says:
        assert words in diagnosis.why
    assert case.instead in diagnosis.remedies[0].text
    assert diagnosis.causes[0].text == diagnosis.facts["reason"]
    assert diagnosis.causes[0].evidence in diagnosis.why
    assert diagnosis.place.operator in (case.operator, "")
    [chinese] = diagnose_parse((from_dict(ParserError, record.result.errors[0].to_dict()),), None, language="zh")
    check_readable(chinese, name)


ALWAYS_FALSE = """
AffineGrid Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im Compress ConcatFromSequence ConvInteger
Det DynamicQuantizeLinear ImageDecoder MatMulInteger MaxRoiPool MaxUnpool MelWeightMatrix Multinomial NegativeLogLikelihoodLoss
Optional OptionalGetElement OptionalHasElement QLinearConv QLinearMatMul RegexFullMatch SequenceAt SequenceConstruct SequenceEmpty
SequenceErase SequenceInsert SequenceLength SequenceMap SoftmaxCrossEntropyLoss SplitToSequence StringConcat StringNormalizer
StringSplit TfIdfVectorizer Unique
""".split()  # noqa: SIM905 - a list of this length is read more easily as words


def test_every_operator_whose_check_always_fails() -> None:
    nodes = [models.node(operator, ["x"], [f"y{index}"], operator) for index, operator in enumerate(ALWAYS_FALSE)]
    proto = models.model(nodes, outputs=[models.value("y0", None)], opsets={"": 20})
    with BuildSession(proto) as session:
        record = session.run_to("parse")
    assert [error.operator for error in record.result.errors if error.text == "false"] == ALWAYS_FALSE
    for diagnosis in record.diagnoses:
        check_readable(diagnosis, diagnosis.place.node)
        found = find_restriction("false", operator=diagnosis.place.operator)
        assert found is not None
        assert found.restriction.id not in ("whole.standard", "whole.custom")
        assert found.restriction.reason.en[:20] in diagnosis.why or "{" in found.restriction.reason.en


def test_evidence_of_a_node_in_a_branch() -> None:
    proto = models.branches(
        [models.node("Shape", ["x"], ["s"], "shape"), models.node("ReduceSum", ["x", "s"], ["t"], "inner")],
        [models.node("Relu", ["x"], ["e"])],
    )
    with BuildSession(proto) as session:
        [diagnosis] = session.run_to("parse").diagnoses
    assert (diagnosis.place.node, diagnosis.place.scope) == ("inner", "choice/then_branch")
    assert "is computed by node 'shape' (Shape) in choice/then_branch, not a constant" in diagnosis.why
    assert "depends on the model's input 'x'" in diagnosis.why


def test_axes_computed_from_constants() -> None:
    nodes = [models.node("Add", ["a", "b"], ["c"], "add"), models.node("ReduceSum", ["x", "c"], ["y"], "sum")]
    weights = [models.integers("a", 0), models.integers("b", 1)]
    with BuildSession(models.model(nodes, initializers=weights)) as session:
        [diagnosis] = session.run_to("parse").diagnoses
    assert "is computed by node 'add' (Add), not a constant, from constants alone" in diagnosis.why
    assert "--fold-constants" in diagnosis.remedies[0].code


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ActionError("no evidence"), "failed"),
        (WorkerError("gone"), "failed"),
        (ActionCancelled(worker_ended=False), "cancelled"),
    ],
)
def test_a_refusal_without_evidence_is_still_explained(
    monkeypatch: pytest.MonkeyPatch, error: Exception, state: str
) -> None:
    call = WorkerLease.call

    def refuse(lease: WorkerLease, action: str, **values: object) -> object:
        if action.endswith(":refusal_facts"):
            raise error
        return call(lease, action, **values)

    monkeypatch.setattr(WorkerLease, "call", refuse)
    with BuildSession(PROVOKED["det"].make()) as session:
        record = session.run_to("parse")
    assert record.state == state
    assert [item.why for item in record.diagnoses] == (
        ["TensorRT does not compute determinants."] if state == "failed" else []
    )


def test_names_cannot_do_harm() -> None:
    name = "<img src=x onerror=alert(1)>" + "ä" * 10_000 + '"}{dtype}{'
    nodes = [models.node("Det", [name], ["y"], name), models.node(f"Swish{name}", [name], ["z"], name, domain="my.ops")]
    proto = models.model(nodes, [models.value(name, (2, 2))], [models.value("y", None)], opsets={"": 18, "my.ops": 1})
    with BuildSession(proto) as session:
        diagnoses = session.run_to("parse").diagnoses
    assert [item.facts["reason"][:30] for item in diagnoses] == [
        "TensorRT did not take an input",  # a name so long is itself refused
        "TensorRT does not compute dete",
        "TensorRT does not know an oper",
    ]
    for diagnosis in diagnoses:
        assert len(diagnosis.why) < 1000
        assert len(diagnosis.causes[0].evidence) < 1000
        assert len(repr(diagnosis).splitlines()) <= 4


def test_what_nobody_has_seen_is_still_no_cplusplus() -> None:
    for text in ("Assertion failed: foo->bar() == baz", "(a && b)", "Assertion failed: !isThat(x)", "false"):
        [diagnosis] = diagnose_parse((ParserError("INVALID_NODE", text, 3, "n", "Conv"),), None)
        assert not CPLUSPLUS.search(diagnosis.why), diagnosis.why
        assert diagnosis.why not in ("", "false")
    said = explain_refusal(
        ParserError("INVALID_NODE", "Assertion failed: a == b: The wheel has come off", 3, "n", "Conv")
    )
    assert (said.reason, said.restriction) == ("The wheel has come off", "")


def test_older_releases_name_only_the_condition() -> None:
    found = find_restriction("Assertion failed: resolvedWeights(axesWeights)", operator="ReduceMean")
    assert found is not None
    assert found.restriction.id == "constant.axes"
    found = find_restriction("Assertion failed: inputs.at(1).is_weights()", operator="Pad")
    assert found is not None
    assert found.restriction.id == "constant.weights"


@given(st.text(), st.sampled_from(["Conv", "Resize", "", "Nothing"]), st.text())
def test_any_text_is_explained(text: str, operator: str, source: str) -> None:
    error = ParserError("INVALID_NODE", text, 0, "n", operator, source=source)
    assert explain_refusal(error).reason
    assert len(facts_requests((error,))) == 1
