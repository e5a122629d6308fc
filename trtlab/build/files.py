"""Write files so that a reader, a crash or a second writer never sees half of one.

A file is written under a temporary name beside its target and then renamed, which POSIX does atomically.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_TEMPORARY = re.compile(r"^\.(?P<name>.+)\.trtlab-(?P<process>\d+)-[0-9a-f]{8}\.part$")
# Longest name that Linux file systems take; the temporary name adds to the target's.
_LONGEST_NAME = 255


def temporary_path(target: Path) -> Path:
    """Return a name beside `target` that nobody else uses. It says which process made it, so that leftovers can be told."""
    suffix = f".trtlab-{os.getpid()}-{secrets.token_hex(4)}.part"
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


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` (new) hold what `source` holds, without copying where the file system can share the data."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of processes that no longer run. One that is being written is left alone."""
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            found = _TEMPORARY.match(entry.name)
            if found and not _runs(int(found["process"])):
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
