"""Cancelling: within a second whatever the action does, politely first, and never the wrong action."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from tests.worker.processes import wait_until, wait_until_gone
from trtlab.worker import ActionCancelled, Event, Worker, WorkerDied

PING = "trtlab.worker.context:ping"
HANG = "trtlab.worker.testing:hang"
WAYS = ["sleep", "native", "native_with_lock", "regular_expression", "stopped"]


def when_hanging(do: Callable[[], None]) -> Callable[[Event], None]:
    """Return a callback that does something shortly after an action has said that it hangs now."""

    def callback(event: Event) -> None:
        del event
        threading.Timer(0.05, do).start()

    return callback


def cancel_as_soon_as_possible(worker: Worker) -> None:
    """Cancel what the worker does next, when it has hardly begun."""
    wait_until(lambda: worker.busy)
    worker.cancel()


@pytest.mark.parametrize("way", WAYS)
def test_a_cancel_takes_less_than_a_second_whatever_the_action_does(worker: Worker, way: str) -> None:
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.monotonic())
        worker.cancel()

    with pytest.raises(ActionCancelled) as caught:
        worker.call(HANG, {"way": way}, on_event=when_hanging(cancel))
    seconds = time.monotonic() - asked[0]
    assert seconds < 1
    assert caught.value.worker_ended
    assert worker.ending is not None
    assert worker.ending.kind == "cancelled"
    assert worker.ending.text == "The worker process was ended to cancel its action."
    wait_until_gone(worker.pid, zombie_is_gone=False)
    with pytest.raises(WorkerDied):
        worker.call(PING)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an action only a short time to stop by itself, where its length is not what a test is about."""
    monkeypatch.setattr("trtlab.worker.process.CANCEL_GRACE_SECONDS", 0.2)


@pytest.mark.usefixtures("short_grace")
def test_an_action_that_looks_whether_to_stop_keeps_its_worker(worker: Worker) -> None:
    with pytest.raises(ActionCancelled) as caught:
        worker.call(HANG, {"way": "polite"}, on_event=when_hanging(worker.cancel))
    assert not caught.value.worker_ended
    time.sleep(0.4)  # longer than the grace, after which nobody may come to end the process
    assert worker.call(PING, {"echo": 1}) == 1


def test_a_cancel_at_the_very_beginning_is_not_lost(worker: Worker) -> None:
    for _ in range(20):
        canceller = threading.Thread(target=cancel_as_soon_as_possible, args=(worker,))
        canceller.start()
        with pytest.raises(ActionCancelled) as caught:
            worker.call(HANG, {"way": "polite"})
        canceller.join()
        assert not caught.value.worker_ended


@pytest.mark.usefixtures("short_grace")
def test_a_cancel_that_comes_too_late_hits_nothing(worker: Worker) -> None:
    answers = 0
    for number in range(50):
        canceller = threading.Timer(0.001 * (number % 5), worker.cancel)
        canceller.start()
        with contextlib.suppress(ActionCancelled):  # the one it was meant for
            answers += worker.call(PING, {"echo": 1})
        canceller.join()
    time.sleep(0.4)  # longer than the grace
    assert worker.alive
    assert answers > 0


def test_an_idle_worker_is_not_disturbed_by_a_cancel(worker: Worker) -> None:
    worker.cancel()
    assert worker.call(HANG, {"way": "polite", "seconds": 0.1}) == "awake"


def test_a_call_that_was_cancelled_before_it_began_does_not_begin(worker: Worker) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ActionCancelled) as caught:
        worker.call("trtlab.worker.testing:crash", cancelled=cancelled)
    assert not caught.value.worker_ended
    assert worker.call(PING, {"echo": 1}, cancelled=threading.Event()) == 1


@pytest.mark.usefixtures("short_grace")
def test_cancelling_several_times_is_cancelling(worker: Worker) -> None:
    def cancel() -> None:
        for _ in range(5):
            worker.cancel()

    with pytest.raises(ActionCancelled):
        worker.call(HANG, {"way": "sleep"}, on_event=when_hanging(cancel))


def test_a_worker_that_does_not_even_take_the_call_can_be_cancelled(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    threading.Timer(0.2, worker.cancel).start()
    begin = time.monotonic()
    with pytest.raises(ActionCancelled) as caught:
        worker.call(PING, {"echo": "x" * (4 * 2**20)})  # more than its pipe can hold
    assert time.monotonic() - begin < 1.2
    assert caught.value.worker_ended


def test_a_callback_may_cancel(worker: Worker) -> None:
    with pytest.raises(ActionCancelled) as caught:
        worker.call(HANG, {"way": "polite"}, on_event=lambda _: worker.cancel())
    assert not caught.value.worker_ended


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize(("way", "survives"), [("polite", True), ("sleep", False), ("native_with_lock", False)])
def test_an_interrupt_of_the_kernel_stops_the_action_too(worker: Worker, way: str, *, survives: bool) -> None:
    interrupted: list[float] = []

    def interrupt() -> None:
        interrupted.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        worker.call(HANG, {"way": way}, on_event=when_hanging(interrupt))
    assert time.monotonic() - interrupted[0] < 1.2
    assert not worker.busy
    if survives:
        assert worker.call(PING, {"echo": 1}) == 1
    else:
        assert worker.ending is not None
        assert worker.ending.kind == "cancelled"


def test_ctrl_c_in_a_terminal_does_not_reach_the_worker(worker: Worker) -> None:
    assert os.getpgid(worker.pid) != os.getpgid(0)
    os.kill(worker.pid, signal.SIGINT)
    assert worker.call(HANG, {"seconds": 0.2}) == "awake"
