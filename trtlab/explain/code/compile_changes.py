"""Join the hand-written replacements with what the releases have: `python -m trtlab.explain.code.compile_changes`.

`--check` writes nothing and ends with 1 if the file is not what the YAML and the releases say. Needs PyYAML, which only developers need.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from trtlab import releases
from trtlab.explain.catalog import DATA
from trtlab.explain.code.changes import Change, Gone, Table
from trtlab.explain.code.rules import RULES
from trtlab.explain.compile_catalog import load_yaml
from trtlab.explain.generated import write_generated
from trtlab.releases import Flavour, Release

SOURCE = DATA / "api_changes.yaml"
TARGET = DATA / "api_changes.json"
_FLAVOURS: tuple[Flavour, ...] = ("tensorrt", "tensorrt_rtx")
_CHINESE = re.compile(r"[一-鿿]")


def compiled(path: Path = SOURCE) -> bytes:
    """Return the content of the JSON file, one change or name a line, so that a difference can be read.

    Raises:
        ValueError: The YAML is wrong, or a name that a release lost has no words; all problems at once.
    """
    changes = _read_changes(path)
    gone, problems = _gone(changes)
    read_only, more = _read_only(changes)
    problems += more
    problems += [problem for change in changes for problem in _problems_of(change)]
    if problems:
        raise ValueError("\n".join(problems))
    lines = b",\n".join(map(msgspec.json.encode, changes))
    names = b",\n".join(msgspec.json.encode(name) + b":" + msgspec.json.encode(gone[name]) for name in sorted(gone))
    settings = msgspec.json.encode(read_only, order="sorted")
    content = b'{"changes":[\n' + lines + b'\n],"gone":{\n' + names + b'\n},"read_only":' + settings + b"}\n"
    msgspec.json.decode(content, type=Table)
    return content


def _read_changes(path: Path) -> tuple[Change, ...]:
    content = load_yaml(path)
    pages: dict[str, str] = content["pages"]
    return tuple(_read_change(entry, pages) for entry in content["changes"])


def _read_change(entry: dict[str, Any], pages: dict[str, str]) -> Change:
    fields = dict(entry)
    words = {"en": fields.pop("en"), "zh": fields.pop("zh")}
    try:
        references = [pages[name] for name in fields.pop("pages")]
        return msgspec.convert({**fields, "replacement": words, "references": references}, Change)
    except (msgspec.ValidationError, KeyError) as error:
        raise ValueError(f"{entry['symbols']}: {error}") from error


def _gone(changes: tuple[Change, ...]) -> tuple[dict[str, Gone], list[str]]:
    """Return the names that the newest release of a flavour lacks and another one has, and the problems met."""
    known = {symbol: index for index, change in enumerate(changes) if not change.read_only for symbol in change.symbols}
    bases = _bases()
    gone: dict[str, Gone] = {}
    problems: list[str] = []
    for symbol, spans in _lost().items():
        owner = symbol.rpartition(".")[0]
        if owner and _lost().get(owner) == spans:
            continue  # the class itself is listed
        index = _change_for(symbol, known, bases)
        if index is None:
            problems.append(f"{symbol} is gone and has no words")
            continue
        gone[symbol] = Gone(index, *spans)
    never = ("", releases.releases("tensorrt_rtx")[0].version)
    for index, change in enumerate(changes):
        if change.read_only:
            continue
        if change.documented is None:
            problems += [
                f"{symbol} is gone from no release that was read"
                for symbol in change.symbols
                if not _used(symbol, gone)
            ]
            continue
        for symbol in change.symbols:
            if symbol in gone:
                problems.append(f"{symbol} is documented, but wheels show it")
            gone[symbol] = Gone(index, (change.documented.until, change.documented.since), never)
    return gone, problems


def _read_only(changes: tuple[Change, ...]) -> tuple[dict[str, int], list[str]]:
    """Return the properties that some release could set and the newest of its flavour can only read, and the problems met."""
    words = {symbol: index for index, change in enumerate(changes) if change.read_only for symbol in change.symbols}
    lost = {symbol for flavour in _FLAVOURS for symbol in _lost_settings(releases.releases(flavour))}
    problems = [f"{symbol} can only be read now and has no words" for symbol in sorted(lost - words.keys())]
    problems += [f"{symbol} can still be set, or never could" for symbol in sorted(words.keys() - lost)]
    return words, problems


def _lost_settings(known: tuple[Release, ...]) -> set[str]:
    newest = known[-1]
    return {
        symbol
        for symbol in releases.symbols(newest.flavour, newest.version)
        if _is_settable(symbol, newest) is False and any(_is_settable(symbol, release) for release in known)
    }


def _is_settable(symbol: str, release: Release) -> bool | None:
    fact = releases.describe(symbol, release.flavour, release.version)
    return fact.settable if fact is not None and fact.kind == "property" else None


def _used(symbol: str, gone: dict[str, Gone]) -> bool:
    return symbol in gone if not symbol.endswith(".*") else any(name.startswith(symbol[:-1]) for name in gone)


def _change_for(symbol: str, known: dict[str, int], bases: dict[str, tuple[str, ...]]) -> int | None:
    owner, _, name = symbol.rpartition(".")
    classes = [owner]
    while classes:
        current = classes.pop(0)
        for candidate in (f"{current}.{name}" if current else name, f"{current}.*", current):
            if candidate in known and candidate:
                return known[candidate]
        classes += bases.get(current, ())
    return None


def _bases() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for release in releases.releases():
        for name in releases.symbols(release.flavour, release.version):
            if "." not in name:
                fact = releases.describe(name, release.flavour, release.version)
                found[name] = found.get(name) or (fact.bases if fact else ())
    return found


@cache
def _lost() -> dict[str, tuple[tuple[str, str], tuple[str, str]]]:
    """Return, for each name that the newest release of a flavour lacks, when each flavour lost it."""
    found = {}
    tensorrt, rtx = releases.releases("tensorrt"), releases.releases("tensorrt_rtx")
    names = {flavour: _all_names(flavour) for flavour in ("tensorrt", "tensorrt_rtx")}
    for symbol in sorted(names["tensorrt"] | names["tensorrt_rtx"]):
        spans = (_span(symbol, tensorrt), _span(symbol, rtx))
        if symbol in names["tensorrt"] and symbol not in names["tensorrt_rtx"]:
            spans = (spans[0], ("", rtx[0].version))
        if spans != (("", ""), ("", "")):
            found[symbol] = spans
    return found


def _all_names(flavour: Flavour) -> frozenset[str]:
    return frozenset().union(*(releases.symbols(flavour, release.version) for release in releases.releases(flavour)))


def _span(symbol: str, known: tuple[Release, ...]) -> tuple[str, str]:
    """Return the last release that has a name and the first after it; twice nothing where the newest has it, or none."""
    having = [index for index, release in enumerate(known) if releases.has(symbol, release.flavour, release.version)]
    if not having or having[-1] == len(known) - 1:
        return "", ""
    return known[having[-1]].version, known[having[-1] + 1].version


def _problems_of(change: Change) -> list[str]:
    text, where = change.replacement, change.symbols[0]
    problems = [f"{where}: not Chinese"] if not _CHINESE.search(text.zh) else []
    problems += [f"{where}: not English"] if _CHINESE.search(text.en) or not text.en else []
    problems += [f"{where}: no exclamation marks"] if "!" in text.en.replace("!=", "") or "！" in text.zh else []
    problems += [f"{where}: there is no rule {change.how!r}"] if change.how and change.how not in RULES else []
    problems += [f"{where}: {url!r} is no https address" for url in change.references if not url.startswith("https://")]
    return problems + ([f"{where}: needs a page"] if not change.references else [])


def main() -> None:
    """Write the generated files, or say whether they are up to date."""
    write_generated(
        lambda: {TARGET: compiled()}, module="trtlab.explain.code.compile_changes", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    main()
