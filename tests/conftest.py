"""What all tests share: a private cache, and the certainty that no worker process is left behind."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from trtlab.worker import shared_pool


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an empty cache of engines, and no flavour of the machine it runs on."""
    monkeypatch.setenv("TRTLAB_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("TRTLAB_TENSORRT", raising=False)


def worker_processes() -> list[psutil.Process]:
    """Return the worker processes that this process started and that still run."""
    return [process for process in psutil.Process().children() if _is_worker(process)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("trtlab.worker.child" in part for part in process.cmdline())
    except psutil.Error:  # it has just ended
        return False


@pytest.fixture(scope="session", autouse=True)
def no_worker_left() -> Iterator[None]:
    """Fail the run if a worker outlives everybody who could use it."""
    yield
    shared_pool().close()
    left = worker_processes()
    assert not left, f"worker processes are left: {left}"
