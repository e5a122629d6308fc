"""A logger for one's own TensorRT code: keeps every message as a record, writes them as JSON lines, explains errors as they come."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtlab._errors import InputError
from trtlab.explain.catalog import check_language

if TYPE_CHECKING:
    from types import ModuleType

    from trtlab.explain.diagnosis import Diagnoses, LogAnalysis

SEVERITIES = ("internal_error", "error", "warning", "info", "verbose")
_LETTERS = {"internal_error": "F", "error": "E", "warning": "W", "info": "I", "verbose": "V"}
_KEPT_RECORDS = 100_000


@dataclass(frozen=True)
class LoggedMessage:
    """One message of TensorRT: when (seconds since the epoch), how grave (one of `SEVERITIES`), and the text, untouched."""

    time: float
    severity: str
    message: str


class MessageRecorder:
    """What a logger made by `make_logger` keeps. Safe from several threads; never raises while it records.

    Attributes:
        problems: What went wrong with the file or the printing, once each: a logger must not raise.
    """

    def __init__(
        self,
        *,
        path: Path | None,
        show: str | None,
        explain: bool,
        language: str,
        on_error: Callable[[Diagnoses], None] | None,
    ) -> None:
        self._lock = threading.Lock()
        self._records: deque[LoggedMessage] = deque(maxlen=_KEPT_RECORDS)
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None
        self._shown = SEVERITIES.index(show) if show else -1
        self._explain, self._language, self._on_error = explain, language, on_error
        self._told: set[tuple[str, str]] = set()
        self.problems: list[str] = []

    @property
    def records(self) -> tuple[LoggedMessage, ...]:
        """The last 100,000 messages, in order."""
        with self._lock:
            return tuple(self._records)

    def text(self) -> str:
        """Return the messages as a log."""
        return as_log(self.records)

    def analyse(self) -> LogAnalysis:
        """Return what the messages say, root cause first."""
        from trtlab.explain.log import analyse_log

        return analyse_log(self.text(), lang=self._language)

    def take(self, severity: str, message: str) -> None:
        """Record one message; print it and explain it where that is wanted."""
        record = LoggedMessage(time.time(), severity, message)
        with self._lock:
            self._records.append(record)
            self._write(record)
        try:
            if SEVERITIES.index(severity) <= self._shown:
                print(f"[{_LETTERS[severity]}] [TRT] {message}", file=sys.stderr, flush=True)  # noqa: T201 - what it is for
            if self._explain and severity in ("internal_error", "error"):
                self._explain_now(record)
        except Exception as error:  # noqa: BLE001 - what called is native code that cannot take it
            self.problems.append(f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Close the file. Later messages are still kept."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write(self, record: LoggedMessage) -> None:
        if self._file is None:
            return
        line = {"time": record.time, "severity": record.severity, "message": record.message}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except (OSError, ValueError) as error:  # the disk is full, or somebody closed it
            self.problems.append(f"The file is not written any more: {error}")
            self._file = None

    def _explain_now(self, record: LoggedMessage) -> None:
        from trtlab.explain.diagnosis import Diagnoses
        from trtlab.explain.log import analyse_log

        # With a few messages before it: a failed allocation before "no implementation" changes what that means.
        recent = [message for message in self.records[-_CONTEXT_MESSAGES:] if message.severity != "verbose"]
        found = analyse_log(as_log([*recent[:-1], record]), lang=self._language).diagnoses
        fresh = [diagnosis for diagnosis in found if diagnosis.root and diagnosis.severity == "error"]
        fresh = [diagnosis for diagnosis in fresh if (diagnosis.id, repr(diagnosis.place)) not in self._told]
        self._told.update((diagnosis.id, repr(diagnosis.place)) for diagnosis in fresh)
        if not fresh:
            return
        if self._on_error is not None:
            self._on_error(Diagnoses(fresh))
        else:
            print(Diagnoses(fresh), file=sys.stderr, flush=True)  # noqa: T201 - what it is for


_CONTEXT_MESSAGES = 200


def make_logger(
    module: ModuleType,
    *,
    path: str | os.PathLike[str] | None = None,
    show: str | None = "warning",
    explain: bool = True,
    lang: str = "en",
    on_error: Callable[[Diagnoses], None] | None = None,
) -> Any:  # noqa: ANN401 - module.ILogger, which is not known here
    """Return a logger for `module.Builder`, `module.Runtime` and the parser, that records and explains.

    The logger's `recorder` attribute is a `MessageRecorder`: `logger.recorder.records`, `.analyse()`, `.text()`, `.close()`.

    Args:
        module: `tensorrt` or `tensorrt_rtx`, as the caller imported it.
        path: A file that every message is appended to, as one JSON object a line (`time`, `severity`, `message`).
        show: Least severity that is printed to standard error; None prints nothing.
        explain: Whether an error is explained as it comes, each kind at each place once.
        lang: Language of the explanations.
        on_error: Called with the diagnoses instead of printing them.

    Raises:
        InputError: `module` has no `ILogger`, or an argument is unknown.
        OSError: The file cannot be opened.
    """
    if not hasattr(module, "ILogger"):
        raise InputError(f"{module!r} has no ILogger. Give the module: import tensorrt as trt; make_logger(trt).")
    if show is not None and show not in SEVERITIES:
        raise InputError(f"show={show!r} is none of {', '.join(SEVERITIES)}, and not None.")
    recorder = MessageRecorder(
        path=Path(path) if path else None, show=show, explain=explain, language=check_language(lang), on_error=on_error
    )
    severities = {int(value): name.lower() for name, value in module.ILogger.Severity.__members__.items()}

    class RecordingLogger(module.ILogger):  # type: ignore[misc, name-defined]
        """Hands every message to its recorder."""

        def __init__(self) -> None:
            module.ILogger.__init__(self)  # pybind11 needs the base's own initializer
            self.recorder = recorder

        def log(self, severity: Any, msg: str) -> None:  # noqa: ANN401
            """Called by TensorRT, also from its own threads."""
            recorder.take(severities.get(int(severity), "info"), msg)

    return RecordingLogger()


def as_log(records: Iterable[LoggedMessage]) -> str:
    """Return messages as the lines of a log."""
    return "".join(f"[{_LETTERS.get(record.severity, 'I')}] [TRT] {record.message}\n" for record in records)


def read_records(path: str | os.PathLike[str]) -> tuple[LoggedMessage, ...]:
    """Return the messages of a file that `make_logger` wrote; a last line that was cut off is left out."""
    records = []
    with Path(path).open(encoding="utf-8") as stream:
        for line in stream:
            with contextlib.suppress(ValueError, TypeError):
                fields = json.loads(line)
                records.append(LoggedMessage(fields["time"], fields["severity"], fields["message"]))
    return tuple(records)
