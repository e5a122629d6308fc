"""A worker that works: what is sent, what is answered, and what is reported meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from tests.worker.conftest import StartWorker
from trtlab import _errors
from trtlab._errors import ActionError, InputError, MissingError, OutputExistsError, TrtlabError, WorkerError
from trtlab.worker import Event, LogRecord, PhaseEvent, Worker

PING = "trtlab.worker.context:ping"
WRITE = "trtlab.worker.testing:write_output"
LARGE = "trtlab.worker.testing:write_large"


def records(worker: Worker, action: str, values: dict[str, Any]) -> list[LogRecord]:
    """Run an action and return what it logged and wrote."""
    events: list[Event] = []
    worker.call(action, values, on_event=events.append)
    return [event for event in events if isinstance(event, LogRecord)]


@pytest.mark.parametrize("value", [None, True, 1.5, "text\nof two lines\0\udc80", [1, [2]], {"a": {"b": None}}])
def test_answers_with_what_was_sent(shared_worker: Worker, value: Any) -> None:
    assert shared_worker.call(PING, {"echo": value}) == value


def test_is_alive_and_idle_after_the_start(shared_worker: Worker) -> None:
    assert shared_worker.alive
    assert not shared_worker.busy
    assert shared_worker.ending is None
    assert shared_worker.pid > 0


def test_keeps_its_state_from_call_to_call_until_it_is_reset(worker: Worker, tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["x"])], "twice", [value], [value])
    onnx.save(helper.make_model(graph), tmp_path / "model.onnx")
    worker.call("trtlab.model.actions:load", {"path": str(tmp_path / "model.onnx")})
    assert worker.call("trtlab.model.actions:check")  # x is made twice: there is something to find
    worker.call("trtlab.worker.context:reset")
    with pytest.raises(InputError, match="No model is loaded"):
        worker.call("trtlab.model.actions:check")


@pytest.mark.parametrize("where", ["stdout", "stderr", "print", "puts", "printf"])
def test_a_line_is_reported_even_if_it_is_the_last_thing_that_an_action_does(shared_worker: Worker, where: str) -> None:
    source = "stderr" if where == "stderr" else "stdout"
    for number in range(50):  # the answer comes through another pipe, so it could overtake the line
        text = f"line {number}"
        seen = [(record.source, record.severity, record.message) for record in records(
            shared_worker, WRITE, {"lines": [[where, text]]}
        )]  # fmt: skip
        assert seen == [(source, "output", text)]


def test_the_loggers_lines_come_in_order_and_whole(shared_worker: Worker) -> None:
    severities = ("internal_error", "error", "warning", "info", "verbose")
    lines = [[severities[number % 5], f"message {number}\nsecond line"] for number in range(500)]
    begin = time.time()
    seen = records(shared_worker, WRITE, {"lines": lines})
    assert [[record.severity, record.message] for record in seen] == lines
    assert all(record.source == "tensorrt" for record in seen)
    times = [record.time for record in seen]
    assert times == sorted(times)
    assert begin <= times[0] <= times[-1] <= time.time()


def test_lines_of_each_stream_come_in_order(shared_worker: Worker) -> None:
    lines = [[("stdout", "stderr")[number % 2], str(number)] for number in range(300)]
    seen = records(shared_worker, WRITE, {"lines": lines})
    for parity, source in enumerate(("stdout", "stderr")):
        assert [record.message for record in seen if record.source == source] == [str(n) for n in range(parity, 300, 2)]


def test_phases_are_reported_as_phases(shared_worker: Worker) -> None:
    events: list[Event] = []
    shared_worker.call("trtlab.worker.testing:report_phase", {"name": "Tactic Selection"}, on_event=events.append)
    assert [(event.kind, event.name, event.parent, event.step, event.steps) for event in events
            if isinstance(event, PhaseEvent)] == [
        ("start", "Tactic Selection", "Building Engine", 0, 2),
        ("step", "Tactic Selection", None, 1, 2),
        ("finish", "Tactic Selection", None, 0, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("where", ["stdout", "stderr", "log", "answer"])
def test_a_line_of_ten_megabytes_comes_whole(shared_worker: Worker, where: str) -> None:
    size = 10 * 2**20
    events: list[Event] = []
    answer = shared_worker.call(LARGE, {"size": size, "where": where}, on_event=events.append)
    text = answer if where == "answer" else "".join(event.message for event in events if isinstance(event, LogRecord))
    assert text == "x" * size
    assert len(events) == (0 if where == "answer" else 1)


def test_output_without_an_end_of_line_comes_in_pieces(
    monkeypatch: pytest.MonkeyPatch, start_worker: StartWorker
) -> None:
    monkeypatch.setattr("trtlab.worker.launching._LONGEST_OUTPUT_LINE_BYTES", 2**20)
    size = 5 * 2**20
    seen = records(start_worker(), LARGE, {"size": size, "where": "stdout"})
    assert len(seen) > 3
    assert sum(len(record.message) for record in seen) == size
    assert max(len(record.message) for record in seen) < 2 * 2**20


def test_ten_megabytes_can_be_sent(shared_worker: Worker) -> None:
    text = "é" + "x" * (10 * 2**20)
    assert shared_worker.call(PING, {"echo": text}) == text


def test_text_that_is_not_utf8_is_readable(shared_worker: Worker) -> None:
    seen = records(shared_worker, WRITE, {"lines": [["stderr", "caf\udce9 \udcff"], ["stderr", "naïve"]]})
    assert [record.message for record in seen] == ["caf\ufffd \ufffd", "naïve"]


@pytest.mark.parametrize("error_class", [InputError, MissingError, OutputExistsError, WorkerError, TrtlabError])
def test_trtlabs_own_errors_come_back_as_the_same_class(shared_worker: Worker, error_class: type[TrtlabError]) -> None:
    with pytest.raises(TrtlabError) as caught:
        shared_worker.call(
            "trtlab.worker.testing:fail", {"error": error_class.__name__, "message": "first line\nsecond"}
        )
    assert type(caught.value) is error_class
    assert str(caught.value) == "first line\nsecond"
    assert caught.value.exit_code == error_class.exit_code


def test_every_error_of_trtlab_comes_back_somehow(shared_worker: Worker) -> None:
    names = [
        name
        for name, value in vars(_errors).items()
        if isinstance(value, type) and issubclass(value, TrtlabError) and value is not _errors.BuildError
    ]
    assert len(names) > 5
    for name in names:
        with pytest.raises(getattr(_errors, name), match="what happened"):
            shared_worker.call("trtlab.worker.testing:fail", {"error": name, "message": "what happened"})


def test_an_action_error_keeps_its_kind_and_its_details(shared_worker: Worker) -> None:
    with pytest.raises(ActionError, match="No engine") as caught:
        shared_worker.call(
            "trtlab.worker.testing:fail",
            {
                "error": "ActionError",
                "message": "No engine.",
                "details": {"kind": "BuildRefused", "details": "the traceback"},
            },
        )
    assert (caught.value.kind, caught.value.details) == ("BuildRefused", "the traceback")


@pytest.mark.parametrize("name", ["ValueError", "RuntimeError", "RecursionError", "SystemExit", "MemoryError"])
def test_other_errors_come_back_with_class_text_and_traceback(shared_worker: Worker, name: str) -> None:
    with pytest.raises(ActionError) as caught:
        shared_worker.call("trtlab.worker.testing:fail", {"error": name, "message": "the reason"})
    assert caught.value.kind == name
    assert "the reason" in caught.value.details
    assert "testing.py" in caught.value.details
    assert shared_worker.alive


def test_an_error_of_the_system_says_which_and_about_which_file(shared_worker: Worker, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(ActionError) as caught:
        shared_worker.call("trtlab.worker.testing:read_file", {"path": missing})
    assert caught.value.kind == "FileNotFoundError"
    assert caught.value.facts == {"errno": 2, "path": missing}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("os:getpid", "ValueError"),  # not trtlab's
        ("trtlabs.evil:run", "ValueError"),
        ("trtlab", "ValueError"),
        ("trtlab.nothing:run", "ModuleNotFoundError"),
        ("trtlab.worker.context:nothing", "AttributeError"),
        ("trtlab.worker.context:_missing", "AttributeError"),
    ],
)
def test_only_actions_of_trtlab_are_run(shared_worker: Worker, action: str, kind: str) -> None:
    with pytest.raises(ActionError) as caught:
        shared_worker.call(action)
    assert caught.value.kind == kind


def test_values_that_json_cannot_hold_are_refused_before_anything_is_sent(shared_worker: Worker) -> None:
    process, begin = shared_worker.pid, time.monotonic()
    with pytest.raises(TypeError):
        shared_worker.call(PING, {"echo": object()})
    assert time.monotonic() - begin < 0.3
    assert shared_worker.call(PING, {"echo": process}) == shared_worker.pid


def test_a_result_that_json_cannot_hold_is_an_error_of_the_action(shared_worker: Worker) -> None:
    with pytest.raises(ActionError, match="not JSON serializable"):
        shared_worker.call("trtlab.worker.testing:return_unsendable")
    assert shared_worker.alive


def test_an_error_of_the_callback_is_raised_in_the_call(shared_worker: Worker) -> None:
    seen: list[Event] = []

    def callback(event: Event) -> None:
        seen.append(event)
        raise LookupError("the callback's own fault")

    with pytest.raises(LookupError, match="the callback's own fault"):
        shared_worker.call(WRITE, {"lines": [["info", "first"], ["info", "second"]]}, on_event=callback)
    assert len(seen) == 1
    assert shared_worker.call(PING, {"echo": 1}) == 1


def test_a_callback_cannot_call_the_worker_it_is_called_by(shared_worker: Worker) -> None:
    def callback(event: Event) -> None:
        del event
        shared_worker.call(PING)

    with pytest.raises(WorkerError, match="callback"):
        shared_worker.call(WRITE, {"lines": [["info", "first"]]}, on_event=callback)
    assert shared_worker.call(PING, {"echo": 1}) == 1


def test_calls_from_several_threads_wait_for_each_other(shared_worker: Worker) -> None:
    answers: list[int] = []

    def ask(number: int) -> None:
        answers.extend(shared_worker.call(PING, {"echo": number}) for _ in range(20))

    run_in_threads([lambda number=number: ask(number) for number in range(4)])  # type: ignore[misc]
    assert sorted(answers) == sorted(list(range(4)) * 20)


def test_events_belong_to_their_own_call(shared_worker: Worker) -> None:
    first: list[Event] = []
    second: list[Event] = []
    shared_worker.call(WRITE, {"lines": [["printf", "unfinished"], ["info", "one"]]}, on_event=first.append)
    shared_worker.call(WRITE, {"lines": [["stdout", "two"]]}, on_event=second.append)
    assert sorted(event.message for event in first if isinstance(event, LogRecord)) == ["one", "unfinished"]
    assert [event.message for event in second if isinstance(event, LogRecord)] == ["two"]


def test_a_worker_that_was_not_started_says_so() -> None:
    with pytest.raises(WorkerError, match="not started"):
        Worker().call(PING)


def test_many_workers_do_not_share_anything(start_worker: StartWorker) -> None:
    workers = [start_worker() for _ in range(3)]
    assert len({worker.pid for worker in workers}) == 3
    workers[0].close()
    assert [worker.call(PING, {"echo": 1}) for worker in workers[1:]] == [1, 1]


def run_in_threads(functions: list[Callable[[], None]]) -> None:
    """Run functions side by side and wait for all of them."""
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
