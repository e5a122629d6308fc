"""The logger passes every message on as it is, and notes what a report needs of it."""

from __future__ import annotations

import enum
import os
import threading
from types import ModuleType
from typing import Any, cast

from trtlab.engine.logger import LogSink, make_logger
from trtlab.worker.context import ActionContext, EventWriter
from trtlab.worker.events import LogRecord, decode_events
from trtlab.worker.ring_buffer import RingReader, RingWriter, create


class Severity(enum.IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    VERBOSE = 4


class ILogger:
    Severity = Severity


class Logged:
    """A logger of a TensorRT that is none, its sink, and what reaches the kernel."""

    def __init__(self) -> None:
        descriptor = create()
        self._reader = RingReader(os.dup(descriptor))
        self.sink = LogSink(ActionContext(EventWriter(RingWriter(descriptor))))
        module = ModuleType("a_tensorrt")
        module.ILogger = ILogger  # type: ignore[attr-defined]
        self.logger: Any = make_logger(module, self.sink)

    def records(self) -> list[tuple[str, str]]:
        events = decode_events(self._reader.take())
        return [(record.severity, record.message) for record in cast("list[LogRecord]", events)]


def test_messages_keep_their_severity_their_order_and_their_lines() -> None:
    logged = Logged()
    messages = [
        *((severity, f"of severity {severity.name}") for severity in Severity),
        (Severity.VERBOSE, "two\nlines"),
        (Severity.VERBOSE, "a name\n[TRT] [E] that looks like a message"),
        (Severity.WARNING, "\r\n\t\x1e\u2028 é 日本"),
        (Severity.VERBOSE, ""),
    ]
    for severity, message in messages:
        logged.logger.log(severity, message)
    assert logged.records() == [(severity.name.lower(), message) for severity, message in messages]


def test_a_severity_that_nobody_knows_is_information() -> None:
    logged = Logged()
    logged.logger.log(9, "Layers: of a later release")
    assert logged.records() == [("info", "Layers: of a later release")]
    assert logged.sink.notes.layer_messages == ["Layers: of a later release"]


def test_the_notes_take_errors_layers_and_memory() -> None:
    logged = Logged()
    notes = logged.sink.begin()
    for severity, message in (
        (Severity.VERBOSE, "Layers:\nName: a"),
        (Severity.ERROR, "wrong"),
        (Severity.INTERNAL_ERROR, "Total nonsense"),
        (Severity.VERBOSE, "Total Activation Memory: 12 bytes"),
        (Severity.VERBOSE, "a message that says Layers: and Total Activation Memory: 99"),
    ):
        logged.logger.log(severity, message)
    assert notes.layer_messages == ["Layers:\nName: a"]
    assert notes.errors == ["wrong", "Total nonsense"]
    assert notes.memory == {"activation_bytes": 12}


def test_diverted_messages_go_neither_to_the_kernel_nor_into_the_notes() -> None:
    logged = Logged()
    notes = logged.sink.begin()
    with logged.sink.diverted() as messages:
        logged.logger.log(Severity.ERROR, "of a probe")
    logged.logger.log(Severity.ERROR, "of the build")
    assert messages == ["of a probe"]
    assert logged.records() == [("error", "of the build")]
    assert notes.errors == ["of the build"]


def test_messages_of_several_threads_stay_whole() -> None:
    logged = Logged()

    def log(number: int) -> None:
        for count in range(2000):
            message = f"{number} {count}"
            logged.logger.log(Severity.VERBOSE, message)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    messages = [message for _, message in logged.records()]
    for number in range(4):
        own = [message for message in messages if message.startswith(f"{number} ")]
        assert own == [f"{number} {count}" for count in range(2000)]
    assert len(messages) == 8000
