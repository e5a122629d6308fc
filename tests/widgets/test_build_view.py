"""What the panel shows, made from results by hand: no engine, no kernel, no browser."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from trtlab._engine_results import EngineLayer, Installation, MemoryUse
from trtlab.build.progress import Phase, Progress
from trtlab.build.report import BuildReport, EngineFile, MessageGroup
from trtlab.build.steps import STEP_NAMES, StepName, StepRecord, StepState
from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy
from trtlab.model.description import Finding, NodeReference
from trtlab.widgets import build_view
from trtlab.widgets.diagnosis_cards import diagnosis_card

DIAGNOSIS = Diagnosis(
    "parse.unsupported_node", "TensorRT has no Det", place=Place("parse", "det", "Det"), why="The parser refuses it.",
    causes=(Cause("a cause", "its evidence"),), remedies=(Remedy("Replace it.", "code()"),), tensorrt_code="UNSUPPORTED_NODE",
    original="false", references=("https://example.org",),
)  # fmt: skip
RTX = Installation("tensorrt_rtx", "1.7", "it builds here", None, ())


def steps(**states: str) -> tuple[StepRecord, ...]:
    return tuple(
        StepRecord(name, cast("StepState", states.get(name, "waiting")), seconds=0.5 if name in states else None)
        for name in STEP_NAMES
    )


def failed(name: StepName, *diagnoses: Diagnosis) -> tuple[StepRecord, ...]:
    done = dict.fromkeys(STEP_NAMES[: STEP_NAMES.index(name)], "done")
    records = steps(**{**done, name: "failed"})
    return tuple(replace(record, diagnoses=diagnoses) if record.name == name else record for record in records)


def test_headline_says_where_it_stopped_and_why() -> None:
    line = build_view.headline(failed("parse", DIAGNOSIS), None, None, chosen="m")
    assert line == {"state": "failed", "text": "Parse failed after 500 ms at node 'det' (Det): TensorRT has no Det"}
    more = build_view.headline(failed("parse", DIAGNOSIS, DIAGNOSIS, DIAGNOSIS), None, None, chosen="m")
    assert more["text"].endswith("(and 2 more problems)")


def test_headline_says_what_to_do_next() -> None:
    assert build_view.headline(steps(), None, None, chosen="")["text"] == "Choose a model to build."
    assert "Next: check" in build_view.headline(steps(load="done"), None, None, chosen="m")["text"]
    assert build_view.headline(steps(load="done", check="running"), None, None, chosen="m")["state"] == "running"
    assert build_view.headline(steps(load="cancelled"), None, None, chosen="m")["state"] == "cancelled"


def test_row_can_be_rerun_only_when_it_was_reached_and_nothing_runs() -> None:
    rows = build_view.step_rows(steps(load="done", check="failed"), busy=False)
    assert [row["rerun"]["enabled"] for row in rows] == [True, True, False, False, False, False, False]
    assert all(row["rerun"]["reason"] for row in rows if not row["rerun"]["enabled"])
    assert not any(row["rerun"]["enabled"] for row in build_view.step_rows(steps(load="done"), busy=True))


def test_card_has_everything_in_the_order_of_the_page() -> None:
    card = diagnosis_card(DIAGNOSIS)
    assert card["state"] == "error"
    assert (card["title"], card["code"], card["id"]) == (
        "TensorRT has no Det",
        "UNSUPPORTED_NODE",
        "parse.unsupported_node",
    )
    assert card["where"] == ["step parse", "node 'det' (Det)"]
    assert card["do"] == [{"text": "Replace it.", "code": "code()"}]
    assert {"title": "The original message", "text": "false"} in card["more"]


def test_findings_are_cards_and_many_are_counted() -> None:
    finding = Finding("model.cycle", "error", "a cycle", NodeReference(3, "a", "Add"))
    record = StepRecord("check", "done", result=(finding,) * 60)
    cards = build_view.step_cards(record)
    assert len(cards) == 51
    assert cards[0]["where"] == ["node 'a' (Add)"]
    assert cards[-1]["title"] == "10 more are in the report"


def test_progress_shows_the_innermost_count_of_tensorrt() -> None:
    progress = Progress("build", 1.0, 2.0, (Phase("Building engine", 2, 6), Phase("Timing", 3, 30), Phase("One", 0, 1)))
    view = build_view.progress_view(progress)
    assert view is not None
    assert (view["done"], view["total"], view["phase"]) == (3, 30, "Building engine › Timing › One")
    assert build_view.progress_view(None) is None


def test_report_is_empty_until_there_is_an_engine() -> None:
    assert build_view.report_view(BuildReport(ok=False, steps=steps())) == {}


def test_report_has_layers_memory_warnings_and_script() -> None:
    report = BuildReport(
        ok=True, steps=steps(**dict.fromkeys(STEP_NAMES, "done")), installation=RTX, engine=EngineFile("m.engine", 2048, "0"),
        memory=MemoryUse(activation_bytes=2**20, weights_bytes=1024, scratch_bytes=512),
        layers=(EngineLayer("l", "gemm", ("a", "b"), ("x: Float [1]",), ("y: Float [1]",)),), layers_source="builder's log",
        layers_note="No GPU here.", warnings=(MessageGroup("internal_error", "bad", 2, "build"),),
    )  # fmt: skip
    view = build_view.report_view(report)
    assert view["engine"] == {"path": "m.engine", "bytes": 2048, "text": "2.00 KiB"}
    assert view["layers"]["rows"][0]["onnx_nodes"] == ["a", "b"]
    assert view["layers"]["source"] == "No GPU here."
    assert [(part["label"], part["bytes"]) for part in view["memory"]] == [("Weights", 1024), ("Activations", 2**20)]
    assert "512 B of it scratch" in view["memory"][1]["note"]
    assert view["warnings"] == [{"severity": "error", "count": 2, "text": "bad"}]
    assert "import tensorrt_rtx" in view["script"]
