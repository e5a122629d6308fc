"""A cache of engines is trusted only as far as it can be checked, and holds no more than it may."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import models
from tests.build.outcomes import build, pool_here, report_of, store_file
from tests.build.sabotage import WatchedPool, assert_whole, entries_of
from trtlab.build.cache import EngineCache
from trtlab.build.files import remove_leftovers, temporary_path
from trtlab.build.session import BuildSession


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    """Return a pool whose one worker builds everything here."""
    with pool_here() as pool:
        yield pool


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    """Return an empty cache."""
    return EngineCache(tmp_path / "cache")


def truncate(entry: Path) -> None:
    os.truncate(entry / "engine", 100)


def flip_a_bit(entry: Path) -> None:
    content = bytearray((entry / "engine").read_bytes())
    content[len(content) // 2] ^= 1
    (entry / "engine").write_bytes(content)


def break_report(entry: Path) -> None:
    (entry / "report.json").write_text('{"engine": {"sha')


def report_of_another_kind(entry: Path) -> None:
    (entry / "report.json").write_text("[1, 2]")


def report_without_results(entry: Path) -> None:
    report = json.loads((entry / "report.json").read_text())
    (entry / "report.json").write_text(json.dumps({"engine": report["engine"]}))


def report_with_wrong_types(entry: Path) -> None:
    report = json.loads((entry / "report.json").read_text())
    (entry / "report.json").write_text(json.dumps({**report, "built": {"engine_bytes": "many"}}))


def deep_report(entry: Path) -> None:
    (entry / "report.json").write_text("[" * 100_000)


def remove_engine(entry: Path) -> None:
    (entry / "engine").unlink()


def remove_report(entry: Path) -> None:
    (entry / "report.json").unlink()


def folder_for_engine(entry: Path) -> None:
    (entry / "engine").unlink()
    (entry / "engine").mkdir()


def empty(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.mkdir()


def file_for_entry(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_text("not a folder")


@pytest.mark.parametrize(
    "damage",
    [
        truncate, flip_a_bit, break_report, report_of_another_kind, report_without_results, report_with_wrong_types, deep_report,
        remove_engine, remove_report, folder_for_engine, empty, file_for_entry,
    ],
)  # fmt: skip
def test_a_damaged_entry_is_replaced(cache: EngineCache, pool: WatchedPool, damage: Callable[[Path], None]) -> None:
    first = build(models.relu((1, 4)), cache, pool)
    (name,) = entries_of(cache.folder)
    damage(cache.folder / name)
    again = build(models.relu((1, 4)), cache, pool)
    assert not again.from_cache
    assert again.engine == first.engine
    assert entries_of(cache.folder) == [name]
    assert build(models.relu((1, 4)), cache, pool).from_cache


def test_an_engine_that_was_changed_where_it_was_saved_does_not_come_out_of_the_cache(
    cache: EngineCache, pool: WatchedPool, tmp_path: Path
) -> None:
    """The saved file and the cache may share their data on the disk, so changing one in place can change the other."""
    (tmp_path / "output").mkdir()
    output = tmp_path / "output" / "model.engine"
    with BuildSession(models.relu((1, 4)), output=output, cache=cache, pool=pool) as session:
        first = session.run_all()
    with output.open("r+b") as stream:
        stream.write(b"damage")
    again = build(models.relu((1, 4)), cache, pool)
    assert first.engine is not None
    assert again.engine is not None
    assert again.engine.sha256 == first.engine.sha256


def test_an_entry_that_vanishes_between_two_steps_is_built_again(cache: EngineCache, pool: WatchedPool) -> None:
    build(models.relu((1, 4)), cache, pool)
    with BuildSession(models.relu((1, 4)), cache=cache, pool=pool) as session:
        assert session.run_to("build").from_cache
        cache.clear()
        report = session.run_all()
    assert report.ok
    assert not report.step("save").from_cache
    assert_whole(cache.folder)
    assert len(entries_of(cache.folder)) == 1


def test_a_fuller_report_is_only_stored_with_its_own_engine(cache: EngineCache, tmp_path: Path) -> None:
    mine, theirs = store_file(tmp_path / "mine", b"my engine"), store_file(tmp_path / "theirs", b"their engine")
    kept = cache.store("key", theirs, report_of(theirs))
    assert cache.store("key", mine, report_of(mine)).report == kept.report  # theirs was first, and is as good
    cache.complete("key", report_of(mine, inspected=1))
    found = cache.find("key")
    assert found is not None
    assert found.report == report_of(theirs)
    cache.complete("key", report_of(theirs, inspected=2))
    found = cache.find("key")
    assert found is not None
    assert found.report == report_of(theirs, inspected=2)
    cache.complete("another key", report_of(theirs))
    assert entries_of(cache.folder) == ["key"]


# Limits and leftovers


def test_the_entry_unused_for_longest_goes_when_the_cache_is_full(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path / "cache", limit_bytes=2500)
    engine = store_file(tmp_path / "engine", bytes(1000))
    for age, key in enumerate(("a", "b")):
        cache.store(key, engine, report_of(engine))
        long_ago = time.time() - 1000 + age
        os.utime(cache.folder / key / "report.json", (long_ago, long_ago))
    assert cache.keys() == ("a", "b")
    assert cache.find("a") is not None  # now b is the one unused for longest
    assert cache.keys() == ("b", "a")
    cache.store("c", engine, report_of(engine))
    assert set(cache.keys()) == {"a", "c"}
    assert cache.size_bytes() == 2000


def test_an_engine_larger_than_the_cache_is_kept_alone(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path / "cache", limit_bytes=10)
    engine = store_file(tmp_path / "engine", bytes(1000))
    for key in ("a", "b"):
        cache.store(key, engine, report_of(engine))
    assert cache.keys() == ("b",)


def test_the_cache_can_be_cleared(cache: EngineCache, tmp_path: Path) -> None:
    assert (cache.keys(), cache.size_bytes()) == ((), 0)
    engine = store_file(tmp_path / "engine", bytes(1000))
    for key in ("a", "b"):
        cache.store(key, engine, report_of(engine))
    cache.clear()
    assert entries_of(cache.folder) == []
    assert engine.read_bytes() == bytes(1000)


def test_only_what_nobody_writes_any_more_is_cleaned_up(tmp_path: Path) -> None:
    mine = temporary_path(tmp_path / "engine")
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{int(ended.stdout)}-"))
    system = mine.name.split(".trtlab-")[1][:8]
    elsewhere = dead.with_name(dead.name.replace(system, "01234567"))  # of another container that shares this folder
    abandoned = elsewhere.with_name(elsewhere.name.replace(".engine.", ".abandoned."))
    foreign = [tmp_path / ".engine.part", tmp_path / "engine.trtlab-1-0.part", tmp_path / ".hidden"]
    for path in (mine, dead, elsewhere, abandoned, *foreign):
        path.write_text("half")
    os.utime(abandoned, (time.time() - 200_000,) * 2)
    dead_folder = dead.with_name(dead.name.replace(".engine.", ".entry."))
    (dead_folder / "inside").mkdir(parents=True)
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, elsewhere, *foreign])
