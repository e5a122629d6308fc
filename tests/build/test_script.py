"""The program that a report writes builds the same engine with nothing but TensorRT."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from tests import models
from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange, shape_profile
from trtlab.build.report import BuildReport
from trtlab.build.script import build_script
from trtlab.build.session import BuildSession
from trtlab.build.steps import STEP_NAMES, StepRecord

SMALL = shape_profile({"x": ((1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8))})
LARGE = shape_profile({"x": ((4, 3, 8, 8), (8, 3, 8, 8), (16, 3, 8, 8))})
PLANS = {
    "plain": BuildPlan(profiles=(SMALL,)),
    "targets": BuildPlan(profiles=(SMALL,), targets=("sm86", "SM89")),
    "limits and level": BuildPlan(profiles=(SMALL,), memory_limits={"workspace": 2**24}, optimization_level=1),
    "two profiles": BuildPlan(profiles=(SMALL, LARGE)),
    "no verbosity, no TF32": BuildPlan(profiles=(SMALL,), profiling_verbosity="none", tf32=False),
}
HOSTILE = "it's \"x\"\n\\'); import os; os._exit(7) #"


def run(report: BuildReport, folder: Path) -> int:
    """Run the script of a report in a process of its own, far from trtlab, and return the size of the engine it wrote."""
    program, engine = folder / "build_engine.py", folder / "by_script.engine"
    program.write_text(report.script(), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRTLAB")}
    done = subprocess.run(
        [sys.executable, str(program), str(folder / "model.onnx"), str(engine)],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{engine.stat().st_size} bytes" in done.stdout
    return engine.stat().st_size


def built(proto: onnx.ModelProto, plan: BuildPlan, folder: Path) -> BuildReport:
    path = models.save(proto, folder / "model.onnx")
    with BuildSession(path, plan=plan, output=folder / "by_trtlab.engine") as session:
        report = session.run_all()
    assert report.ok, report
    return report


@pytest.mark.parametrize("name", PLANS)
def test_the_script_builds_an_engine_of_the_same_size(name: str, tmp_path: Path) -> None:
    report = built(models.convolution(), PLANS[name], tmp_path)
    assert report.engine is not None
    assert "trtlab" not in report.script().split('"""')[2], "it needs TensorRT only"
    assert run(report, tmp_path) == report.engine.bytes


def test_shape_tensors_and_hostile_names_are_values_in_the_script(tmp_path: Path) -> None:
    nodes = [models.node("Reshape", [HOSTILE, "target"], ["y"], "reshape")]
    inputs = [models.value(HOSTILE, ("n", 6)), models.value("target", (2,), onnx.TensorProto.INT64)]
    profile = ShapeProfile(
        {HOSTILE: ShapeRange((1, 6), (2, 6), (2, 6))}, {"target": ShapeRange((1, 1), (3, 4), (12, 12))}
    )
    report = built(
        models.model(nodes, inputs, [models.value("y", ("a", "b"))]), BuildPlan(profiles=(profile,)), tmp_path
    )
    assert report.engine is not None
    assert run(report, tmp_path) == report.engine.bytes


def test_paths_and_names_never_become_code() -> None:
    profile = shape_profile({HOSTILE: (1,)})
    steps = tuple(StepRecord(name) for name in STEP_NAMES)
    with BuildSession(models.relu((1, 4))) as session:
        description = session.run_to("load").result
    assert description is not None
    report = BuildReport(
        ok=True,
        steps=steps,
        plan=BuildPlan(profiles=(profile,)),
        model=replace(description, path=f"/nowhere/{HOSTILE}/m.onnx"),
    )
    tree = ast.parse(build_script(report))
    strings = {part.value for part in ast.walk(tree) if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    assert HOSTILE in strings
    assert f"/nowhere/{HOSTILE}/m.onnx" in strings
    assert not any(
        isinstance(part, ast.Import) and any(name.name == "os" for name in part.names) for part in ast.walk(tree)
    )


def test_the_program_for_a_model_from_memory_asks_for_a_path() -> None:
    with BuildSession(models.relu((1, 4))) as session:
        script = session.run_all().script()
    ast.parse(script)
    assert "else 'model.onnx'" in script


def test_a_refused_model_makes_the_script_say_why(tmp_path: Path) -> None:
    proto = models.model([models.node("Det", ["x"], ["y"])], [models.value("x", (2, 4, 4))], [models.value("y", (2,))])
    path = models.save(proto, tmp_path / "model.onnx")
    with BuildSession(path) as session:
        report = session.run_all()
    assert not report.ok
    program = tmp_path / "program.py"
    program.write_text(report.script(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "The parser refused the model." in done.stderr
