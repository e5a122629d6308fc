"""The cache of engines: shared by processes that know nothing of each other, and trusted only as far as it can be checked."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests import models
from tests.build.outcomes import build, pool_here, report_of, store_file
from tests.build.sabotage import (
    WatchedPool,
    assert_whole,
    creep,
    entries_of,
    kernel_to_kill,
    large_weights,
)
from trtlab._engine_results import Gpu, Installation
from trtlab.build.cache import CacheEntry, EngineCache, cache_key
from trtlab.build.plan import BuildPlan, ShapesArgument, shape_profile

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    """Return a pool whose one worker builds everything here."""
    with pool_here() as pool:
        yield pool


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    """Return an empty cache."""
    return EngineCache(tmp_path / "cache")


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
