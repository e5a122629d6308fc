"""An engine that cannot be saved: the reason is told, nothing is destroyed or half-written, and the work is not lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from tests import models
from tests.build.outcomes import assert_saved, failure, pool_here
from tests.build.restricted import in_own_thread, make_read_only, mount_small_disk, obey_permissions
from tests.build.sabotage import (
    Saboteur,
    Scene,
    WatchedPool,
    entries_of,
    large_weights,
)
from trtlab.build.cache import EngineCache
from trtlab.build.session import BuildSession
from trtlab.worker import Worker

MEBIBYTE = 2**20
WRITABLE, LOCKED = 0o755, 0o555


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    """Return a pool whose one worker builds everything that needs no restriction."""
    with pool_here() as pool:
        yield pool


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Return an output folder with an older engine, and an empty cache."""
    (tmp_path / "output").mkdir()
    yield Scene(tmp_path / "output", tmp_path / "cache")
    for folder in (tmp_path / "output", tmp_path / "cache"):
        if folder.is_dir():
            folder.chmod(WRITABLE)


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """Return a model that builds in a tenth of a second."""
    return models.relu((1, 4))


@pytest.fixture(scope="module")
def large_model() -> onnx.ModelProto:
    """Return a model whose engine is larger than two mebibytes."""
    return large_weights(2)


# Full disks


@pytest.mark.parametrize("way", ["a full disk", "a limit of the file size"])
def test_a_full_disk_is_named_and_the_engine_is_not_lost(large_model: onnx.ModelProto, scene: Scene, way: str) -> None:
    folder = scene.output.parent

    def limit_file_size(worker: Worker) -> None:
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (MEBIBYTE, resource.RLIM_INFINITY))

    def fill() -> None:
        mount_small_disk(folder, MEBIBYTE)
        Scene(folder, scene.cache)

    def run() -> None:
        with pool_here() as pool:
            saboteur = Saboteur(pool, "save", before=limit_file_size) if way == "a limit of the file size" else None
            build_and_save_elsewhere(pool, saboteur)

    def build_and_save_elsewhere(pool: WatchedPool, saboteur: Saboteur | None) -> None:
        # The cache would be the rescue; here it is to be seen that the session itself keeps the engine.
        with BuildSession(large_model, output=scene.output, pool=pool, listener=saboteur) as session:
            diagnosis = failure(session.run_all())
            expected = ("file.failed", "File too large") if saboteur else ("file.disk_full", "No space left on device")
            assert (diagnosis.id, diagnosis.why) == (
                expected[0], f"{scene.output}: {expected[1]}. Nothing was left half-written."
            )  # fmt: skip
            scene.assert_untouched()
            process = pool.latest.pid
            session.set_output(folder.parent / "elsewhere.engine")
            resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert session.run_all().ok
            assert session.step("build").seconds is not None
            assert pool.latest.pid == process  # the engine was still there; nothing was built again

    in_own_thread(*([] if way == "a limit of the file size" else [fill]), run)


def test_what_cannot_be_saved_is_rescued_in_the_cache(model: onnx.ModelProto, scene: Scene, pool: WatchedPool) -> None:
    missing = scene.output.parent / "missing" / "model.engine"
    with BuildSession(model, output=missing, cache=EngineCache(scene.cache), pool=pool) as session:
        failure(session.run_all())
    assert len(entries_of(scene.cache)) == 1
    with BuildSession(model, output=scene.output, cache=EngineCache(scene.cache), pool=pool) as session:
        report = session.run_all()
        assert report.from_cache
        scene.assert_built(report)


def test_a_cache_on_a_full_disk_is_worth_a_remark(large_model: onnx.ModelProto, scene: Scene) -> None:
    def fill() -> None:
        scene.cache.mkdir()
        mount_small_disk(scene.cache, MEBIBYTE)

    def run() -> None:
        with (
            pool_here() as pool,
            BuildSession(large_model, output=scene.output, cache=EngineCache(scene.cache), pool=pool) as session,
        ):
            report = session.run_all()
            assert report.ok
            assert report.step("save").line.endswith("; not kept in the cache (No space left on device)")
            assert entries_of(scene.cache) == []
            assert_saved(scene.output, report)

    in_own_thread(fill, run)


def test_a_cache_on_a_full_disk_that_is_the_only_place_is_a_failure(large_model: onnx.ModelProto, scene: Scene) -> None:
    def fill() -> None:
        scene.cache.mkdir()
        mount_small_disk(scene.cache, MEBIBYTE)

    def run() -> None:
        with (
            pool_here() as pool,
            BuildSession(large_model, cache=EngineCache(scene.cache), pool=pool) as session,
        ):
            diagnosis = failure(session.run_all())
            assert (diagnosis.id, diagnosis.title) == ("file.disk_full", "The disk is full")
            assert diagnosis.why.startswith(f"{scene.cache}/")
            assert ".part" not in diagnosis.why
            assert entries_of(scene.cache) == []

    in_own_thread(fill, run)


# Folders that cannot be written to


def test_a_folder_without_permission_is_named(model: onnx.ModelProto, scene: Scene) -> None:
    scene.output.parent.chmod(LOCKED)

    def run() -> None:
        with pool_here() as pool, BuildSession(model, output=scene.output, pool=pool) as session:
            diagnosis = failure(session.run_all())
            assert (diagnosis.id, diagnosis.title) == ("file.not_writable", "The place cannot be written to")
            assert diagnosis.why == f"{scene.output}: Permission denied. Nothing was left half-written."
            scene.assert_untouched()
            scene.output.parent.chmod(WRITABLE)
            assert session.run_all().ok

    in_own_thread(obey_permissions, run)


def test_a_read_only_disk_is_named(model: onnx.ModelProto, tmp_path: Path) -> None:
    def run() -> None:
        with pool_here() as pool, BuildSession(model, output=tmp_path / "model.engine", pool=pool) as session:
            diagnosis = failure(session.run_all())
            assert diagnosis.id == "file.not_writable"
            assert "Read-only file system" in diagnosis.why

    in_own_thread(lambda: make_read_only(tmp_path), run)


@pytest.mark.parametrize("obstacle", ["no permission", "a file in its place", "a file above it"])
def test_a_cache_that_cannot_be_written_to_is_worth_a_remark(
    model: onnx.ModelProto, scene: Scene, obstacle: str
) -> None:
    cache = EngineCache(obstruct(scene.cache, obstacle))

    def run() -> None:
        with pool_here() as pool, BuildSession(model, output=scene.output, cache=cache, pool=pool) as session:
            report = session.run_all()
            assert report.ok
            assert "; not kept in the cache (" in report.step("save").line
            assert_saved(scene.output, report)
            session.set_output(None)
            diagnosis = failure(session.run_all())
            assert diagnosis.id in {"file.not_writable", "file.no_folder", "file.failed"}
            assert str(scene.cache) in diagnosis.why

    in_own_thread(obey_permissions, run)


def obstruct(cache: Path, obstacle: str) -> Path:
    """Make a cache folder impossible, and return its path."""
    if obstacle == "no permission":
        cache.mkdir()
        cache.chmod(LOCKED)
        return cache
    cache.write_text("a file")
    return cache if obstacle == "a file in its place" else cache / "engines"


@pytest.mark.parametrize("way", ["no permission", "a read-only disk"])
def test_a_cache_that_may_only_be_read_still_serves(
    model: onnx.ModelProto, scene: Scene, pool: WatchedPool, way: str
) -> None:
    cache = EngineCache(scene.cache)
    with BuildSession(model, cache=cache, pool=pool) as session:
        assert session.run_all().ok
    folders = [scene.cache, *scene.cache.iterdir()]

    def lock() -> None:
        if way == "a read-only disk":
            make_read_only(scene.cache)
            return
        for folder in folders:
            folder.chmod(LOCKED)
        obey_permissions()

    def run() -> None:
        with pool_here() as own_pool, BuildSession(model, output=scene.output, cache=cache, pool=own_pool) as session:
            report = session.run_all()
            assert report.from_cache
            assert_saved(scene.output, report)

    try:
        in_own_thread(lock, run)
    finally:
        for folder in folders:
            folder.chmod(WRITABLE)
