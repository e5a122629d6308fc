"""Keep built engines, so that a build whose inputs did not change is not done again.

An entry is a folder that appears whole by one rename: the engine and the report of its build together. Two notebooks may
build the same at once; the first to finish is kept, the other finds it there. Nothing has to be locked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtlab._engine_results import Gpu, Installation
from trtlab.build.files import link_or_copy, remove_leftovers, temporary_path
from trtlab.build.plan import BuildPlan

FOLDER_VARIABLE = "TRTLAB_CACHE_DIR"
DEFAULT_LIMIT_BYTES = 10 * 2**30
# Part of each key: raise it when the stored report changes in a way that older entries cannot serve.
_FORMAT = 1
_ENGINE, _REPORT = "engine", "report.json"
_READ_BYTES = 1 << 22
_ATTEMPTS = 3
# What reading a damaged entry raises.
_DAMAGE = (NotADirectoryError, IsADirectoryError, ValueError, LookupError, TypeError, RecursionError)


@dataclass(frozen=True)
class CacheEntry:
    """An engine in the cache.

    Attributes:
        engine: Its file. Read it, link it, copy it; never change it.
        report: What was stored with it.
    """

    engine: Path
    report: dict[str, Any]


def default_folder() -> Path:
    """Return the folder that `TRTLAB_CACHE_DIR` names, else `engines` in the user's cache folder."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("trtlab", appauthor=False)) / "engines"


def cache_key(model_sha256: str, plan: BuildPlan, installation: Installation) -> str:
    """Return the digest of all that decides what engine comes out of a build."""
    parts = [
        _FORMAT,
        model_sha256,
        plan.digest(),
        installation.flavour,
        installation.version,
        _target(plan, installation.gpu),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _target(plan: BuildPlan, gpu: Gpu | None) -> str:
    # Without named targets an engine is made for, or at least tuned on, the GPU that is here.
    return ",".join(sorted(plan.targets)) or (
        f"{gpu.name} {gpu.compute_capability} {gpu.driver}" if gpu else "portable"
    )


class EngineCache:
    """A folder of engines, each under the key of its build.

    Args:
        folder: Where; created when the first engine is stored. None: `default_folder()`.
        limit_bytes: When the engines together are larger, those unused for longest are removed.
    """

    def __init__(self, folder: Path | None = None, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = folder or default_folder()
        self.limit_bytes = limit_bytes

    def find(self, key: str, *, check: Callable[[], None] = lambda: None) -> CacheEntry | None:
        """Return the entry of `key`, None if there is none. A damaged one is removed and counts as none.

        Args:
            key: What `cache_key` returned.
            check: Called while a large engine is read; what it raises stops that.
        """
        for _ in range(2):  # what does not fit together may be an entry that just came or went, as a whole
            try:
                return self._read(key, check)
            except (FileNotFoundError, *_DAMAGE):  # noqa: PERF203 - two rounds
                if not os.path.lexists(self.folder / key):
                    return None
            except OSError:  # it may be whole, but cannot be read now
                return None
        self.remove(key)
        return None

    def _read(self, key: str, check: Callable[[], None]) -> CacheEntry:
        entry = self.folder / key
        report = json.loads((entry / _REPORT).read_text(encoding="utf-8"))
        if _digest(entry / _ENGINE, check) != report["engine"]["sha256"]:
            raise ValueError("the engine is not the one that was stored")
        with contextlib.suppress(OSError):  # a folder that may only be read serves as well
            os.utime(entry / _REPORT)  # marks it as used
        return CacheEntry(entry / _ENGINE, report)

    def store(self, key: str, engine: Path, report: dict[str, Any]) -> CacheEntry:
        """Store the engine file with its report and return the entry; one that is there already, and whole, is kept.

        Raises:
            OSError: It could not be stored (a full disk, no permission). The cache is as it was.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        temporary = temporary_path(self.folder / key)
        try:
            temporary.mkdir()
            link_or_copy(engine, temporary / _ENGINE)
            (temporary / _REPORT).write_text(json.dumps(report), encoding="utf-8")
            entry = self._put(temporary, key) or CacheEntry(self.folder / key / _ENGINE, report)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self._shrink(keep=key)
        return entry

    def _put(self, temporary: Path, key: str) -> CacheEntry | None:
        """Give a new entry its name; return the one that has it already, if somebody was first."""
        for attempt in range(_ATTEMPTS):
            try:
                temporary.rename(self.folder / key)  # fails if there is one
            except OSError:  # noqa: PERF203 - a few rounds
                other = self.find(key)  # removes a damaged one
                if other is not None:
                    return other
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
        return None

    def complete(self, key: str, report: dict[str, Any]) -> None:
        """Replace the report of an entry by a fuller one of the same engine.

        An entry that is gone meanwhile, that somebody else made, or a full disk: that changes nothing.
        """
        target = self.folder / key / _REPORT
        temporary = temporary_path(self.folder / key)  # not inside the entry, which has no room for leftovers
        try:
            if json.loads(target.read_text(encoding="utf-8"))["engine"] == report["engine"]:
                temporary.write_text(json.dumps(report), encoding="utf-8")
                os.replace(temporary, target)  # noqa: PTH105
        except (OSError, ValueError, LookupError, TypeError):
            pass
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def remove(self, key: str) -> None:
        """Remove one entry. It vanishes by a rename first, so nobody sees half of it."""
        target = self.folder / key
        grave = temporary_path(target)
        with contextlib.suppress(OSError):
            target.rename(grave)
            if grave.is_dir():
                shutil.rmtree(grave, ignore_errors=True)
            else:
                grave.unlink()

    def clear(self) -> None:
        """Remove all entries."""
        for key in self.keys():
            self.remove(key)

    def keys(self) -> tuple[str, ...]:
        """Return the keys of all entries, those unused for longest first."""
        entries = []
        with contextlib.suppress(FileNotFoundError):
            for entry in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    entries.append(((entry / _REPORT).stat().st_mtime, entry.name))
        return tuple(name for _, name in sorted(entries))

    def size_bytes(self) -> int:
        """Return the size of all engines together."""
        return sum(self._entry_bytes(key) for key in self.keys())

    def _entry_bytes(self, key: str) -> int:
        with contextlib.suppress(OSError):
            return (self.folder / key / _ENGINE).stat().st_size
        return 0

    def _shrink(self, *, keep: str) -> None:
        keys = self.keys()
        sizes = {key: self._entry_bytes(key) for key in keys}
        total = sum(sizes.values())
        for key in keys:
            if total <= self.limit_bytes:
                return
            if key != keep:
                self.remove(key)
                total -= sizes[key]


def _digest(path: Path, check: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            check()
            digest.update(block)
    return digest.hexdigest()


def now_utc() -> str:
    """Return the time as ISO 8601 in UTC, as sidecars and reports have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
