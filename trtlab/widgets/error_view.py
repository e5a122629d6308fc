"""What the error panel shows, as plain data made from results. ERROR_CONTRACT.md says its form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from trtlab._format import format_bytes
from trtlab.explain.catalog import Entry, Language, catalog, search
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Diagnosis, LogAnalysis
from trtlab.widgets.diagnosis_cards import diagnosis_card
from trtlab.widgets.error_words import WORDS

_SHOWN_CARDS = 100
_SHOWN_PAGES = 400
KINDS = ("diagnosis", "name", "error_code", "parser_code", "category", "cuda_error")


def cards(diagnoses: Sequence[Diagnosis]) -> list[dict[str, Any]]:
    """Return the cards, each in one of the groups `first`, `consequence` and `harmless`."""
    shown = []
    for index, diagnosis in enumerate(diagnoses[:_SHOWN_CARDS]):
        group = (
            "first"
            if diagnosis.is_page
            else "harmless"
            if diagnosis.severity == "harmless"
            else "first"
            if diagnosis.root or index == 0
            else "consequence"
        )
        shown.append({**diagnosis_card(diagnosis), "group": group, "index": index})
    return shown


def headline(
    analysis: LogAnalysis | None, pages: Sequence[Diagnosis], *, subject: str, language: Language
) -> dict[str, str]:
    """Return the line at the top: the cause, or what to do to get one."""
    words = WORDS[language]
    if pages:
        return headline_of("info", words["head_page"].format(subject), language=language)
    if analysis is None:
        return headline_of("waiting", words["head_waiting"], language=language)
    lines = counted_lines(analysis.line_count, language=language)
    if not analysis.diagnoses:
        return headline_of("waiting", words["head_nothing"].format(lines), language=language)
    first = analysis.diagnoses[0]
    if first.severity == "harmless":
        return headline_of("done", words["head_harmless"].format(lines), language=language)
    text = first.title
    if first.lines is not None and analysis.line_count > 1:
        text = words["head_line"].format(text, f"{first.lines[0]:,}")
    return headline_of(first.severity, text, language=language)


def headline_of(state: str, text: str, *, language: Language) -> dict[str, str]:
    """Return a headline with the word of its state."""
    return {"state": state, "word": WORDS[language][f"state_{state}"], "text": text}


def counted_lines(count: int, *, language: Language) -> str:
    """Return `1 line`, `3,000 lines`."""
    words = WORDS[language]
    return words["one_line"] if count == 1 else words["some_lines"].format(f"{count:,}")


def source_text(name: str, line_count: int, byte_count: int, *, language: Language) -> str:
    """Return what was read, in a few words."""
    return f"{name}: {counted_lines(line_count, language=language)}, {format_bytes(byte_count)}"


def marks(analysis: LogAnalysis | None) -> dict[str, Any]:
    """Return the marked lines, in the order of the log, and how many there are of each role."""
    found = analysis.marks if analysis is not None else ()
    counts = Counter(mark.role for mark in found)
    return {"marks": [[mark.first, mark.last, mark.role, mark.diagnosis] for mark in found], "counts": dict(counts)}


def catalog_rows(words: str, *, kind: str, language: Language) -> dict[str, Any]:
    """Return the pages of the catalog that hold `words`, the best first."""
    found = search(words, kinds=(kind,) if kind in KINDS else ())  # type: ignore[arg-type]  # checked by the condition
    rows = [
        {
            "id": page.id,
            "kind": page.kind,
            "title": page.title.to(language),
            "number": page.number,
            "severity": page.severity,
        }
        for page in found[:_SHOWN_PAGES]
    ]
    return {"query": words, "kind": kind, "rows": rows, "total": len(found)}


def page(identifier: str, *, language: Language) -> dict[str, Any]:
    """Return a page of the catalog as a card, with what it most often turns out to be."""
    found: Entry | None = catalog().get(identifier)
    if found is None:
        return {}
    diagnosis = diagnosis_of(identifier, language=language)
    card = diagnosis_card(diagnosis)
    card["why"] = found.meaning.to(language)
    card["leads_to"] = [{"id": other, "title": catalog()[other].title.to(language)} for other in found.leads_to]
    return card


def python_text(*, path: str, language: Language) -> str:
    """Return the same in Python."""
    options = f', lang="{language}"' if language != "en" else ""
    log = repr(path) if path else "...  # the text, a path, an exception, a code or a name"
    return f"import trtlab\n\nlog = {log}\nfound = trtlab.explain(log{options})\nfound  # root cause first\n"
