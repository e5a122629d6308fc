"""`trtlab explain` as it is called in terminals and in CI."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from trtlab.cli import main

MEMORY = "[E] Error Code 2: OutOfMemory (Requested size was 68719477120 bytes.)\n"
HARMLESS = "[W] [TRT] CUDA lazy loading is not enabled. Enabling it can significantly reduce device memory usage\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "build.log"
    path.write_text(HARMLESS + MEMORY)
    return path


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_log_with_a_problem_gives_1(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(log)]) == 1
    shown = capsys.readouterr().out
    assert "build.out_of_memory" in shown
    assert "line 2" in shown
    assert "64.0 GiB" in shown
    assert "Do this:" in shown
    assert "1 more follow from it or are harmless" in shown


def test_json_has_the_promised_keys(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", str(log)]) == 1
    found = document(capsys)
    assert found["schema"] == "trtlab.explain/1"
    diagnoses = found["diagnoses"]
    assert isinstance(diagnoses, list)
    first, second = diagnoses
    assert first["root"] is True
    assert first["lines"] == [2, 2]
    assert first["tensorrt_code"] == "Error Code 2: OutOfMemory"
    assert set(first["causes"][0]) == {"text", "evidence"}
    assert set(first["remedies"][0]) >= {"text", "repair"}
    assert (second["severity"], second["root"]) == ("harmless", False)


def test_standard_input_and_nothing_recognised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"all went well\n")))
    assert main(["explain", "--json", "-"]) == 0
    assert document(capsys)["diagnoses"] == []


def test_harmless_alone_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "fine.log"
    path.write_text(HARMLESS)
    assert main(["explain", str(path)]) == 0


def test_codes_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "Error", "Code", "10"]) == 0
    assert "UNSUPPORTED_STATE" in capsys.readouterr().out
    assert main(["explain", "--lang", "zh", "INVALID_ARGUMENT"]) == 0
    assert "建议操作" in capsys.readouterr().out


def test_the_catalog_is_listed_and_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--list"]) == 0
    everything = capsys.readouterr().out.splitlines()
    assert len(everything) > 100
    assert main(["explain", "--list", "--json", "out", "of", "memory"]) == 0
    pages = document(capsys)["pages"]
    assert isinstance(pages, list)
    assert "build.out_of_memory" in [page["id"] for page in pages]
    assert len(pages) < len(everything)


def test_wrong_usage_gives_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "model.engine"
    binary.write_bytes(bytes(range(256)) * 20)
    assert main(["explain", str(binary)]) == 2
    assert "it is binary" in capsys.readouterr().err
    assert main(["explain", str(tmp_path / "nothing.log")]) == 2
    assert "There is no file" in capsys.readouterr().err
    assert main(["explain", "no such name at all"]) == 2


def test_code_that_uses_what_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.py"
    script.write_text("import tensorrt as trt\nbuilder = trt.Builder(trt.Logger())\nbuilder.max_batch_size = 1\n")
    assert main(["explain", "--code", str(script), "--release", "11.4"]) == 1
    assert "max_batch_size" in capsys.readouterr().out
    script.write_text("print('fine')\n")
    assert main(["explain", "--code", str(script), "--release", "11.4"]) == 0


def test_a_log_cannot_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "evil.log"
    path.write_text("[E] 3: getPluginCreator could not find plugin: [red]A[/red]\x1b[2J\x07 version: 1\n")
    main(["explain", str(path)])
    shown = capsys.readouterr().out
    assert "\x07" not in shown
    assert "\x1b[2J" not in shown
