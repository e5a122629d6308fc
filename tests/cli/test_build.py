"""`trtlab build`: exit codes, JSON, progress on standard error, and nothing else on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trtlab.cli.build import exit_code
from trtlab.explain.diagnosis import Diagnosis, Place

SAMPLE_MODELS = Path(__file__).resolve().parents[2] / "sample_models"
DIGITS = str(SAMPLE_MODELS / "digits.onnx")
SHAPES = "image:1x1x8x8,4x1x8x8,16x1x8x8"


def run(*words: str, cache: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "trtlab", "build", *words],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "TRTLAB_CACHE_DIR": str(cache), **(environment or {})},
    )  # fmt: skip


def run_json(*words: str, cache: Path) -> tuple[int, dict[str, Any]]:
    completed = run(*words, "--json", cache=cache)
    document: dict[str, Any] = json.loads(completed.stdout)
    return completed.returncode, document


def test_builds_and_reports_as_json(tmp_path: Path) -> None:
    engine = tmp_path / "digits.engine"
    code, document = run_json(
        DIGITS, "--shapes", SHAPES, "--target", "sm86", "-o", str(engine), cache=tmp_path / "cache"
    )
    assert code == 0
    assert document["schema"] == "trtlab.build/1"
    assert document["ok"] is True
    assert [step["name"] for step in document["steps"]] == [
        "load",
        "check",
        "parse",
        "configure",
        "build",
        "save",
        "inspect",
    ]
    assert {step["state"] for step in document["steps"]} == {"done"}
    assert all(step["seconds"] >= 0 for step in document["steps"])
    assert document["engine"]["path"] == str(engine)
    assert document["engine"]["bytes"] == engine.stat().st_size
    assert document["memory"]["activation_bytes"] > 0
    assert {"activation_bytes", "weights_bytes", "scratch_bytes"} <= document["memory"].keys()
    assert any(layer["onnx_nodes"] for layer in document["layers"])
    assert {"name", "type", "onnx_nodes"} <= document["layers"][0].keys()
    assert document["diagnoses"] == []
    assert document["plan"]["targets"] == ["sm86"]
    again_code, again = run_json(DIGITS, "--shapes", SHAPES, "--target", "sm86", cache=tmp_path / "cache")
    assert (again_code, again["from_cache"]) == (0, True)


def test_refused_model_exits_with_1_and_says_where(tmp_path: Path) -> None:
    code, document = run_json(str(SAMPLE_MODELS / "broken" / "unsupported_operator.onnx"), cache=tmp_path)
    assert code == 1
    assert document["ok"] is False
    assert document["engine"] is None
    [diagnosis] = document["diagnoses"]
    assert diagnosis["id"] == "parse.unsupported_node"
    assert diagnosis["tensorrt_code"] == "UNSUPPORTED_NODE"
    assert diagnosis["root"] is True
    assert diagnosis["severity"] == "error"
    assert diagnosis["remedies"][0].keys() >= {"text", "repair"}


def test_text_output_keeps_progress_off_standard_output(tmp_path: Path) -> None:
    completed = run(DIGITS, "--shapes", "propose", cache=tmp_path)
    assert completed.returncode == 0
    assert completed.stdout.startswith("BuildReport: Engine of")
    assert "✓ build" in completed.stderr
    assert "✓" not in completed.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["no_such_file.onnx"],
        [str(SAMPLE_MODELS / "broken" / "html.onnx")],
        [DIGITS, "--shapes", "image"],
        [DIGITS, "--shapes", "picture:1x1x8x8"],
        [DIGITS, "--workspace", "much"],
        [DIGITS, "--shapes", SHAPES, "-o", "/no/such/folder/model.engine"],
        ["--no-such-option"],
    ],
    ids=["no-file", "web-page", "shapes-form", "unknown-input", "size", "folder", "option"],
)
def test_wrong_use_exits_with_2_and_no_traceback(words: list[str], tmp_path: Path) -> None:
    completed = run(*words, cache=tmp_path)
    assert completed.returncode == 2
    assert "Traceback" not in completed.stderr + completed.stdout
    assert completed.stderr.strip()


def test_missing_tensorrt_exits_with_3_and_says_what_to_install(tmp_path: Path) -> None:
    completed = run(DIGITS, "--shapes", SHAPES, "--flavour", "tensorrt", cache=tmp_path)
    assert completed.returncode == 3
    assert "pip install" in completed.stdout + completed.stderr


def test_script_is_printed_and_runs(tmp_path: Path) -> None:
    completed = run(DIGITS, "--shapes", SHAPES, "--script", cache=tmp_path)
    assert completed.returncode == 0
    script = tmp_path / "build_engine.py"
    script.write_text(completed.stdout)
    engine = tmp_path / "plain.engine"
    subprocess.run([sys.executable, str(script), DIGITS, str(engine)], check=True, capture_output=True, timeout=60)
    assert engine.stat().st_size > 0


def test_verbose_shows_the_log(tmp_path: Path) -> None:
    quiet = run(DIGITS, "--shapes", SHAPES, "--no-cache", cache=tmp_path)
    loud = run(DIGITS, "--shapes", SHAPES, "--no-cache", "-vv", cache=tmp_path)
    assert "[verbose]" not in quiet.stderr
    assert "[verbose] Parsing node" in loud.stderr


@pytest.mark.parametrize(
    ("identifier", "step", "expected"),
    [("env.library_missing", "parse", 3), ("parse.invalid_model", "load", 2), ("config.profile_range", "configure", 2),
     ("file.disk_full", "save", 2), ("build.myelin_internal", "build", 1)],
)  # fmt: skip
def test_exit_code_of_a_diagnosis(identifier: str, step: str, expected: int) -> None:
    assert exit_code([Diagnosis(identifier, "title", place=Place(step))]) == expected


def test_exit_code_without_a_diagnosis_is_a_problem() -> None:
    assert exit_code([]) == 1
