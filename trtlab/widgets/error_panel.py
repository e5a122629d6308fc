"""The error panel: paste or pick a log, and see its cause, with the lines that say so.

The log stays with the kernel; the page asks for the lines in sight. Reading runs in a background thread, so that the kernel
stays free, and can be cancelled.
"""

from __future__ import annotations

import json
import queue
import tempfile
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import anywidget
import traitlets

from trtlab._errors import CancelledError, InputError, TrtlabError
from trtlab._format import format_bytes
from trtlab.explain.api import path_of, to_json
from trtlab.explain.catalog import Language, check_language
from trtlab.explain.diagnosis import Diagnoses, LogAnalysis
from trtlab.widgets import error_view
from trtlab.widgets._esm import joined_module, stylesheet
from trtlab.widgets.error_subject import LONGEST_NAME, Subject, explained, subject_of, subject_of_upload
from trtlab.widgets.error_words import WORDS

_LARGEST_UPLOAD = 2 << 30
_MOST_LINES_A_MESSAGE = 2000


@dataclass
class _Upload:
    """A file or text that the page is sending in pieces."""

    name: str
    is_text: bool
    size: int
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)


class ErrorPanel(anywidget.AnyWidget):
    """Explain a log in a notebook: ranked cards, the marked log, and the whole catalog.

    Args:
        what: A log as text, a path, an exception, a code or a name, records of a logger, or None for an empty panel.
        lang: Language, `en` or `zh`; it can be switched in the panel.
        version: TensorRT's version (`10.8`, `rtx-1.7`), so that remedies fit it; else what the log says.

    Example:
        >>> from trtlab.widgets import ErrorPanel  # doctest: +SKIP
        >>> panel = ErrorPanel("build.log")  # doctest: +SKIP
        >>> panel.diagnoses  # the same list that trtlab.explain returns  # doctest: +SKIP
    """

    _esm = joined_module("error_panel.js")
    _css = stylesheet("error_panel.css")
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, what: object = None, *, lang: str = "en", version: str = "") -> None:
        super().__init__()
        self._language = check_language(lang)
        self._version = version
        self._subject = Subject()
        self._note = ""
        self._busy_since: float | None = None
        self._was_cancelled = False
        self._cancelled = threading.Event()
        self._generation = 0
        self._rows: array[int] | None = None
        self._rows_of: tuple[str, str] = ("all", "")
        self._catalog = ("", "")
        self._page_id = ""
        self._upload: _Upload | None = None
        self._is_closed = False
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.on_msg(self._receive)
        threading.Thread(target=self._work, name="trtlab-error-panel", daemon=True).start()
        self._show()
        if what is not None:
            self.explain(what)

    @property
    def diagnoses(self) -> Diagnoses:
        """What was found, root cause first, as `trtlab.explain` returns it."""
        return self._subject.diagnoses(language=self._language, version=self._version)

    @property
    def analysis(self) -> LogAnalysis | None:
        """What the log says, with the role of each marked line; None before a log was read."""
        return self._subject.analysis

    def explain(self, what: object) -> None:
        """Explain something else; the panel shows it as soon as it was read. `what` is what `trtlab.explain` takes."""
        self._note = ""
        self._cancelled.set()
        self._tasks.put(lambda: self._take(lambda: subject_of(what, pasted=WORDS[self._language]["pasted"])))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything that was asked for has ended; return whether it has within `timeout` seconds."""
        ended = threading.Event()
        self._tasks.put(ended.set)
        return ended.wait(timeout)

    def close(self) -> None:
        """Stop what runs, and take the panel from the page."""
        if not self._is_closed:
            self._is_closed = True
            self._cancelled.set()
            self._tasks.put(None)
        super().close()

    def __repr__(self) -> str:
        return f"ErrorPanel: {self._headline()['text']} A notebook with widgets shows it as a panel."

    # Reading (in the panel's thread)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except CancelledError:
                self._was_cancelled = True
            except (TrtlabError, OSError) as error:
                self._note = str(error)
            except Exception as error:  # noqa: BLE001 - the panel must stay alive, and says what went wrong
                self._note = f"{type(error).__name__}: {error}"
            self._busy_since = None
            if not self._is_closed:
                self._show()
        self._subject.close()

    def _take(self, make: Callable[[], Subject]) -> None:
        """Show another subject; what is shown stays where that fails."""
        self._begin()
        subject = make()
        try:
            self._replace(self._explained(subject))
        except BaseException:
            subject.close()
            raise

    def _explained(self, subject: Subject) -> Subject:
        return explained(subject, language=self._language, version=self._version, cancelled=self._cancelled)

    def _begin(self) -> None:
        self._cancelled.clear()
        self._was_cancelled = False
        self._busy_since = time.time()
        self._show()

    def _replace(self, subject: Subject) -> None:
        before, self._subject = self._subject, subject
        self._rows, self._rows_of = None, ("all", "")
        self._generation += 1
        before.close()

    def _set_language(self, language: Language) -> None:
        self._language = language
        if self._subject.log is not None:
            self._begin()
            self._subject = self._explained(self._subject)

    def _filter(self, show: str, text: str) -> None:
        """Choose the lines of the log view: `all`, `marked` or `problems`, those that hold `text`."""
        subject = self._subject
        rows: array[int] | None = None
        if subject.log is not None and (text or show != "all"):
            marked = {
                number
                for mark in (subject.analysis.marks if subject.analysis else ())
                for number in range(mark.first, mark.last + 1)
            }
            if show == "marked" and not text:
                rows = array("Q", sorted(marked))
            else:
                rows = subject.log.find(text=text, only_problems=show == "problems")
                if show == "marked":
                    rows = array("Q", (number for number in rows if number in marked))
        self._rows, self._rows_of = rows, (show, text)
        self._generation += 1

    # What the page says (in the kernel's main thread)

    def _receive(self, _widget: Any, message: Any, buffers: Any) -> None:  # noqa: ANN401 - ipywidgets' callback
        """Take a command of the page. Whatever is wrong with it is shown, and never ends in a traceback of the kernel."""
        try:
            self._command(message, buffers)
        except (TrtlabError, KeyError, TypeError, ValueError, OSError) as error:
            known = isinstance(error, (TrtlabError, OSError))
            self._note = str(error) if known else f"The page sent something that is not understood: {error!r}"
            self._show()

    def _command(self, message: dict[str, Any], buffers: Any) -> None:  # noqa: ANN401
        command = message["command"]
        if command == "lines":
            self._send_lines(int(message["generation"]), int(message["first"]), int(message["count"]))
        elif command == "diagnoses":
            document = json.dumps(to_json(self.diagnoses), ensure_ascii=False, indent=2)
            self.send({"type": "diagnoses", "text": document})
        elif command == "cancel":
            self._cancelled.set()
        else:
            self._note = ""
            self._change(command, message, buffers)

    def _change(self, command: str, message: dict[str, Any], buffers: Any) -> None:  # noqa: ANN401
        """Take a command that changes what is shown."""
        if command == "upload":
            self._take_upload(message, buffers)
        elif command == "open_path":
            self._open_path(str(message["path"]).strip())
        elif command == "clear":
            self._cancelled.set()
            self._tasks.put(lambda: self._replace(Subject()))
        elif command == "filter":
            show, text = str(message["show"]), str(message["text"])
            self._tasks.put(lambda: self._filter(show, text))
        elif command == "language":
            language = check_language(str(message["language"]))
            self._tasks.put(lambda: self._set_language(language))
        elif command in ("catalog", "page"):
            self._read_catalog(command, message)
        else:
            raise InputError(f"The page sent an unknown command {command!r}.")

    def _read_catalog(self, command: str, message: dict[str, Any]) -> None:
        if command == "catalog":
            self._catalog = (str(message["query"])[:LONGEST_NAME], str(message["kind"]))
        else:
            self._page_id = str(message["id"])
        self._show()

    def _open_path(self, text: str) -> None:
        path = path_of(text)
        if path is None:
            raise InputError(WORDS[self._language]["not_found"].format(text or "''"))
        self.explain(path)

    def _take_upload(self, message: dict[str, Any], buffers: Any) -> None:  # noqa: ANN401
        """Take a piece of a text or file; the last one starts the reading."""
        words = WORDS[self._language]
        if message.get("name") is not None:
            if self._upload is not None:
                self._upload.file.close()
            size = int(message["size"])
            if size > _LARGEST_UPLOAD:
                raise InputError(words["too_large"].format(message["name"], format_bytes(_LARGEST_UPLOAD)))
            self._upload = _Upload(str(message["name"]), bool(message["is_text"]), size)
        upload = self._upload
        if upload is None:
            raise InputError(words["nothing_given"])
        for buffer in buffers or ():
            upload.file.write(buffer)
        if not message["is_last"]:
            return
        self._upload = None
        upload.file.seek(0)
        self._cancelled.set()
        self._tasks.put(lambda: self._take_uploaded(upload))

    def _take_uploaded(self, upload: _Upload) -> None:
        may_be_a_code = upload.is_text and upload.size <= LONGEST_NAME
        with upload.file as file:
            if may_be_a_code and not file.read().strip():
                raise InputError(WORDS[self._language]["nothing_given"])
            file.seek(0)
            name = upload.name or WORDS[self._language]["pasted"]
            self._take(lambda: subject_of_upload(file, name=name, may_be_a_code=may_be_a_code))

    def _send_lines(self, generation: int, first: int, count: int) -> None:
        """Send rows of the log view, counted from 0, if they are still those that the page shows."""
        log, rows = self._subject.log, self._rows
        if log is None or generation != self._generation:
            return
        count = min(count, _MOST_LINES_A_MESSAGE)
        try:
            if rows is None:
                last = min(first + count, log.line_count)
                numbers = list(range(first + 1, last + 1))
                texts = log.lines(first + 1, last)
            else:
                numbers = list(rows[first : first + count])
                texts = [text for number in numbers for text in log.lines(number, number)]
        except ValueError:
            if generation == self._generation:
                raise
            return  # the panel's thread has just put another log in its place and closed this one
        self.send(
            {"type": "lines", "generation": generation, "first": first, "rows": list(zip(numbers, texts, strict=False))}
        )

    # Showing

    def _headline(self) -> dict[str, str]:
        words, language = WORDS[self._language], self._language
        if self._note:
            return error_view.headline_of("failed", self._note, language=language)
        if self._busy_since is not None:
            return error_view.headline_of("running", words["head_reading"], language=language)
        if self._was_cancelled:
            return error_view.headline_of("cancelled", words["head_cancelled"], language=language)
        subject = self._subject
        pages = self.diagnoses if subject.pages else ()
        return error_view.headline(subject.analysis, pages, subject=subject.name, language=self._language)

    def _show(self) -> None:
        subject, language = self._subject, self._language
        log = subject.log
        rows = self._rows
        query, kind = self._catalog
        self.view = {
            "language": language,
            "words": dict(WORDS[language]),
            "headline": self._headline(),
            "started": self._busy_since,
            "source": error_view.source_text(log.name, log.line_count, log.byte_count, language=language)
            if log
            else "",
            "cards": error_view.cards(self.diagnoses),
            **error_view.marks(subject.analysis),
            "log": {
                "generation": self._generation,
                "lines": log.line_count if log else 0,
                "rows": len(rows) if rows is not None else log.line_count if log else 0,
                "show": self._rows_of[0],
                "text": self._rows_of[1],
                "numbers": self._row_numbers(),
            },
            "catalog": error_view.catalog_rows(query, kind=kind, language=language),
            "page": error_view.page(self._page_id, language=language),
            "python": error_view.python_text(path=subject.path, language=language),
        }

    def _row_numbers(self) -> list[int]:
        """Return the row of each marked line in a filtered log; the page needs no other to jump between marks."""
        rows = self._rows
        if rows is None or self._subject.analysis is None:
            return []
        places = {number: row for row, number in enumerate(rows)}
        return [places.get(mark.first, -1) for mark in self._subject.analysis.marks]
