"""`trtlab.explain`: whatever went wrong, what it means and what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from trtlab._errors import InputError
from trtlab.explain.catalog import Entry, Language, check_language, entry
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Diagnoses, Diagnosis
from trtlab.explain.exceptions import diagnoses_of_exception, driver_is_here
from trtlab.explain.log.analysis import analyse_log
from trtlab.explain.lookup import pages_for_number, pages_for_text

_LONGEST_PATH = 4096


def explain(what: object, *, lang: str = "en", enum: str | None = None, version: str = "") -> Diagnoses:
    """Explain a code, a log, an exception, or a null result.

    Args:
        what: One of
            a name or id (`"INVALID_ARGUMENT"`, `"build.out_of_memory"`, `"cudaErrorIllegalAddress"`),
            a number (`700`, `"Error Code 10"`) or a member of an enumeration,
            a log or a message as text,
            a path of a log file (a string that names a file, or a `Path`), or an open file,
            an exception, with those it was raised from,
            an error object of TensorRT's parser, a parser or an error recorder,
            records of a logger (anything with a `message`, or dictionaries),
            `None`, as a builder or runtime returned it.
        lang: Language of the texts, `en` or `zh`.
        enum: Which enumeration a number or name belongs to: `nvinfer1.ErrorCode`, `nvonnxparser.ErrorCode` or `cuda`.
        version: TensorRT's version (`10.8`, `rtx-1.7`), so that remedies fit it; else what the log says, or none.

    Returns:
        Diagnoses, the root cause first. Empty if nothing was recognised.

    Raises:
        InputError: The file cannot be read or is not text, or an argument is unknown.
    """
    language = check_language(lang)
    if isinstance(what, BaseException):
        return Diagnoses(diagnoses_of_exception(what, language=language, version=version))
    pages = pages_of(what, enum=enum)
    if pages is not None:
        return diagnoses_of_pages(pages, language=language, version=version)
    if isinstance(what, str):
        path = path_of(what)
        return Diagnoses(analyse_log(path if path is not None else what, lang=language, version=version).diagnoses)
    text = text_of_object(what)
    source: Any = text if text is not None else what
    has_driver = driver_is_here() if text is not None else None  # an object is of this machine, a file can be of any
    return Diagnoses(analyse_log(source, lang=language, version=version, has_driver=has_driver).diagnoses)


def pages_of(what: object, *, enum: str | None = None) -> tuple[Entry, ...] | None:
    """Return the pages of a code, a name, a number, a member of an enumeration or `None`; None for anything else.

    Raises:
        InputError: It is a boolean, or there is no such enumeration.
    """
    if what is None:
        return (entry("build.null_engine"),)
    if isinstance(what, bool):
        raise InputError(f"{what} says nothing by itself. Give the log, or the parser whose parse() returned it.")
    member = _enumeration_member(what)
    if member:
        return pages_for_text(member, enum=enum)
    if isinstance(what, int):
        return pages_for_number(what, enum=enum)
    return (pages_for_text(what, enum=enum) or None) if isinstance(what, str) else None


def path_of(text: str) -> Path | None:
    """Return the file that a text names; a log is never the name of one."""
    if not text.strip() or "\n" in text or "\0" in text or len(text) > _LONGEST_PATH:
        return None
    try:
        path = Path(text).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None


def diagnoses_of_pages(pages: Sequence[Entry], *, language: Language, version: str = "") -> Diagnoses:
    """Return pages that were asked for as diagnoses; with several, none is sure and the first is the root."""
    return Diagnoses(
        diagnosis_of(
            page.id,
            language=language,
            version=version,
            root=index == 0,
            tensorrt_code=_code_of(page),
            sure=len(pages) == 1,
        )
        for index, page in enumerate(pages)
    )


def _code_of(page: Entry) -> str:
    if page.number is None:
        return ""
    enumeration = {"error_code": "nvinfer1::ErrorCode", "parser_code": "nvonnxparser::ErrorCode"}.get(
        page.kind, "CUDA error"
    )
    return f"{enumeration} {page.number}"


def _enumeration_member(what: object) -> str:
    """Return `ErrorCode.UNSUPPORTED_NODE` for a member of an enumeration of TensorRT or CUDA, else nothing."""
    name, kind = getattr(what, "name", None), type(what).__name__
    if isinstance(name, str) and ("errorcode" in kind.lower() or "cudaerror" in kind.lower() or kind == "CUresult"):
        return f"{'cudaError_t' if kind == 'CUresult' or 'cuda' in kind.lower() else kind}.{name}"
    return ""


def text_of_object(what: object) -> str | None:
    """Return what an object of TensorRT or a logger's records say; None for what is read as a file."""
    if isinstance(what, (bytes, os.PathLike)) or hasattr(what, "read"):
        return None
    if hasattr(what, "num_errors") and hasattr(what, "get_error"):  # a parser
        return "\n".join(_parser_error(what.get_error(index)) for index in range(_count(what))) + "\n"
    if hasattr(what, "num_errors") and hasattr(what, "get_error_desc"):  # an error recorder
        return "\n".join(str(what.get_error_desc(index)) for index in range(_count(what))) + "\n"
    if callable(getattr(what, "desc", None)):
        return _parser_error(what) + "\n"
    if isinstance(what, Iterable):
        return "\n".join(map(_record, what)) + "\n"
    raise InputError(
        f"{type(what).__name__} is nothing that can be explained. Give a name, a number, a log, a path, an exception or None."
    )


def _count(source: Any) -> int:  # noqa: ANN401 - a parser or an error recorder
    """Return how many errors there are: `num_errors` is a property of the parser, and a method in some recorders."""
    count = source.num_errors
    return int(count() if callable(count) else count)


def _parser_error(error: Any) -> str:  # noqa: ANN401 - IParserError
    """Return an error of the parser as trtexec prints it."""
    code = error.code()
    name = getattr(code, "name", str(code))
    node, operator = (_ask(error, method) for method in ("node_name", "node_operator"))
    index = _ask(error, "node")
    return f"In node {index or -1} with name: {node} and operator: {operator} ({_ask(error, 'func')}): {name}: {error.desc()}"


def _ask(error: Any, method: str) -> str:  # noqa: ANN401
    function = getattr(error, method, None)
    try:
        return str(function()) if callable(function) else ""
    except UnicodeDecodeError:  # a name in the model that is not UTF-8
        return ""


def _record(record: object) -> str:
    """Return a record of a logger as a line of a log."""
    if isinstance(record, str):
        return record
    if isinstance(record, dict):
        message, severity = record.get("message", ""), record.get("severity", "")
    else:
        message, severity = getattr(record, "message", str(record)), getattr(record, "severity", "")
    letter = str(severity)[:1].upper()
    return f"[{letter if letter in 'VIWEF' else 'E'}] {message}" if letter else str(message)


def to_json(found: Iterable[Diagnosis]) -> dict[str, Any]:
    """Return diagnoses as `trtlab explain --json` gives them."""
    return {
        "schema": "trtlab.explain/1",
        "diagnoses": [
            {
                **json.loads(diagnosis.to_json()),
                "lines": list(diagnosis.lines) if diagnosis.lines else None,
                "causes": [{"text": cause.text, "evidence": cause.evidence} for cause in diagnosis.causes],
                "remedies": [
                    {"text": remedy.text, "repair": remedy.repair, "code": remedy.code, "code_for": remedy.code_for}
                    for remedy in diagnosis.remedies
                ],
            }
            for diagnosis in found
        ],
    }
