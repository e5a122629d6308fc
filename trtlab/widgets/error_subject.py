"""What an error panel is about: a log with its analysis, an exception, or pages of the catalog."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from trtlab.explain.api import diagnoses_of_pages, pages_of, path_of, text_of_object
from trtlab.explain.catalog import Entry, Language
from trtlab.explain.diagnosis import Diagnoses, LogAnalysis
from trtlab.explain.exceptions import diagnoses_of_exception, exception_text
from trtlab.explain.log import analyse_log
from trtlab.widgets.log_text import LogText

LONGEST_NAME = 200


@dataclass(frozen=True)
class Subject:
    """What is shown.

    Attributes:
        log: The log, None for pages.
        analysis: What it says.
        pages: Pages of the catalog, where a code or a name was asked for.
        name: That code or name.
        path: The log's file, where it is one.
        error: The exception, where it is one.
    """

    log: LogText | None = None
    analysis: LogAnalysis | None = None
    pages: tuple[Entry, ...] = ()
    name: str = ""
    path: str = ""
    error: BaseException | None = None

    def diagnoses(self, *, language: Language, version: str = "") -> Diagnoses:
        """Return what `trtlab.explain` returns for it."""
        if self.pages:
            return diagnoses_of_pages(self.pages, language=language, version=version)
        return Diagnoses(self.analysis.diagnoses if self.analysis is not None else ())

    def close(self) -> None:
        """Give its log back."""
        if self.log is not None:
            self.log.close()


def explained(subject: Subject, *, language: Language, version: str, cancelled: threading.Event) -> Subject:
    """Return a subject with the analysis of its log in a language.

    Raises:
        CancelledError: `cancelled` was set.
    """
    if subject.log is None:
        return subject
    if subject.error is not None:
        found = diagnoses_of_exception(subject.error, language=language, version=version)
        return replace(subject, analysis=LogAnalysis(tuple(found), line_count=subject.log.line_count, tool="Python"))
    with subject.log.stream() as stream:
        return replace(subject, analysis=analyse_log(stream, lang=language, version=version, cancelled=cancelled))


def subject_of(what: object, *, pasted: str) -> Subject:
    """Return the subject that `what` is, not explained yet. `what` is what `trtlab.explain` takes.

    Args:
        what: A log, a path, an exception, a code or name, records of a logger, or what a builder returned.
        pasted: What to call a log that is a text.

    Raises:
        InputError: It is nothing that can be explained, or cannot be read.
    """
    if isinstance(what, BaseException):
        return Subject(log=LogText(exception_text(what), name=type(what).__name__), error=what)
    pages = pages_of(what)
    if pages:
        return Subject(pages=pages, name=str(what).strip())
    if isinstance(what, str):
        path = path_of(what)
        return _of_path(path) if path is not None else Subject(log=LogText(what, name=pasted))
    if isinstance(what, os.PathLike):
        return _of_path(Path(what).expanduser())
    text = text_of_object(what)
    stream: Any = text if text is not None else what
    return Subject(log=LogText(stream, name=type(what).__name__))


def subject_of_upload(file: IO[bytes], *, name: str, may_be_a_code: bool) -> Subject:
    """Return the subject in a file that the page sent; a short text can be a code or a name."""
    if may_be_a_code:
        text = file.read(LONGEST_NAME).decode("utf-8", "replace")
        pages = pages_of(text)
        if pages:
            return Subject(pages=pages, name=text.strip())
        file.seek(0)
    return Subject(log=LogText(file, name=name))


def _of_path(path: Path) -> Subject:
    return Subject(log=LogText(path, name=path.name), path=str(path))
