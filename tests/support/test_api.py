"""`trtlab.check` on models that nobody exports: each ends in a report or in a clear error, and nothing in it runs or hangs."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

import trtlab
from tests import models
from tests.support.hostile_models import (
    HOSTILE,
    exploding_functions,
    external_weights,
    functions_in_functions,
    many_ifs,
    nested,
    nested_bytes,
)
from trtlab._errors import CheckError, InputError
from trtlab.build.plan import ShapesArgument
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveyProgress
from trtlab.worker import WorkerLimits

# Recursion makes the parser crash, and each crash costs the start of a worker.
CRASHING = {"endless function", "endless functions"}
# What else is refused, besides the node named `det`, and what cannot be judged.
ALSO_REFUSED = {"missing tensor": {"add"}, "sparse weight": {"add"}, "no names": {""}}
NOT_JUDGED = {"circle": 2, "own circle": 1, "10,000 characters": 1}


def check_whole(report: SupportReport) -> None:
    """Fail if a report lacks a verdict or a reason, or cannot be shown or sent."""
    assert [verdict.number for verdict in report.nodes] == list(range(len(report.nodes)))
    for verdict in report.problems:
        assert verdict.reason.strip().lower() not in ("", "false"), verdict.number
    assert json.loads(json.dumps(report.to_dict()))["supported"] == report.supported
    assert "<script" not in report._html()
    assert "<img" not in report._html()
    assert len(repr(report)) < 5_000


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - CRASHING))
def test_the_refused_node_of_a_hostile_model_is_found(name: str) -> None:
    report = trtlab.check(HOSTILE[name](), depth="quick")
    check_whole(report)
    assert not report.supported
    refused = [verdict for verdict in report.unsupported if verdict.node.op_type == "Det"]
    assert len(refused) == 1
    assert "determinants" in refused[0].reason
    others = {verdict.node.name for verdict in report.unsupported if verdict.node.op_type != "Det"}
    assert others == ALSO_REFUSED.get(name, set())
    assert report.counts["unknown"] == NOT_JUDGED.get(name, 0)


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - CRASHING - {"3,000 Ifs", "million elements"}))
def test_with_the_builder_a_hostile_model_is_judged_the_same(name: str) -> None:
    report = trtlab.check(HOSTILE[name](), limits=WorkerLimits(seconds=60))
    check_whole(report)
    assert [verdict.node.op_type for verdict in report.unsupported if verdict.refused_by == "parser"].count("Det") == 1
    by_builder = {verdict.node.name for verdict in report.unsupported if verdict.refused_by == "builder"}
    assert by_builder <= {"if0", "choice"}, "the Ifs of these models have branches of different ranks"


@pytest.mark.parametrize("name", sorted(CRASHING))
def test_functions_that_call_themselves_crash_the_parser_and_not_the_check(name: str) -> None:
    report = trtlab.check(HOSTILE[name](), depth="quick")
    check_whole(report)
    assert {verdict.node.name for verdict in report.unsupported} == {"call1", "call2"}
    assert all(verdict.status == "unknown" for verdict in report.nodes if verdict.node.scope), (
        "nobody looked into the functions"
    )


def test_a_parser_that_does_not_come_back_is_ended_by_the_time_limit() -> None:
    with pytest.raises(CheckError, match="time limit of 3") as caught:
        trtlab.check(exploding_functions(), limits=WorkerLimits(seconds=3))
    assert caught.value.diagnoses[0].id == "worker.time_limit"


@pytest.mark.parametrize("depth", [40, 500])
def test_a_model_nested_deeper_than_protobuf_reads_is_a_clear_error(depth: int) -> None:
    with pytest.raises(InputError) as caught:
        trtlab.check(nested_bytes(depth))
    assert "nest" in str(caught.value) or "ONNX" in str(caught.value)


def test_a_model_nested_as_deep_as_protobuf_reads_is_judged() -> None:
    report = trtlab.check(nested(30), depth="quick")
    check_whole(report)
    assert "det" in {verdict.node.name for verdict in report.unsupported}


def test_nodes_of_functions_have_their_scope(tmp_path: Path) -> None:
    path = models.save(functions_in_functions(), tmp_path / "model.onnx")
    report = trtlab.check(path, depth="quick")
    [verdict] = report.unsupported
    assert (verdict.node.scope, verdict.node.name, verdict.node.index) == ("local.Inner", "det", 1)


def test_weights_in_other_files_are_read_from_the_folder_of_the_model(tmp_path: Path) -> None:
    report = trtlab.check(external_weights(tmp_path))
    check_whole(report)
    assert [verdict.node.name for verdict in report.unsupported] == ["det"]
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(InputError, match=r"weights\.bin"):
        trtlab.check(tmp_path / "external.onnx", depth="quick")


def test_a_model_may_be_given_in_every_form(tmp_path: Path) -> None:
    proto = models.relu((1, 4))
    path = models.save(proto, tmp_path / "model.onnx")
    reports = [trtlab.check(form) for form in (proto, proto.SerializeToString(), path, str(path))]
    assert all(report.supported and report.builds == 1 for report in reports)
    assert [report.model.path for report in reports[2:]] == [str(path)] * 2


@pytest.mark.parametrize(
    ("shapes", "builds"), [(None, True), ({"x": (2, 4)}, True), ({"x": ((1, 4), (2, 4), (8, 4))}, True)]
)
def test_shapes_are_those_of_a_build(shapes: ShapesArgument | None, builds: bool) -> None:
    assert trtlab.check(models.relu(), shapes=shapes).supported is builds


def test_progress_is_told_in_words_and_never_goes_back() -> None:
    heard: list[SurveyProgress] = []
    trtlab.check(many_ifs(30), depth="quick", progress=heard.append)
    texts = list(dict.fromkeys(progress.text for progress in heard))
    assert texts[:2] == ["reading the model", "asking the parser"]
    assert texts[-1] == "looking at the model"
    done = [progress.done for progress in heard if progress.total]
    assert done == sorted(done)


def test_a_model_of_another_domain_alone_is_judged() -> None:
    """It has no version of the standard operators that could be compared with a release's limit."""
    proto = models.model([models.node("Gate", ["x"], ["y"], "gate", domain="acme")], opsets={"acme": 1})
    report = trtlab.check(proto, depth="quick")
    assert [verdict.node.name for verdict in report.unsupported] == ["gate"]
    assert report.model.opset is None


def test_a_model_without_nodes_is_judged() -> None:
    proto = models.model([], [models.value("x", (1,))], [models.value("x", (1,))])
    check_whole(trtlab.check(proto, depth="quick"))


def test_reading_a_report_again_gives_the_same() -> None:
    from trtlab._results import from_dict

    report = trtlab.check(functions_in_functions(), depth="quick")
    assert from_dict(SupportReport, json.loads(json.dumps(report.to_dict()))) == report


def test_a_node_is_found_by_number_and_by_name() -> None:
    report = trtlab.check(HOSTILE["same node names"](), depth="quick")
    assert report.find(2).node.op_type == "Det"
    with pytest.raises(InputError, match="3 nodes are named 'det'"):
        report.find("det")
    with pytest.raises(InputError, match="from 0"):
        report.find(3)
    with pytest.raises(InputError, match="No node is named"):
        report.find("none")


def test_a_deep_copy_is_not_needed(tmp_path: Path) -> None:
    """A check changes neither the model that it is given nor its file."""
    proto = functions_in_functions()
    before = proto.SerializeToString(deterministic=True)
    path = tmp_path / "model.onnx"
    onnx.save(proto, path)
    content = path.read_bytes()
    trtlab.check(proto)
    trtlab.check(path)
    assert proto.SerializeToString(deterministic=True) == before
    assert path.read_bytes() == content
    assert [item.name for item in tmp_path.iterdir()] == ["model.onnx"]
