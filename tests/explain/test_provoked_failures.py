"""Each kind of failure is provoked in the real parser and builder, and is recognised for what it is."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import models
from tests.explain.provoked import ALL, HELD_OUT
from tests.explain.provoked.case import Case
from tests.explain.provoked.running import possible, provoke, right_cases
from trtlab.build.plan import BuildPlan, ShapeProfile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.build.steps import StepName

BY_NAME = {case.name: case for case in ALL}
GOAL = 0.98
# What has to stand in title, place or reason, and the step that has to have failed.
SENTENCES: dict[str, tuple[StepName, tuple[str, ...]]] = {
    "determinant": ("parse", ("Det", "the_node")),
    "dilated max pooling": ("parse", ("dilations",)),
    "own domain": ("parse", ("MySwish", "the_node")),
    "BitCast": ("parse", ("BitCast",)),
    "int16 input": ("parse", ("int16", "'x'")),
    "cast to complex64": ("parse", ("narrow",)),
    "axes of a sum": ("parse", ("the_node", "constant")),
    "channels of a convolution": ("parse", ("the_node",)),
    "matrix product": ("parse", ("the_node",)),
    "weight that was removed": ("parse", ("conv", "nothing makes")),
    "circle of two nodes": ("parse", ("circle",)),
    "batch of one in a Reshape": ("build", ("reshape", "baked into", "OPT")),
    "branches of different rank": ("build", ("choice", "[2,4]")),
    "suppression of boxes": ("build", ("the_node",)),
    "attention in FP32": ("build", ()),
    "output of FP8 from a cast": ("build", ("'y'", "FP8", "produced")),
    "scale of a quantization": ("build", ()),
    "longer than a table": ("build", ("OPT",)),
    "product in a kilobyte of workspace": ("build", ("workspace",)),
    "product on Turing": ("build", ("Turing", "the_node")),
    "bfloat16 on Turing": ("build", ("sm75", "b16")),
    "no profile for a free batch": ("configure", ("'x'",)),
    "size of a fixed axis": ("configure", ("Axis 1",)),
    "target that it cannot build for": ("configure", ("sm90",)),
}


def test_nearly_every_failure_is_recognised(tmp_path: Path) -> None:
    """A case counts as right only if it is in every way in which it is provoked: by its log, its verbose log, and in trtlab."""
    cases = possible(ALL)
    outcomes = provoke(cases, tmp_path)
    misses = [outcome.miss() for outcome in outcomes if not outcome.right]
    right = right_cases(outcomes)
    sys.stdout.write("\n".join([f"{len(right)} of {len(cases)} cases are right.", *misses]) + "\n")
    assert not [outcome.miss() for outcome in outcomes if outcome.said == ("nothing failed",)], "these are no failures"
    assert len(right) >= GOAL * len(cases), "\n".join(misses)


def test_the_cases_are_many_and_their_names_are_unique() -> None:
    assert len(ALL) >= 180
    assert not [name for name, count in Counter(case.name for case in ALL).items() if count > 1]
    assert len(HELD_OUT) >= 25


def built(case: Case) -> BuildReport:
    assert case.model is not None
    with BuildSession(case.model(), plan=case.plan, limits=case.limits) as session:
        return session.run_all()


@pytest.mark.parametrize("name", SENTENCES)
def test_it_is_said_in_words_that_help(name: str) -> None:
    (step, says), case = SENTENCES[name], BY_NAME[name]
    report = built(case)
    assert [record.name for record in report.steps if record.state == "failed"] == [step], report
    diagnosis = report.diagnoses[0]
    assert diagnosis.id == case.truth, diagnosis.original
    assert diagnosis.place.step == step
    shown = " ".join((diagnosis.title, *diagnosis.place.lines(), diagnosis.why))
    for words in says:
        assert words in shown
    assert "cudaError" not in shown, "the driver that is missing here has nothing to do with it"
    assert "/_src/" not in shown, "places in TensorRT's source help nobody"
    assert diagnosis.title == diagnosis.title.strip()
    assert len(diagnosis.title) < 160
    assert diagnosis.remedies, "there is always a way on"
    assert len(repr(report).splitlines()) <= 5


def test_an_unknown_flavour_is_no_fault_of_the_model() -> None:
    with BuildSession(models.relu((1, 4)), flavour="tensort") as session:
        report = session.run_all()
    assert report.diagnoses[0].id == "parse.failed"
    assert report.diagnoses[0].place.step == "parse"


def test_a_time_limit_is_said_to_be_that() -> None:
    report = built(BY_NAME["time limit"])
    assert not report.ok
    assert report.diagnoses[0].id == "worker.time_limit"
    assert "400 ms" in report.diagnoses[0].why
    assert "kernel was not affected" in report.diagnoses[0].why


def test_a_model_that_crashes_the_parser() -> None:
    """TensorRT-RTX 1.7.1 reads past its inputs here. A release that refuses the model instead is fine too."""
    report = built(BY_NAME["model that crashes the parser"])
    assert [finding.node.name for finding in report.findings if finding.node] == ["scan"], "the check said so before"
    diagnosis = report.diagnoses[0]
    assert diagnosis.id == "worker.crash" or diagnosis.id.startswith("parse.")
    if diagnosis.id == "worker.crash":
        assert diagnosis.tensorrt_code == "SIGSEGV"
        assert "the check step" in diagnosis.remedies[0].text
    with BuildSession(models.relu((1, 4))) as session:
        assert session.run_all().ok, "the next build has a new worker"


def test_several_refusals_are_several_diagnoses() -> None:
    nodes = [models.node("Det", ["x"], ["a"], "one"), models.node("MySwish", ["x"], ["y"], "two", domain="my.ops")]
    proto = models.model(nodes, [models.value("x", (2, 4, 4))], [models.value("y", None)], opsets={"": 17, "my.ops": 1})
    with BuildSession(proto) as session:
        report = session.run_all()
    assert [(item.id, item.place.node) for item in report.diagnoses] == [
        ("parse.unsupported_node", "one"),
        ("parse.plugin_missing", "two"),
    ]


def test_an_empty_profile_is_a_missing_one() -> None:
    with BuildSession(models.relu(), plan=BuildPlan(profiles=(ShapeProfile({}),))) as session:
        report = session.run_all()
    assert report.diagnoses[0].id == "config.profile_missing"
