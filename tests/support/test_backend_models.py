"""Over the models of ONNX's backend tests, the survey says what TensorRT says, of every node, with reasons.

Inputs whose values are sizes get the test's own values, in the survey and where TensorRT is asked plainly. The full survey looks
at a fixed fifth of the models here; `benchmarks/` has a script that takes all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backend_models import Answer, BackendModel, write_models
from trtlab.build.plan import ShapeProfile, ShapeRange
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveySession
from trtlab.support.verdicts import Depth

FEWEST_MODELS = 1700
FULL_EVERY = 5
CPLUSPLUS = re.compile(r"::|&&|\|\||\(\)|ctx->|==|is_weights|std\b|nbDims|\btrtlab_")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[BackendModel]:
    """Return all models."""
    found = write_models(tmp_path_factory.mktemp("backend"))
    assert len(found) > FEWEST_MODELS
    return found


def compared(models: list[BackendModel], depth: Depth) -> Iterator[tuple[BackendModel, SupportReport, Answer]]:
    """Yield each model with the survey's report and TensorRT's plain answer, which a process of its own gives meanwhile."""
    every = str(FULL_EVERY if depth == "full" else 1)
    what = "build" if depth == "full" else "parse"
    folder = models[0].path.parent
    command = [sys.executable, "-m", "tests.support.backend_models", str(folder), what, every, "0"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as plain:
        try:
            reports = [surveyed(model, depth) for model in models[:: int(every)]]
            output, _ = plain.communicate()
        finally:
            plain.kill()
    answers = [Answer(**json.loads(line)) for line in output.splitlines()]
    for model, report, answer in zip(models[:: int(every)], reports, answers, strict=True):
        assert model.name == answer.name
        yield model, report, answer


def surveyed(model: BackendModel, depth: Depth, *, has_values: bool = True) -> SupportReport:
    values = {name: ShapeRange(tuple(found), tuple(found), tuple(found)) for name, found in model.values.items()}
    with SurveySession(model.path) as session:
        return session.check(depth=depth, profile=ShapeProfile({}, values) if has_values else None)


def problems_of(report: SupportReport, answer: Answer) -> Iterator[str]:
    """Yield what is wrong with a report."""
    named = {(verdict.node.op_type, verdict.node.name) for verdict in report.unsupported}
    yield from (
        f"{operator} {name!r} is not named"
        for operator, name in map(tuple, answer.named)
        if (operator, name) not in named
    )
    if [verdict.number for verdict in report.nodes] != list(range(len(report.nodes))):
        yield "nodes without a verdict"
    if not report.supported and not report.unsupported and not report.tensors and not report.diagnoses:
        yield "refused, and nothing is said to be at fault"
    if report.supported and report.problems:
        yield "supported, with refused nodes"
    for verdict in report.problems:
        if not is_reason(verdict.reason):
            yield f"node {verdict.number}: {verdict.reason!r}"
    for diagnosis in (*(tensor.diagnosis for tensor in report.tensors), *report.diagnoses):
        if not is_reason(diagnosis.why):
            yield f"{diagnosis.id}: {diagnosis.why!r}"


def is_reason(text: str) -> bool:
    return bool(text.strip()) and text.strip().lower().strip(".") != "false" and not CPLUSPLUS.search(text)


def test_a_quick_survey_says_what_the_parser_says(models: list[BackendModel]) -> None:
    wrong: dict[str, list[str]] = {}
    refused = 0
    for model, report, answer in compared(models, "quick"):
        found = list(problems_of(report, answer))
        if report.supported != answer.parsed or report.accepted != answer.parsed:
            found.append(f"supported: {report.supported}, parsed: {answer.parsed}")
        refused += not answer.parsed
        if found:
            wrong[model.name] = found
    assert not wrong
    assert refused > FEWEST_MODELS // 3


def test_a_full_survey_says_what_parser_and_builder_say(models: list[BackendModel]) -> None:
    wrong: dict[str, list[str]] = {}
    built, refused_by_builder, sized = 0, 0, []
    for model, report, answer in compared(models, "full"):
        found = list(problems_of(report, answer))
        if report.supported != bool(answer.built):
            found.append(f"supported: {report.supported}, parsed: {answer.parsed}, built: {answer.built}")
        if answer.parsed and not answer.built and any(verdict.refused_by == "parser" for verdict in report.nodes):
            found.append("a node is refused by a parser that takes the model")
        built += bool(answer.built)
        refused_by_builder += answer.built is False
        if found:
            wrong[model.name] = found
        if answer.parsed and answer.takes_sizes:
            sized.append((model, answer))
    assert not wrong
    assert built > FEWEST_MODELS // FULL_EVERY // 3
    assert refused_by_builder > 10
    assert sized
    check_without_values(sized)


def check_without_values(sized: list[tuple[BackendModel, Answer]]) -> None:
    """Without the values that are sizes, the survey either builds with made-up ones or says that it cannot judge; it accuses nobody."""
    for model, answer in sized:
        report = surveyed(model, "full", has_values=False)
        assert report.supported or report.diagnoses[0].id == "config.profile_missing", model.name
        assert not report.unsupported, model.name
        if answer.built:
            assert report.supported or "made-up values" in report.diagnoses[0].why, model.name
