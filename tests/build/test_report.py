"""A report is plain data that survives JSON, a few honest lines, and HTML that nothing in a model can break out of."""

from __future__ import annotations

import json

import onnx
import pytest

from tests import models
from trtlab._engine_results import BuiltEngine, MemoryUse
from trtlab._results import from_dict
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.report import BuildReport, EngineFile, group_messages
from trtlab.build.session import BuildSession
from trtlab.build.steps import STEP_NAMES, StepRecord
from trtlab.explain.diagnosis import Diagnosis, Place, Remedy
from trtlab.worker import LogRecord

PLAN = BuildPlan(profiles=(shape_profile({"x": ((1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8))}),))
SCRIPT = "<script>alert(1)</script>"


def built(proto: onnx.ModelProto, plan: BuildPlan = PLAN) -> BuildReport:
    with BuildSession(proto, plan=plan) as session:
        return session.run_all()


@pytest.fixture(scope="module")
def report() -> BuildReport:
    return built(models.convolution())


@pytest.fixture(scope="module")
def failed() -> BuildReport:
    proto = models.model(
        [models.node("Det", ["x"], ["y"], f"{SCRIPT}\n\n")], [models.value("x", (2, 4, 4))], [models.value("y", (2,))]
    )
    return built(proto, BuildPlan())


def test_it_survives_json(report: BuildReport, failed: BuildReport) -> None:
    for original in (report, failed):
        back = from_dict(BuildReport, json.loads(original.to_json()))
        assert back.to_json() == original.to_json()
        assert (back.model, back.plan, back.layers, back.diagnoses) == (
            original.model,
            original.plan,
            original.layers,
            original.diagnoses,
        )
        assert repr(back) == repr(original)
        assert back.log == original.log


def test_a_good_report_in_a_few_lines(report: BuildReport) -> None:
    lines = repr(report).splitlines()
    assert len(lines) <= 5
    assert lines[0].startswith("BuildReport: Engine of ")
    assert "an engine" not in lines[0], "the size is known even if nothing was saved"
    assert " built in " in lines[0]
    assert "    Memory: activations " in lines[1]
    assert report.engine is None
    built_engine = report.step("build").result
    assert isinstance(built_engine, BuiltEngine)
    assert report.engine_bytes == built_engine.engine_bytes > 0
    assert report.memory is not None
    assert report.memory.activation_bytes
    assert report.memory.weights_bytes


def test_a_failed_report_in_a_few_lines(failed: BuildReport) -> None:
    lines = repr(failed).splitlines()
    assert len(lines) <= 5
    assert lines[0].startswith("BuildReport: Parse failed after ")
    assert any(line.startswith("    Do this: ") for line in lines)
    assert failed.engine_bytes == 0


def test_html_shows_names_as_text(report: BuildReport, failed: BuildReport) -> None:
    html = failed._repr_mimebundle_()["text/html"]
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    for name in STEP_NAMES:
        assert f"<td>{name}</td>" in report._repr_mimebundle_()["text/html"]
    for diagnosis in failed.diagnoses:
        assert "<script" not in diagnosis._repr_mimebundle_()["text/html"]


def test_rows_of_layers_are_plain(report: BuildReport) -> None:
    rows = report.layer_rows()
    assert len(rows) == len(report.layers) > 0
    assert set(rows[0]) == {"name", "type", "onnx_nodes", "inputs", "outputs", "tactic"}
    json.dumps(rows)


def test_headlines() -> None:
    steps = tuple(StepRecord(name) for name in STEP_NAMES)
    assert BuildReport(ok=False, steps=steps).headline == "Not built yet"
    cancelled = (*steps[:4], StepRecord("build", "cancelled", seconds=61.0), *steps[5:])
    assert BuildReport(ok=False, steps=cancelled).headline == "Build cancelled after 1 min 01 s"
    engine = EngineFile("/x/a.engine", 2048, "0")
    cached = BuildReport(ok=True, steps=steps, engine=engine, from_cache=True, date="2026-01-01")
    assert (
        cached.headline == "Engine of 2.00 KiB taken from the cache, nothing had changed (TensorRT, built 2026-01-01)"
    )


def test_no_text_makes_a_report_longer_than_five_lines() -> None:
    many = "\n".join("line" for _ in range(50))
    place = Place("build", many, many, many, many)
    diagnosis = Diagnosis(
        "build.failed", many, place=place, why=many, remedies=(Remedy(many, many),), tensorrt_code="Error Code 1"
    )
    steps = tuple(
        StepRecord(name, "failed" if name == "inspect" else "done", seconds=0.0, line=many) for name in STEP_NAMES
    )
    for ok in (True, False):
        report = BuildReport(
            ok=ok,
            steps=steps,
            engine=EngineFile(many, 1, "0"),
            memory=MemoryUse(1, 1, 1),
            diagnoses=(diagnosis,),
        )
        assert len(repr(report).splitlines()) <= 5
        assert len(repr(diagnosis).splitlines()) <= 4


def test_like_messages_are_counted_once_the_severest_first() -> None:
    def record(severity: str, message: str) -> LogRecord:
        return LogRecord(0.0, severity, message)  # type: ignore[arg-type]

    build = StepRecord(
        "build",
        log=(
            record("info", "not a problem"),
            record("warning", "Tensor 'a' has 3 dims at 0x7f"),
            record("error", "broken"),
            record("warning", "Tensor 'bcd' has 45 dims at 0xff"),
            record("internal_error", "worse"),
        ),
    )
    parse = StepRecord("parse", log=(record("warning", "Tensor 'a' has 3 dims at 0x7f"),))
    groups = group_messages((parse, build))
    assert [(group.severity, group.count, group.step) for group in groups] == [
        ("internal_error", 1, "build"),
        ("error", 1, "build"),
        ("warning", 1, "parse"),
        ("warning", 2, "build"),
    ]
    assert groups[3].text == "Tensor 'a' has 3 dims at 0x7f"
