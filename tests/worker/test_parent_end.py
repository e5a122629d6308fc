"""However the kernel ends, its worker ends with it, also while native code holds the interpreter lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.processes import wait_until_gone
from trtlab.worker import Worker, WorkerPool

REPOSITORY = Path(__file__).parents[2]
PING = "trtlab.worker.context:ping"

FORKING = """
import os, sys
from trtlab._errors import WorkerError
from trtlab.worker import Worker, shared_pool

pool = shared_pool()
idle = pool.acquire()
used = Worker().start()
pool.release(idle)
child = os.fork()
if child == 0:
    try:
        used.call("trtlab.worker.context:ping")
    except WorkerError as error:
        assert "forked" in str(error), error
    else:
        raise AssertionError("the fork could use its parent's worker")
    assert not used.alive and not idle.alive
    used.cancel()
    used.close()
    own = pool.acquire()
    assert own.pid not in (idle.pid, used.pid), "the fork was given its parent's worker"
    assert own.call("trtlab.worker.context:ping", {"echo": 7}) == 7
    pool.release(own)
    assert pool.acquire() is own
    sys.exit(0)  # runs what is registered to be done at exit
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
assert used.call("trtlab.worker.context:ping", {"echo": 8}) == 8, "the fork has ended its parent's worker"
assert pool.acquire() is idle and idle.alive
print("as it should be")
"""


WAYS = ["SIGKILL", "sys.exit", "os._exit", "SIGTERM", "SIGSEGV", "exception"]


@pytest.mark.parametrize(
    ("way", "hang"),
    [*((way, "native_with_lock") for way in WAYS), *(("SIGKILL", hang) for hang in ("idle", "sleep", "stopped"))],
)
def test_no_worker_outlives_its_kernel(way: str, hang: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.worker.parent_process", way, hang],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.wait(20)
        wait_until_gone(worker, seconds=2)


def test_no_worker_outlives_the_thread_pool_that_started_it() -> None:
    """The system ends a child with the thread that started it, so that must not be a thread of the user's."""
    script = (
        "import threading\n"
        "from trtlab.worker import Worker\n"
        "worker = Worker()\n"
        "thread = threading.Thread(target=worker.start)\n"
        "thread.start(); thread.join()\n"
        f"print(worker.call({PING!r}, {{'echo': 'still there'}}))\n"
    )
    assert run_python(script) == "still there\n"


def test_a_forked_copy_of_the_kernel_neither_uses_nor_ends_its_workers() -> None:
    assert run_python(FORKING) == "as it should be\n"


def test_a_fork_made_while_the_pool_is_in_use_is_not_blocked() -> None:
    script = (
        "import os\n"
        "from trtlab.worker import shared_pool\n"
        "pool = shared_pool()\n"
        "pool._lock.acquire()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    pool.acquire().close()\n"
        "    os._exit(0)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "pool._lock.release()\n"
    )
    assert run_python(script) == "0\n"


def test_the_pipe_ends_a_worker_too(worker: Worker) -> None:
    """Where the system cannot tie a child to its parent, the end of its pipe tells it that nobody is there any more."""
    assert worker._child is not None
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), worker._child._calls)  # closes the pipe's only end on this side
    wait_until_gone(worker.pid, zombie_is_gone=False)


def test_a_pool_that_is_forgotten_leaves_no_process() -> None:
    pool = WorkerPool()
    worker = pool.acquire()
    pool.release(worker)
    assert worker.alive
    pool.close()
    wait_until_gone(worker.pid, zombie_is_gone=False)


def run_python(script: str) -> str:
    """Run a script in a Python of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
