"""Write files so that a reader, a crash or a second writer never sees half of one.

A file is written under a temporary name beside its target and then renamed, which POSIX does atomically.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_TEMPORARY = re.compile(r"^\.(?P<name>.+)\.trtlab-(?P<system>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.part$")
# Longest name that Linux file systems take; the temporary name adds to the target's.
_LONGEST_NAME = 255
# Nobody writes to a file for that long without touching it.
_ABANDONED_SECONDS = 24 * 3600.0
_COPY_BYTES = 1 << 24


def temporary_path(target: Path) -> Path:
    """Return a name beside `target` that nobody else uses. It says which process made it, so that leftovers can be told."""
    suffix = f".trtlab-{_system()}-{os.getpid()}-{secrets.token_hex(4)}.part"
    name = target.name.encode()[: _LONGEST_NAME - len(suffix) - 1].decode("utf-8", "ignore")
    return target.with_name(f".{name}{suffix}")


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `target` if the block ends well, remove it if it does not."""
    remove_leftovers(target.parent)
    temporary = temporary_path(target)
    try:
        yield temporary
        os.replace(temporary, target)  # noqa: PTH105 - Path.replace does the same, but this name says it
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target`, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def link_or_copy(source: Path, target: Path, *, check: Callable[[], None] = lambda: None) -> None:
    """Make `target` (new) hold what `source` holds, without copying where the file system can share the data.

    Args:
        source: A file.
        target: Its new name or its copy.
        check: Called between blocks of a copy; what it raises stops it.
    """
    try:
        os.link(source, target)
    except OSError:
        with source.open("rb") as reading, target.open("xb") as writing:
            while block := reading.read(_COPY_BYTES):
                check()
                writing.write(block)


def shown_path(path: str) -> str:
    """Return the path that a user knows: for a temporary file that of its target."""
    folder, name = os.path.split(path)
    found = _TEMPORARY.match(name)
    return os.path.join(folder, found["name"]) if found else path  # noqa: PTH118 - a text to show


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of processes that no longer run. One that is being written is left alone."""
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            found = _TEMPORARY.match(entry.name)
            if found and _is_abandoned(entry, found["system"], int(found["process"])):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)


def _is_abandoned(entry: Path, system: str, process: int) -> bool:
    # A process of another machine or container, which shares this folder, cannot be asked for: there only age tells.
    if system == _system() and not _runs(process):
        return True
    return time.time() - entry.lstat().st_mtime > _ABANDONED_SECONDS


@functools.cache
def _system() -> str:
    """Return a digest of where process ids mean the same as here: this boot of this machine, this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        name = f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - no file, a name
    except OSError:
        name = platform.node()
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
