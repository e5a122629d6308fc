"""Make a diagnosis of an entry of the catalog and the facts of a case."""

from __future__ import annotations

from collections.abc import Mapping

from trtlab._format import shorten_middle
from trtlab.explain.catalog import FACT, CatalogRemedy, Entry, Language, Text, catalog, entry
from trtlab.explain.diagnosis import Cause, Diagnosis, DiagnosisSeverity, LookAlike, Place, Remedy
from trtlab.explain.facts import in_words

_LONGEST_FACT, _LONGEST_REASON = 300, 2000


def diagnosis_of(  # noqa: PLR0913 - the parts of a diagnosis, keyword-only
    identifier: str,
    facts: Mapping[str, str] | None = None,
    *,
    language: Language = "en",
    version: str = "",
    severity: DiagnosisSeverity | None = None,
    root: bool = True,
    step: str = "",
    why: str = "",
    tensorrt_code: str = "",
    original: str = "",
    lines: tuple[int, int] | None = None,
    sure: bool = True,
) -> Diagnosis:
    """Return the diagnosis `identifier` with the facts of this case filled in.

    Args:
        identifier: An id of the catalog.
        facts: By the names in `explain.facts`.
        language: Of the texts.
        version: TensorRT's version (`10.8`, `rtx-1.7`), if it is known: remedies then give the code for it.
        severity: Instead of the catalog's.
        root: False for what follows from another diagnosis.
        step: The step of a build that it belongs to.
        why: The reason, where it is known better than the catalog could say.
        tensorrt_code: TensorRT's code, in its own words.
        original: The message, untouched.
        lines: Lines of the log.
        sure: Whether the evidence decides it.

    Raises:
        InputError: The catalog has no such id.
    """
    found, facts = entry(identifier), dict(facts or {})
    place = Place(step, *(facts.get(name, "") for name in ("node", "operator", "tensor", "scope")))
    return Diagnosis(
        id=identifier,
        title=found.title.to(language),
        severity=severity or found.severity,
        root=root,
        place=place,
        why=why or _sentence(found.why, facts, language),
        meaning=found.meaning.to(language),
        causes=tuple(Cause(cause.text.to(language), cause.confirm.to(language)) for cause in found.causes),
        remedies=tuple(_remedy(remedy, language, version) for remedy in found.remedies),
        references=found.references,
        tensorrt_code=tensorrt_code,
        original=original,
        sure=sure,
        lines=lines,
        facts=facts,
        confused_with=_look_alikes(found, language),
        language=language,
    )


def release_of(version: str) -> str:
    """Return which of the releases that remedies tell apart a version belongs to; empty if it is unknown."""
    if not version:
        return ""
    if version.startswith(("rtx", "1.")):
        return "tensorrt_rtx"
    major = version.partition(".")[0]
    if not major.isdigit():
        return ""
    if int(major) <= _LAST_OF_8:
        return "tensorrt_8.6"
    return "tensorrt_10" if int(major) <= _LAST_OF_10 else "tensorrt_11"


_LAST_OF_8, _LAST_OF_10 = 8, 10


def _sentence(templates: tuple[Text, ...], facts: Mapping[str, str], language: Language) -> str:
    for template in templates:
        text = template.to(language)
        if all(name in facts for name in FACT.findall(text)):
            return FACT.sub(lambda match: _short(match[1], facts[match[1]]), text)
    return ""


def _short(name: str, value: str) -> str:
    """Return a fact as a sentence says it: a name of ten thousand characters helps nobody."""
    return shorten_middle(in_words(name, value), _LONGEST_REASON if name == "reason" else _LONGEST_FACT)


def _remedy(remedy: CatalogRemedy, language: Language, version: str) -> Remedy:
    code = remedy.code or remedy.code_for.get(release_of(version), "")
    return Remedy(remedy.text.to(language), code.rstrip("\n"), remedy.repair, dict(remedy.code_for))


def _look_alikes(found: Entry, language: Language) -> tuple[LookAlike, ...]:
    pages = catalog()
    return tuple(
        LookAlike(other.id, pages[other.id].title.to(language), other.how.to(language)) for other in found.confused_with
    )
