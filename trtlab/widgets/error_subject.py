"""What an error panel is about: a log with its analysis, an exception, or pages of the catalog."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from trtlab.explain.api import path_of, text_of_object
from trtlab.explain.catalog import Language
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Diagnoses, LogAnalysis
from trtlab.explain.exceptions import diagnoses_of_exception, exception_text
from trtlab.explain.log import analyse_log
from trtlab.explain.lookup import pages_for_text
from trtlab.widgets.log_text import LogText

LONGEST_NAME = 200


@dataclass(frozen=True)
class Subject:
    """What is shown.

    Attributes:
        log: The log, None for pages.
        analysis: What it says.
        page_ids: Pages of the catalog, where a code or a name was asked for.
        name: That code or name.
        path: The log's file, where it is one.
        error: The exception, where it is one.
    """

    log: LogText | None = None
    analysis: LogAnalysis | None = None
    page_ids: tuple[str, ...] = ()
    name: str = ""
    path: str = ""
    error: BaseException | None = None

    def diagnoses(self, *, language: Language, version: str = "") -> Diagnoses:
        """Return what `trtlab.explain` returns for it."""
        if self.page_ids:
            return Diagnoses(diagnosis_of(page, language=language, version=version) for page in self.page_ids)
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
        what: A log, a path, an exception, a code or name, records of a logger.
        pasted: What to call a log that is a text.

    Raises:
        InputError: It is nothing that can be explained, or cannot be read.
    """
    if isinstance(what, BaseException):
        return Subject(log=LogText(exception_text(what), name=type(what).__name__), error=what)
    if isinstance(what, int) and not isinstance(what, bool):
        what = str(what)
    if isinstance(what, str):
        pages = pages_of(what)
        if pages is not None:
            return pages
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
        pages = pages_of(file.read(LONGEST_NAME).decode("utf-8", "replace"))
        if pages is not None:
            return pages
        file.seek(0)
    return Subject(log=LogText(file, name=name))


def pages_of(text: str) -> Subject | None:
    """Return the pages of a code or a name, None for any other text."""
    pages = pages_for_text(text) if len(text) <= LONGEST_NAME else ()
    return Subject(page_ids=tuple(page.id for page in pages), name=text.strip()) if pages else None


def _of_path(path: Path) -> Subject:
    return Subject(log=LogText(path, name=path.name), path=str(path))
