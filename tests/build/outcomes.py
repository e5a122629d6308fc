"""Builds of the tests, and what is true of each that went well or badly."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from tests.build.sabotage import WatchedPool, assert_processes_gone, assert_whole
from trtlab.build.cache import EngineCache
from trtlab.build.plan import BuildPlan
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.explain.diagnosis import Diagnosis


@contextlib.contextmanager
def pool_here() -> Iterator[WatchedPool]:
    """Give a pool whose worker is started by this thread, and so knows its restrictions."""
    pool = WatchedPool()
    try:
        yield pool
    finally:
        pool.close()
        assert_processes_gone(pool)


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


def store_file(path: Path, content: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(content)
    return path


def report_of(engine: Path, **more: Any) -> dict[str, Any]:
    """Return the least that is stored with an engine."""
    content = engine.read_bytes()
    return {"engine": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}, **more}


def failure(report: BuildReport) -> Diagnosis:
    """Return the one diagnosis of a build that failed at saving."""
    assert not report.ok
    assert report.step("build").state == "done"
    assert report.step("save").state == "failed"
    assert report.step("inspect").state == "waiting"
    assert report.engine is None
    assert len(report.diagnoses) == 1
    assert report.diagnoses[0].place.step == "save"
    return report.diagnoses[0]


def assert_saved(output: Path, report: BuildReport) -> None:
    """Fail if the engine at `output` is not the report's, or if there is anything else beside it."""
    assert report.engine is not None
    assert hashlib.sha256(output.read_bytes()).hexdigest() == report.engine.sha256
    assert sorted(path.name for path in output.parent.iterdir()) == [output.name, f"{output.name}.json"]
