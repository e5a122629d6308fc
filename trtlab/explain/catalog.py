"""The catalog: what each diagnosis, error code, category, CUDA error and name means, and what to do, in English and Chinese.

Written by hand in `data/entries/*.yaml`, one file a family. What is loaded is `data/catalog.json`, which
`python -m trtlab.explain.compile_catalog` makes of them after checking them: reading YAML would take a second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from trtlab._errors import InputError

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
DATA = Path(__file__).resolve().parent / "data"
EntryKind = Literal["diagnosis", "error_code", "parser_code", "category", "cuda_error", "name"]
# Releases that remedies tell apart. `tensorrt_9` was for language models only and counts as `tensorrt_10`.
RELEASES = ("tensorrt_8.6", "tensorrt_10", "tensorrt_11", "tensorrt_rtx")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    en: str
    zh: str

    def to(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language == "zh" else self.en


class CatalogCause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A possible cause, and what would confirm it."""

    text: Text
    confirm: Text


class CatalogRemedy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A way out. `code` holds for every release, `code_for` where they differ, by the names in `RELEASES`."""

    text: Text
    code: str = ""
    code_for: dict[str, str] = {}
    repair: str | None = None


class Confusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another entry that this one is often taken for, and how to tell them apart."""

    id: str
    how: Text


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One page of the catalog.

    Attributes:
        id: `build.out_of_memory`, `nvinfer1.ErrorCode.INTERNAL_ERROR`, `category.myelin`, `cuda.35`, `name.PARSE_ERROR`.
        kind: What it explains.
        severity: How bad it is when it is met in a log.
        title: What happened, in a few plain words.
        meaning: What this is in general, in one to three sentences.
        why: Sentences with facts in curly brackets; the first whose facts are all known is said.
        causes: Ranked, the likeliest first.
        remedies: In the order in which a specialist would try them.
        confused_with: What it is often taken for.
        references: Pages that were read.
        aliases: Other words that people search for.
        number: The number of a code.
        leads_to: For codes, categories and names: the diagnoses that it most often turns out to be, the likeliest first.
    """

    id: str
    kind: EntryKind
    severity: Literal["error", "warning", "harmless"] = "error"
    title: Text
    meaning: Text
    why: tuple[Text, ...] = ()
    causes: tuple[CatalogCause, ...]
    remedies: tuple[CatalogRemedy, ...]
    confused_with: tuple[Confusion, ...] = ()
    references: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    number: int | None = None
    leads_to: tuple[str, ...] = ()


@cache
def catalog() -> Mapping[str, Entry]:
    """Return every entry by its id, in the order of the files."""
    content = (DATA / "catalog.json").read_bytes()
    return {entry.id: entry for entry in msgspec.json.decode(content, type=tuple[Entry, ...])}


def entry(identifier: str) -> Entry:
    """Return one entry.

    Raises:
        InputError: There is none of that id.
    """
    found = catalog().get(identifier)
    if found is None:
        raise InputError(f"{identifier!r} is no id of the catalog. `trtlab explain --list` shows them all.")
    return found


def check_language(language: str) -> Language:
    """Return `language` if the catalog has it.

    Raises:
        InputError: It has not.
    """
    for known in LANGUAGES:
        if language == known:
            return known
    raise InputError(f"lang={language!r}: the catalog is in English ('en') and Chinese ('zh').")


def search(words: str, *, kinds: tuple[EntryKind, ...] = ()) -> tuple[Entry, ...]:
    """Return the entries that hold every one of `words` in either language, the best first: id and title before the rest."""
    wanted = words.lower().split()
    ranked: list[tuple[int, int, Entry]] = []
    for found in catalog().values():
        if kinds and found.kind not in kinds:
            continue
        head = " ".join((found.id, *found.aliases, found.title.en, found.title.zh)).lower()
        body = _searchable(found.id)
        if all(word in head or word in body for word in wanted):
            ranked.append((-sum(word in head for word in wanted), len(ranked), found))
    return tuple(found for _, _, found in sorted(ranked, key=lambda item: item[:2]))


@cache
def _searchable(identifier: str) -> str:
    found = catalog()[identifier]
    causes = (text for cause in found.causes for text in (cause.text, cause.confirm))
    remedies = (remedy.text for remedy in found.remedies)
    texts = (found.meaning, *causes, *remedies)
    codes = (remedy.code + " ".join(remedy.code_for.values()) for remedy in found.remedies)
    return " ".join((*(text.en for text in texts), *(text.zh for text in texts), *codes)).lower()


FACT = re.compile(r"\{([a-z_]+)\}")
