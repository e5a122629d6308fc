"""The cache of engines: shared by processes that know nothing of each other, and trusted only as far as it can be checked."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests import models
from tests.build.sabotage import (
    WatchedPool,
    assert_processes_gone,
    assert_whole,
    creep,
    entries_of,
    kernel_to_kill,
    large_weights,
)
from trtlab._engine_results import Gpu, Installation
from trtlab.build.cache import CacheEntry, EngineCache, cache_key
from trtlab.build.files import remove_leftovers, temporary_path
from trtlab.build.plan import BuildPlan, ShapesArgument, shape_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    """Return a pool whose one worker builds everything here."""
    pool = WatchedPool()
    yield pool
    pool.close()
    assert_processes_gone(pool)


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    """Return an empty cache."""
    return EngineCache(tmp_path / "cache")


def build(
    model: onnx.ModelProto | Path, cache: EngineCache, pool: WatchedPool, *, plan: BuildPlan | None = None
) -> BuildReport:
    """Build a model into a cache, and see that the cache is whole afterwards."""
    with BuildSession(model, cache=cache, pool=pool, plan=plan) as session:
        report = session.run_all()
    assert report.ok, report
    assert report.engine is not None
    content = Path(report.engine.path).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (report.engine.bytes, report.engine.sha256)
    assert_whole(cache.folder)
    return report


# Several processes at once

BUILDER = """
import json, sys
from pathlib import Path
import trtlab
from trtlab.build.cache import EngineCache

model, folder, name = sys.argv[1:]
print("ready", flush=True)
for line in sys.stdin:
    number = line.strip()
    cache = EngineCache(Path(folder) / f"cache{number}")
    output = Path(folder) / f"{name}-{number}.engine" if int(number) % 2 else None
    report = trtlab.build(model, cache=cache, output=output)
    print(json.dumps({
        "sha256": report.engine.sha256, "bytes": report.engine.bytes, "path": report.engine.path, "from_cache": report.from_cache,
        "layers": [layer.name for layer in report.layers], "memory": report.memory.to_dict(),
    }), flush=True)
"""


@pytest.mark.parametrize("count", [2, 5])
def test_processes_that_build_the_same_at_once_agree(tmp_path: Path, count: int) -> None:
    path = models.save(models.relu((1, 4)), tmp_path / "model.onnx")
    with contextlib.ExitStack() as stack:
        builders = [stack.enter_context(builder(path, tmp_path, f"builder{index}")) for index in range(count)]
        for number in range(6):
            for process in builders:
                say(process, f"{number}\n")
            answers = [json.loads(hear(process)) for process in builders]
            cache = tmp_path / f"cache{number}"
            assert len(entries_of(cache)) == 1
            assert_whole(cache)
            for answer in answers:
                assert {**answer, "path": "", "from_cache": ""} == {**answers[0], "path": "", "from_cache": ""}
                assert hashlib.sha256(Path(answer["path"]).read_bytes()).hexdigest() == answer["sha256"]
                assert len(answer["layers"]) == 1
            assert not all(answer["from_cache"] for answer in answers)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@contextlib.contextmanager
def builder(model: Path, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """Give a process that builds a model each time it is told a number."""
    with subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(model), str(folder), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as process:
        assert hear(process) == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


def say(process: subprocess.Popen[str], text: str) -> None:
    """Write to a process."""
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """Read a line from a process."""
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_process_killed_while_it_stores_leaves_nothing_that_lasts(
    cache: EngineCache, tmp_path: Path, pool: WatchedPool
) -> None:
    path = models.save(large_weights(48), tmp_path / "model.onnx")
    with kernel_to_kill(path, None, cache.folder, "save") as worker:
        creep(worker, lambda: any((cache.folder / name).stat().st_size for name in entries_of(cache.folder)))
    assert [name[0] for name in entries_of(cache.folder)] == ["."]
    report = build(models.relu((1, 4)), cache, pool)
    assert not report.from_cache
    assert len(entries_of(cache.folder)) == 1


def test_threads_that_store_find_and_remove_never_see_half_an_entry(cache: EngineCache, tmp_path: Path) -> None:
    engines = [store_file(tmp_path / f"engine{index}", bytes([index]) * 1000 * (index + 1)) for index in range(3)]
    problems: list[BaseException] = []
    found: list[CacheEntry] = []

    def work(seed: int) -> None:
        choice = random.Random(seed)
        try:
            for _ in range(60):
                path = choice.choice(engines)
                what = choice.randrange(4)
                if what == 0:
                    cache.remove("key")
                elif what == 1:
                    entry = cache.find("key")
                    if entry is not None:
                        found.append(entry)
                else:
                    cache.store("key", path, report_of(path))
        except BaseException as error:  # noqa: BLE001 - looked at below
            problems.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert found
    assert_whole(cache.folder)
    assert entries_of(cache.folder) in ([], ["key"])


def store_file(path: Path, content: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(content)
    return path


def report_of(engine: Path, **more: Any) -> dict[str, Any]:
    """Return the least that is stored with an engine."""
    content = engine.read_bytes()
    return {"engine": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}, **more}


# Nothing changed, something changed


def test_a_build_of_the_same_is_taken_from_the_cache_and_says_so(cache: EngineCache, pool: WatchedPool) -> None:
    first = build(models.relu((1, 4)), cache, pool)
    again = build(models.relu((1, 4)), cache, pool)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert first.step("build").log
    assert again.step("build").log == ()
    assert again.step("build").line.startswith(f"nothing changed since {first.date}: engine of ")
    assert [again.step(name).from_cache for name in ("build", "save", "inspect")] == [True] * 3
    assert "taken from the cache, nothing had changed" in again.headline
    assert (again.engine, again.memory, again.layers, again.date) == (
        first.engine,
        first.memory,
        first.layers,
        first.date,
    )


def test_other_weights_are_another_model(cache: EngineCache, pool: WatchedPool) -> None:
    for value in (1.0, 2.0):
        assert not build(scaling(value), cache, pool).from_cache
    assert len(entries_of(cache.folder)) == 2


def scaling(value: float) -> onnx.ModelProto:
    """Return y = x * value."""
    return models.model(
        [models.node("Mul", ["x", "factor"], ["y"], "mul")],
        [models.value("x", (1, 4))],
        [models.value("y", (1, 4))],
        [numpy_helper.from_array(np.full((4,), value, np.float32), "factor")],
    )


def test_other_external_data_is_another_model(cache: EngineCache, pool: WatchedPool, tmp_path: Path) -> None:
    weights = models.weight("w", 64, 64)
    model = models.model(
        [models.node("MatMul", ["x", "w"], ["y"], "product")],
        [models.value("x", (1, 64))],
        [models.value("y", (1, 64))],
        [models.external(weights, "weights.bin")],
    )
    path = models.save(model, tmp_path / "model.onnx")
    (tmp_path / "weights.bin").write_bytes(weights.raw_data)
    assert not build(path, cache, pool).from_cache
    assert build(path, cache, pool).from_cache
    (tmp_path / "weights.bin").write_bytes(bytes(len(weights.raw_data)))
    assert not build(path, cache, pool).from_cache


BASE_PLAN = BuildPlan(profiles=(shape_profile({"x": ((1, 4), (2, 4), (4, 4))}),))
OTHER_SHAPES: list[ShapesArgument] = [{"x": ((1, 4), (2, 4), (8, 4))}, {"x": ((1, 4), (4, 4), (4, 4))}]


def test_another_plan_is_another_engine(cache: EngineCache, pool: WatchedPool) -> None:
    plans = [
        BASE_PLAN,
        *(BASE_PLAN.with_profiles(shape_profile(shapes)) for shapes in OTHER_SHAPES),
        BASE_PLAN.with_profiles(*BASE_PLAN.profiles, *BASE_PLAN.profiles),
        replace(BASE_PLAN, optimization_level=0),
        replace(BASE_PLAN, targets=("sm86",)),
        replace(BASE_PLAN, profiling_verbosity="none"),
    ]
    for plan in plans:
        assert not build(models.relu(), cache, pool, plan=plan).from_cache
    for plan in plans:
        assert build(models.relu(), cache, pool, plan=plan).from_cache
    assert len(entries_of(cache.folder)) == len(plans)


def test_every_option_of_a_plan_is_part_of_the_key_but_the_place_of_the_timing_cache() -> None:
    installation = Installation("tensorrt_rtx", "1.7.1", "", None, ())
    others: dict[str, Any] = {
        "profiles": BASE_PLAN.profiles, "targets": ("sm86",), "memory_limits": {"workspace": 1}, "optimization_level": 0,
        "profiling_verbosity": "none", "precision": ("fp16",), "tf32": False, "timing_cache": "x", "version_compatible": True,
        "hardware_compatibility": "ampere_plus", "strongly_typed": True,
    }  # fmt: skip
    assert others.keys() == BuildPlan.__dataclass_fields__.keys()  # a new option must be decided about here
    plain = cache_key("model", BuildPlan(), installation)
    same = [
        name
        for name, value in others.items()
        if cache_key("model", replace(BuildPlan(), **{name: value}), installation) == plain
    ]
    assert same == ["timing_cache"]


def test_model_flavour_version_and_gpu_are_part_of_the_key() -> None:
    gpu = Gpu("NVIDIA H100", "9.0", "580.1", 80 * 2**30)
    here = Installation("tensorrt_rtx", "1.7.1", "", gpu, ())
    installations = [
        here,
        replace(here, flavour="tensorrt"),
        replace(here, version="1.7.2"),
        replace(here, gpu=None),
        replace(here, gpu=replace(gpu, name="NVIDIA L4", compute_capability="8.9")),
        replace(here, gpu=replace(gpu, driver="590.1")),
    ]
    keys = {cache_key("model", BuildPlan(), installation) for installation in installations}
    assert len(keys | {cache_key("another model", BuildPlan(), here)}) == len(installations) + 1
    assert cache_key("model", BuildPlan(), replace(here, chosen_because="asked")) in keys


# Damage


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
