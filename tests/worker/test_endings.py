"""Every way in which a worker's process can end, hit for real, and what is said about it."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import psutil
import pytest

from tests.worker.conftest import StartWorker
from tests.worker.processes import wait_until, wait_until_gone
from trtlab._errors import ActionError, InputError
from trtlab.worker import Event, LogRecord, Worker, WorkerDied, WorkerLimits
from trtlab.worker.ending import Ending

PING = "trtlab.worker.context:ping"
CRASH = "trtlab.worker.testing:crash"
END = "trtlab.worker.testing:end"
HANG = "trtlab.worker.testing:hang"
TAKE_MEMORY = "trtlab.worker.testing:take_memory"
MEMORY_LIMIT = WorkerLimits(memory_bytes=512 * 2**20)


def ending_of(worker: Worker, action: str, values: dict[str, Any] | None = None) -> Ending:
    """Run an action that ends its process; return the ending, which every later call must name too."""
    with pytest.raises(WorkerDied) as caught:
        worker.call(action, values)
    assert not worker.alive
    assert not worker.busy
    assert worker.ending == caught.value.ending
    assert str(caught.value) == caught.value.ending.text
    with pytest.raises(WorkerDied) as again:
        worker.call(PING)
    assert again.value.ending == caught.value.ending
    wait_until_gone(worker.pid, zombie_is_gone=False)
    return caught.value.ending


@pytest.mark.parametrize(
    ("signal_name", "kind", "text"),
    [
        ("SIGSEGV", "crash", "a segmentation fault: native code used memory that is not its own (SIGSEGV)"),
        ("SIGABRT", "crash", "an abort: native code met a state it could not go on from (SIGABRT)"),
        ("SIGFPE", "crash", "an arithmetic fault"),
        ("SIGKILL", "killed", "was killed from outside (SIGKILL)"),
        ("SIGTERM", "killed", "ended by the signal SIGTERM."),
    ],
)
def test_a_signal_is_named_and_explained(worker: Worker, signal_name: str, kind: str, text: str) -> None:
    ending = ending_of(worker, CRASH, {"signal_name": signal_name, "said": "the last words"})
    assert (ending.kind, ending.signal_name, ending.exit_code) == (kind, signal_name, None)
    assert text in ending.text
    assert "the last words" in ending.last_output


@pytest.mark.parametrize("where", ["stderr", "stdout", "printf"])
def test_a_crash_keeps_the_stack_and_all_that_was_written_before_it(worker: Worker, where: str) -> None:
    events: list[Event] = []
    with pytest.raises(WorkerDied) as caught:
        worker.call(CRASH, {"said": "before", "where": where}, on_event=events.append)
    assert "Fatal Python error: Segmentation fault" in caught.value.ending.last_output
    assert "testing.py" in caught.value.ending.last_output
    assert "before" in [event.message for event in events if isinstance(event, LogRecord)]


def test_the_last_output_is_bounded(worker: Worker) -> None:
    said = "\n".join(["first", *("y" * 100_000 for _ in range(50)), "last"])
    ending = ending_of(worker, CRASH, {"signal_name": "SIGKILL", "said": said})
    assert ending.last_output.endswith("\nlast")
    assert "first" not in ending.last_output
    assert len(ending.last_output) < 100_000


def test_what_an_earlier_call_said_is_not_blamed(worker: Worker) -> None:
    worker.call("trtlab.worker.testing:write_output", {"lines": [["stderr", "out of memory, but that was handled"]]})
    ending = ending_of(worker, CRASH, {"signal_name": "SIGABRT"})
    assert ending.kind == "crash"
    assert "but that was handled" not in ending.last_output


@pytest.mark.parametrize(("way", "code"), [("native", 3), ("at_once", 3), ("at_once", 0)])
def test_an_exit_is_told_with_its_code(worker: Worker, way: str, code: int) -> None:
    ending = ending_of(worker, END, {"code": code, "way": way})
    assert (ending.kind, ending.signal_name, ending.exit_code) == ("exit", "", code)
    assert ending.text == f"The worker process ended by itself with exit code {code}."


def test_python_code_that_wants_to_exit_only_fails(worker: Worker) -> None:
    with pytest.raises(ActionError) as caught:
        worker.call(END, {"code": 3, "way": "python"})
    assert caught.value.kind == "SystemExit"
    assert worker.call(PING, {"echo": 1}) == 1


@pytest.mark.parametrize("way", ["sleep", "native_with_lock", "stopped"])
def test_the_time_limit_ends_it(start_worker: StartWorker, way: str) -> None:
    worker = start_worker(WorkerLimits(seconds=0.3))
    begin = time.monotonic()
    ending = ending_of(worker, HANG, {"way": way})
    assert 0.3 <= time.monotonic() - begin < 1.3
    assert ending.kind == "time_limit"
    assert ending.text == "The action did not finish within its time limit of 300 ms; its process was ended."


def test_the_time_limit_is_that_of_one_call(start_worker: StartWorker) -> None:
    worker = start_worker(WorkerLimits(seconds=0.3))
    for _ in range(4):
        assert worker.call(HANG, {"seconds": 0.1}) == "awake"
    assert worker.alive


def test_python_code_over_the_memory_limit_fails_and_the_worker_lives(start_worker: StartWorker) -> None:
    worker = start_worker(MEMORY_LIMIT)
    with pytest.raises(ActionError) as caught:
        worker.call(TAKE_MEMORY, {"size_bytes": 2**30})
    assert caught.value.kind == "MemoryError"
    assert worker.call(TAKE_MEMORY, {"size_bytes": 2**20}) == 2**20


def test_native_code_over_the_memory_limit_ends_the_worker(start_worker: StartWorker) -> None:
    ending = ending_of(start_worker(MEMORY_LIMIT), TAKE_MEMORY, {"size_bytes": 2**30, "native": True})
    assert (ending.kind, ending.signal_name) == ("memory_limit", "SIGABRT")
    assert ending.text == "The worker process ran into its memory limit of 512 MiB and ended."


def test_a_crash_under_a_memory_limit_mentions_the_limit(start_worker: StartWorker) -> None:
    ending = ending_of(start_worker(MEMORY_LIMIT), CRASH)
    assert ending.kind == "crash"
    assert "memory limit of 512 MiB" in ending.text


def test_without_a_limit_refused_memory_is_the_systems(worker: Worker) -> None:
    ending = ending_of(worker, TAKE_MEMORY, {"size_bytes": 2**60, "native": True})
    assert ending.kind == "out_of_memory"
    assert ending.text == "The worker process could not get the memory it asked for and ended."


@pytest.mark.parametrize("action", [PING, "trtlab.model.actions:check", "trtlab.engine.actions:describe_installation"])
def test_a_worker_without_any_memory_left_says_so_and_never_hangs(start_worker: StartWorker, action: str) -> None:
    worker = start_worker(WorkerLimits(memory_bytes=2**30, seconds=20))
    worker.call("trtlab.worker.testing:starve")
    with pytest.raises((WorkerDied, ActionError)) as caught:
        worker.call(action, {"echo": "x" * 2**22} if action == PING else {})
    if isinstance(caught.value, WorkerDied):
        assert caught.value.ending.kind == "memory_limit", caught.value.ending
    else:
        assert isinstance(caught.value, ActionError)
        assert caught.value.kind == "MemoryError"


@pytest.mark.parametrize("limit", [{"seconds": 0}, {"seconds": -1.0}, {"memory_bytes": 0}])
def test_a_limit_of_nothing_is_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="larger than 0"):
        WorkerLimits(**limit)


@pytest.mark.parametrize("where", ["answers", "events"])
@pytest.mark.parametrize("text", ["Segmentation fault", '["done", 1]', '["unheard of", 1]'])
def test_a_damaged_report_ends_it_and_says_so(worker: Worker, text: str, where: str) -> None:
    ending = ending_of(worker, "trtlab.worker.testing:send_damaged", {"text": text, "where": where})
    assert ending.kind == "damaged"
    assert text in ending.text


def test_a_process_that_it_started_does_not_delay_its_end_and_ends_too(worker: Worker) -> None:
    events: list[Event] = []
    begin = time.monotonic()
    with pytest.raises(WorkerDied):
        worker.call("trtlab.worker.testing:leave_process", {"then_crash": True}, on_event=events.append)
    assert time.monotonic() - begin < 2
    grandchild = next(
        int(event.message) for event in events if isinstance(event, LogRecord) and event.message.isdigit()
    )
    wait_until_gone(grandchild)


def test_closing_ends_what_it_started(worker: Worker) -> None:
    grandchild = worker.call("trtlab.worker.testing:leave_process")
    assert psutil.pid_exists(grandchild)
    worker.close()
    wait_until_gone(grandchild)


def test_a_worker_that_is_killed_while_idle_is_noticed(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    assert wait_until(lambda: not worker.alive) < 1
    begin = time.monotonic()
    with pytest.raises(WorkerDied, match="killed from outside"):
        worker.call(PING)
    assert time.monotonic() - begin < 0.5


def test_a_call_at_the_very_moment_of_a_kill_says_how_it_ended(start_worker: StartWorker) -> None:
    for _ in range(5):
        worker = start_worker()
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerDied) as caught:
            worker.call(PING)
        assert caught.value.ending.kind == "killed"


def test_closing_is_safe_twice_and_from_several_threads(worker: Worker) -> None:
    threads = [threading.Thread(target=worker.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert worker.ending == Ending("closed", "The worker process was closed.")
    wait_until_gone(worker.pid, zombie_is_gone=False)


@pytest.mark.parametrize("way", ["sleep", "native_with_lock", "stopped"])
def test_closing_ends_a_call_of_another_thread(worker: Worker, way: str) -> None:
    threading.Timer(0.2, worker.close).start()
    ending = ending_of(worker, HANG, {"way": way})
    assert ending.kind == "closed"


def test_closing_before_the_start_prevents_it() -> None:
    worker = Worker()
    worker.close()
    with pytest.raises(WorkerDied, match="was closed"):
        worker.start()
    assert worker.pid == 0
