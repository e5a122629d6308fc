"""Builds that succeed, with every line that TensorRT logs at its most talkative: nothing in them is an error."""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from tests import models
from tests.explain.provoked.case import SUCCEEDED, Case
from tests.explain.provoked.running import run_programs
from trtlab.build.plan import BuildPlan
from trtlab.build.proposals import proposed_profile
from trtlab.build.session import BuildSession
from trtlab.explain.log import analyse_log

_SAMPLES = ("digits", "transformer", "control_flow", "light_resnet50")
_CHUNK = 150
# TensorRT's own logger, which Python programs use, writes the program's name and the severity the other way round than trtexec.
_PYTHON_PREFIX = re.compile(r"(?m)^(\[[\d/:-]+\]) \[TRT\] \[([VIWEF])\]")


@dataclass(frozen=True)
class Success:
    """A build that went well.

    Attributes:
        name: Of the model.
        group: Where the model comes from.
        log: Everything that was printed, at the level VERBOSE.
    """

    name: str
    group: str
    log: str

    def as_written(self) -> dict[str, str]:
        """Return the log as Python programs and as trtexec write it."""
        return {"Python": self.log, "trtexec": _PYTHON_PREFIX.sub(r"\1 [\2] [TRT]", self.log)}

    def false_alarms(self) -> list[str]:
        """Return what is said to be a root that is an error or a warning, with how the log was written."""
        return [
            f"{diagnosis.id} ({style}): {diagnosis.original[:200]}"
            for style, text in self.as_written().items()
            for diagnosis in analyse_log(text, has_driver=False).diagnoses
            if diagnosis.root and diagnosis.severity != "harmless"
        ]


def whole_models() -> Iterator[tuple[str, str, Path]]:
    """Yield name, group and file of the sample models, of the models that the onnx package brings, and of magika's."""
    for name in _SAMPLES:
        yield name, "sample models", models.SAMPLES / f"{name}.onnx"
    for path in models.LIGHT_MODELS:
        yield path.stem, "light models of the onnx package", path
    found = importlib.util.find_spec("magika")
    if found is not None and found.origin:
        for path in sorted(Path(found.origin).parent.glob("models/*/model.onnx")):
            yield path.parent.name, "magika", path


def node_models() -> Iterator[tuple[str, str, onnx.ModelProto]]:
    """Yield name, group and model of ONNX's tests of single operators."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX computes its expected values with overflows
        for case in collect_testcases(None):
            if case.model is not None:
                yield case.name, "operator tests of ONNX", case.model


def successful_builds(folder: Path, wanted: int) -> Iterator[Success]:
    """Build models until so many builds have succeeded, and yield these; models that are refused are left out.

    Args:
        folder: An empty folder to work in.
        wanted: How many at least, as long as there are models.
    """
    count = 0
    for success in _built(list(_whole_jobs(folder / "whole"))):
        count += 1
        yield success
    waiting: list[tuple[str, str, Path]] = []
    # Every seventh, then the others: so a part of them has some of every operator.
    ordered = sorted(enumerate(node_models()), key=lambda item: (item[0] % 7, item[0]))
    for index, (name, group, proto) in ordered:
        if count >= wanted:
            break
        place = folder / "nodes" / str(index)
        place.mkdir(parents=True)
        models.save(proto, place / "model.onnx")
        waiting.append((name, group, place))
        if len(waiting) == _CHUNK:
            for success in _built(waiting):
                count += 1
                yield success
            waiting = []
    if count < wanted:
        yield from _built(waiting)


def _whole_jobs(folder: Path) -> Iterator[tuple[str, str, Path]]:
    for index, (name, group, path) in enumerate(whole_models()):
        place = folder / str(index)
        place.mkdir(parents=True)
        (place / "model.onnx").write_bytes(path.read_bytes())
        (place / "program.py").write_text(_program(_proposed_plan(path)), "utf-8")
        yield name, group, place


def _proposed_plan(path: Path) -> BuildPlan:
    """Return a plan with the profile that trtlab proposes."""
    with BuildSession(path) as session:
        described = session.run_to("load").result
    profile = proposed_profile(described) if described is not None and described.dynamic_inputs else None
    return BuildPlan(profiles=(profile,)) if profile is not None else BuildPlan()


def _program(plan: BuildPlan) -> str:
    return Case("success", "operators", "", plan=plan).program_text("VERBOSE")


def _built(jobs: Sequence[tuple[str, str, Path]]) -> Iterator[Success]:
    plain = _program(BuildPlan())
    for _, _, place in jobs:
        if not (place / "program.py").exists():
            (place / "program.py").write_text(plain, "utf-8")
    run_programs([place for _, _, place in jobs])
    for name, group, place in jobs:
        log = (place / "output.txt").read_text("utf-8", "replace")
        if log.endswith(f"{SUCCEEDED}\n"):
            yield Success(name, group, log)
