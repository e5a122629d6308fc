"""In models made of good and faulty parts, every faulty node is found and no good one is accused."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.support.joined_models import JoinedModel, joined_model
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveySession
from trtlab.support.verdicts import Depth

QUICK, FULL = 200, 60
MOST_FAULTS = 20


def surveyed(proto: onnx.ModelProto, path: Path, depth: Depth) -> SupportReport:
    path.write_bytes(proto.SerializeToString())
    with SurveySession(path) as session:
        return session.check(depth=depth)


def difference(report: SupportReport, model: JoinedModel) -> dict[str, list[str]]:
    """Return the faulty nodes that were missed and the good ones that were accused."""
    found = {verdict.node.name for verdict in report.unsupported}
    wrong = {"missed": sorted(model.faulty - found), "accused": sorted(found - model.faulty)}
    return {key: names for key, names in wrong.items() if names}


def test_the_parser_names_every_faulty_node_and_no_good_one(tmp_path: Path) -> None:
    wrong = {}
    for seed in range(QUICK):
        proto, model = joined_model(seed, 1 + seed % MOST_FAULTS)
        report = surveyed(proto, tmp_path / "joined.onnx", "quick")
        assert not report.supported
        if found := difference(report, model):
            wrong[seed] = found
        for verdict in report.unsupported:
            assert verdict.reason.strip().lower() not in ("", "false"), (seed, verdict)
    assert not wrong


def test_with_the_builder_every_faulty_node_is_found_too(tmp_path: Path) -> None:
    wrong, by_builder = {}, 0
    for seed in range(FULL):
        proto, model = joined_model(seed, 1 + seed % MOST_FAULTS, with_builder_faults=True)
        report = surveyed(proto, tmp_path / "joined.onnx", "full")
        if found := difference(report, model):
            wrong[seed] = found
        refused = {verdict.node.name: verdict.refused_by for verdict in report.unsupported}
        assert {name for name, by in refused.items() if by == "builder"} == model.by_builder, seed
        by_builder += len(model.by_builder)
    assert not wrong
    assert by_builder > FULL // 2


@pytest.mark.parametrize("seed", range(5))
def test_a_model_of_good_parts_is_supported(seed: int, tmp_path: Path) -> None:
    proto, _ = joined_model(seed, 0, good=10)
    report = surveyed(proto, tmp_path / "joined.onnx", "full")
    assert report.supported, report
    assert not report.problems
