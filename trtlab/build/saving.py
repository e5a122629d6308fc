"""Put an engine where the user wants it, with a note beside it of what it was built from."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtlab._engine_results import Installation
from trtlab._errors import InputError, OutputExistsError
from trtlab.build.cache import now_utc
from trtlab.build.files import replacing, write_text
from trtlab.build.plan import BuildPlan
from trtlab.build.report import EngineFile
from trtlab.model.description import ModelDescription

SIDECAR_SCHEMA = "trtlab.engine/1"
# First bytes of a serialized engine: TensorRT, TensorRT-RTX.
ENGINE_MAGICS = (b"ftrt", b"vtrt", b"ptrt")
_LARGEST_NOTE_BYTES = 1 << 22


@dataclass(frozen=True)
class FileSignature:
    """What tells whether a file is still the one that was written."""

    modified_ns: int
    bytes: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileSignature | None:
        """Return the signature of `path`, None if it is not there."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(status.st_mtime_ns, status.st_size, status.st_ino)


def sidecar_path(engine: Path) -> Path:
    """Return where the note of an engine lies: `model.engine` has `model.engine.json`."""
    return engine.with_name(engine.name + ".json")


def check_output(output: Path, *, model_path: str, since: float, own: FileSignature | None, overwrite: bool) -> None:
    """Refuse to write where it would destroy something.

    Args:
        output: Where the engine should go.
        model_path: The model's own file.
        since: When this build began, in seconds since the epoch: a file changed later is newer than what we know.
        own: What this session wrote there before.
        overwrite: Whether the user agreed to replace what is there.

    Raises:
        InputError: A folder, something else that is no file (a device), or the model itself.
        FileNotFoundError: The folder that it should go to is not there.
        OutputExistsError: A newer file, or one that is no engine; `overwrite` would allow it.
    """
    if output.is_dir():
        raise InputError(f"{output} is a folder. Give the name of the engine file inside it.")
    if output.exists() and not output.is_file():  # renaming a file to /dev/null would remove the device
        raise InputError(f"{output} is no regular file. Give another name for the engine.")
    if not output.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(output.parent))
    if model_path and output.exists() and output.samefile(model_path):
        raise InputError(f"{output} is the model itself. Give another name for the engine.")
    if overwrite:
        return
    note = sidecar_path(output)
    if note.exists() and not _is_note(note):
        raise OutputExistsError(f"{note} is there already and is no note of an engine. Replace it?")
    signature = FileSignature.of(output)
    if signature is None or signature == own:
        return
    if signature.modified_ns > since * 1e9:
        changed = time.strftime("%H:%M:%S", time.localtime(signature.modified_ns / 1e9))
        raise OutputExistsError(f"{output} was changed at {changed}, after this build began. Replace it?")
    with output.open("rb") as stream:
        head = stream.read(4)
    if signature.bytes and head not in ENGINE_MAGICS:
        raise OutputExistsError(f"{output} is there already and is no TensorRT engine. Replace it?")


def _is_note(path: Path) -> bool:
    try:
        if path.stat().st_size > _LARGEST_NOTE_BYTES:
            return False
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(note, dict) and str(note.get("schema", "")).startswith(SIDECAR_SCHEMA.partition("/")[0] + "/")


def save_engine(output: Path, write: Callable[[Path], tuple[int, str]], note: dict[str, Any]) -> EngineFile:
    """Write an engine and its note; both appear whole or not at all.

    Args:
        output: Where.
        write: Writes the engine to a temporary path and returns its size and digest.
        note: What the note says besides size and digest, see `engine_note`.

    Raises:
        OSError: It could not be written; the folder is as it was.
    """
    sidecar = sidecar_path(output)
    before = sidecar.read_bytes() if sidecar.exists() else None
    try:
        with replacing(output) as temporary:
            size, sha256 = write(temporary)
            text = json.dumps({**note, "engine": {"file": output.name, "bytes": size, "sha256": sha256}}, indent=2)
            # The note goes first: should the process end between the two, its digest tells that it is not the engine's.
            write_text(sidecar, text + "\n")
    except BaseException:
        _restore(sidecar, before)
        raise
    return EngineFile(str(output), size, sha256, str(sidecar))


def _restore(sidecar: Path, before: bytes | None) -> None:
    """Undo what happened to a note, because its engine could not be put in place."""
    with contextlib.suppress(OSError):
        if before is None:
            sidecar.unlink(missing_ok=True)
        elif sidecar.read_bytes() != before:
            with replacing(sidecar) as temporary:
                temporary.write_bytes(before)


def engine_note(
    model: ModelDescription, plan: BuildPlan, installation: Installation, *, date: str = ""
) -> dict[str, Any]:
    """Return what to write beside an engine: which model, plan, TensorRT and target it was built from, and when."""
    gpu = installation.gpu
    return {
        "schema": SIDECAR_SCHEMA,
        "date": date or now_utc(),
        "model": {"file": Path(model.path).name, "sha256": model.sha256},
        "plan": plan.to_dict(),
        "flavour": installation.flavour,
        "version": installation.version,
        "target": list(plan.targets)
        or ([gpu.compute_capability] if gpu and installation.flavour == "tensorrt" else ["default"]),
        "gpu": gpu.to_dict() if gpu else None,
    }
