"""Which notebooks `trtlab lab` takes, and that a user's changes survive every copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trtlab._errors import MissingError
from trtlab.cli._course import CopyResult, Course, copy_course, find_course

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    for name in ("notebooks/00_start_here.ipynb", "notebooks/deep/01.ipynb", "sample_models/digits.onnx"):
        write(folder / name, "first edition")
    for name in ("notebooks/.ipynb_checkpoints/00.ipynb", "sample_models/__pycache__/make.pyc", "elsewhere/file"):
        write(folder / name, "not part of it")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_copies_both_parts_and_nothing_else(shipped: Path, tmp_path: Path) -> None:
    result = copy_course(shipped, tmp_path / "mine")
    names = ["notebooks/00_start_here.ipynb", "notebooks/deep/01.ipynb", "sample_models/digits.onnx"]
    assert result == CopyResult(added=tuple(names), updated=(), kept=())
    assert files_in(tmp_path / "mine") == [".trtlab-lab.json", *names]


def test_second_copy_does_nothing(shipped: Path, tmp_path: Path) -> None:
    copy_course(shipped, tmp_path / "mine")
    assert copy_course(shipped, tmp_path / "mine") == CopyResult(added=(), updated=(), kept=())


def test_changed_file_is_kept_and_others_are_updated(shipped: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    copy_course(shipped, mine)
    write(mine / "notebooks/00_start_here.ipynb", "my notes")
    # The user's change alone is nothing to report.
    assert copy_course(shipped, mine) == CopyResult(added=(), updated=(), kept=())
    for name in ("notebooks/00_start_here.ipynb", "sample_models/digits.onnx"):
        write(shipped / name, "second edition")
    for _ in range(2):  # and it stays so: a kept file is not taken for an unchanged one at the next copy
        result = copy_course(shipped, mine)
        assert result.kept == ("notebooks/00_start_here.ipynb",)
        assert (mine / "notebooks/00_start_here.ipynb").read_text() == "my notes"
    assert (mine / "sample_models/digits.onnx").read_text() == "second edition"


def test_deleted_file_comes_back(shipped: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    copy_course(shipped, mine)
    (mine / "sample_models/digits.onnx").unlink()
    assert copy_course(shipped, mine).added == ("sample_models/digits.onnx",)


@pytest.mark.parametrize("record", [None, "{ not JSON", "[]", '{"files": {}}'])
def test_unknown_file_of_the_user_is_kept(shipped: Path, tmp_path: Path, record: str | None) -> None:
    mine = tmp_path / "mine"
    write(mine / "notebooks/00_start_here.ipynb", "mine from before")
    if record is not None:
        write(mine / ".trtlab-lab.json", record)
    assert copy_course(shipped, mine).kept == ("notebooks/00_start_here.ipynb",)
    assert (mine / "notebooks/00_start_here.ipynb").read_text() == "mine from before"


def test_installed_package_brings_its_own(tmp_path: Path) -> None:
    (tmp_path / "trtlab/share/notebooks").mkdir(parents=True)
    # Anybody's, in site-packages.
    (tmp_path / "notebooks").mkdir()
    assert find_course(tmp_path / "trtlab") == Course(folder=tmp_path / "trtlab/share", editable=False)


def test_checkout_is_used_in_place(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert find_course(tmp_path / "trtlab") == Course(folder=tmp_path, editable=True)


def test_no_notebooks_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    with pytest.raises(MissingError, match="pip install --force-reinstall"):
        find_course(tmp_path / "trtlab")
