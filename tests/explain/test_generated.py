"""Generated files are written, compared, or refused with the reason; nothing is written where the YAML is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trtlab.explain.generated import write_generated


def run(monkeypatch: pytest.MonkeyPatch, path: Path, content: bytes, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["compile", *arguments])
    write_generated(lambda: {path: content}, module="package.module", description="Compile.")


def test_it_writes_and_then_finds_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    run(monkeypatch, path, b"[]")
    assert path.read_bytes() == b"[]"
    run(monkeypatch, path, b"[]", "--check")


def test_a_file_out_of_date_is_named_with_what_makes_it_and_not_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    with pytest.raises(SystemExit, match=r"out\.json is out of date: python -m package\.module"):
        run(monkeypatch, path, b"[]", "--check")
    assert not path.exists()


def test_wrong_yaml_ends_with_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[Path, bytes]:
        raise ValueError("entry x: no remedy")

    monkeypatch.setattr(sys, "argv", ["compile"])
    with pytest.raises(SystemExit, match="entry x: no remedy"):
        write_generated(fail, module="m", description="d")
