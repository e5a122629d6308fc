"""The notebooks and sample models that come with trtlab: where they lie, and how they get into a user's folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trtlab._errors import MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS: Final = ("notebooks", "sample_models")
"""The folders that belong together: notebooks reach their models as `../sample_models`."""

RECORD_NAME: Final = ".trtlab-lab.json"
"""In the user's folder: the checksum of each file as it was copied there."""


@dataclass(frozen=True)
class Course:
    """Where the notebooks and sample models of this installation lie.

    Attributes:
        folder: The folder that holds both.
        editable: Whether that is a source checkout, where one works on the files themselves.
    """

    folder: Path
    editable: bool


@dataclass(frozen=True)
class CopyResult:
    """What `copy_course` did, as paths relative to the user's folder."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    kept: tuple[str, ...]
    """Changed by the user while trtlab brought another version, so left alone."""


def find_course(package_folder: Path) -> Course:
    """Find what came with the trtlab package in `package_folder`.

    Raises:
        MissingError: This installation has none.
    """
    shipped = package_folder / "share"
    if (shipped / PARTS[0]).is_dir():
        return Course(folder=shipped, editable=False)
    checkout = package_folder.parent
    # `notebooks` alone could be anybody's, beside a package in site-packages.
    if (checkout / PARTS[0]).is_dir() and (checkout / "pyproject.toml").is_file():
        return Course(folder=checkout, editable=True)
    raise MissingError(
        "this installation has no notebooks. Install it again: python -m pip install --force-reinstall --no-deps trtlab"
    )


def copy_course(source: Path, target: Path) -> CopyResult:
    """Copy the parts of a course from `source` to `target`, and never over what the user changed.

    A file that is still as it was copied is replaced when trtlab brings a newer one.
    """
    recorded = _read_record(target)
    record: dict[str, str] = {}
    added: list[str] = []
    updated: list[str] = []
    kept: list[str] = []
    for name in _file_names(source):
        shipped = record[name] = _checksum(source / name)
        if not (target / name).exists():
            added.append(name)
        elif (present := _checksum(target / name)) == shipped:
            continue
        elif present == recorded.get(name):
            updated.append(name)
        else:
            if recorded.get(name) != shipped:
                kept.append(name)
            record[name] = recorded.get(name, "")
            continue
        _copy_file(source / name, target / name)
    _write_record(target, record)
    return CopyResult(added=tuple(added), updated=tuple(updated), kept=tuple(kept))


def _file_names(source: Path) -> Iterator[str]:
    for part in PARTS:
        for path in sorted((source / part).rglob("*")):
            name = path.relative_to(source)
            hidden = any(piece.startswith((".", "__pycache__")) for piece in name.parts)
            if path.is_file() and not hidden:
                yield name.as_posix()


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".trtlab-") as beside:
        # Not copy2: the files of an installation may be read-only, and these are for working on.
        shutil.copyfile(source, Path(beside) / target.name)
        (Path(beside) / target.name).replace(target)


def _read_record(target: Path) -> dict[str, str]:
    try:
        content = json.loads((target / RECORD_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        # Without it every file that differs counts as changed by the user, which loses nothing.
        return {}
    files = content.get("files", {}) if isinstance(content, dict) else {}
    return {str(name): str(checksum) for name, checksum in files.items()}


def _write_record(target: Path, record: dict[str, str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target, prefix=RECORD_NAME)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump({"schema": "trtlab.lab-files/1", "files": record}, stream, indent=2)
    Path(name).replace(target / RECORD_NAME)
