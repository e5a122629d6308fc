"""What TensorRT's Python API lost, since when, and what replaces it.

The table is `data/api_changes.json`: which release lost which name comes from `trtlab.releases`, the words and rules from
`data/api_changes.yaml`. `python -m trtlab.explain.code.compile_changes` joins the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from trtlab._results import Result
from trtlab.explain.catalog import DATA, Language, Text

Sure = Literal["read from wheel", "documentation"]
FLAVOUR_WORDS = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT-RTX"}
MODULES = ("tensorrt", "tensorrt_rtx")
_SHOWN_NUMBERS = 2


class Documented(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The releases of a name that was gone before the oldest release that was read."""

    until: str
    since: str


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What replaces some names.

    Attributes:
        symbols: The names, below the module.
        replacement: What to use instead, in words.
        how: The rule of `rewriting` that makes the change; empty where a person has to decide.
        to: What that rule needs to know, mostly the new name.
        needs: Names that a release must have for that change.
        documented: Since when, for names that no wheel shows.
        distinctive: Whether nothing but TensorRT calls something so.
        hinted: Whether that holds only where the variable's name says what it is, such as `builder`: others use the name, too.
        read_only: Whether the names are still there and can only be read.
        references: Pages that say so.
    """

    symbols: tuple[str, ...]
    replacement: Text
    how: str = ""
    to: str = ""
    needs: tuple[str, ...] = ()
    documented: Documented | None = None
    distinctive: bool = False
    hinted: bool = False
    read_only: bool = False
    references: tuple[str, ...] = ()


class Gone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A name that a release no longer has. Of each flavour: the last release with it and the first without, empty where there is none.

    TensorRT-RTX has a first release without, and no last one with, where it never had the name.
    """

    change: int
    tensorrt: tuple[str, str]
    tensorrt_rtx: tuple[str, str]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `api_changes.json`: the words, what is gone, and what can only be read, each with the index of its words."""

    changes: tuple[Change, ...]
    gone: dict[str, Gone]
    read_only: dict[str, int]


@dataclass(frozen=True)
class ApiChange(Result):
    """A name that at least one TensorRT release no longer has.

    Attributes:
        symbol: The name below the module, such as `ICudaEngine.num_bindings`.
        until: The last release of each flavour (`tensorrt`, `tensorrt_rtx`) that had it.
        since: The first release of each flavour that was found without it.
        replacement: What to use instead, in words.
        sure: Whether the bindings themselves were read, or documentation.
        references: Pages about it.
    """

    symbol: str
    until: dict[str, str] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)
    replacement: Text = field(default_factory=lambda: Text("", ""))
    sure: Sure = "read from wheel"
    references: tuple[str, ...] = ()

    def sentence(self, language: Language = "en") -> str:
        """Return since when it is gone, in one sentence; without what replaces it."""
        return gone_sentence(self.symbol, self.until, self.since, language)

    def __repr__(self) -> str:
        return f"{self.sentence()} {self.replacement.en}".strip()


def gone_sentence(symbol: str, until: dict[str, str], since: dict[str, str], language: Language) -> str:
    """Return in one sentence which releases lost a name and which still had it."""
    lost, never = [], []
    for flavour in MODULES:
        if flavour in until and flavour in since:
            words = (release_words(flavour, since[flavour]), short_version(until[flavour]))
            lost.append(
                f"从 {words[0]} 起没有（{words[1]} 还有）"
                if language == "zh"
                else f"gone since {words[0]} ({words[1]} still had it)"
            )
        elif flavour in since:
            never.append(FLAVOUR_WORDS[flavour])
    if language == "zh":
        parts = [*lost, *(f"{name} 从未有过" for name in never)]
        return f"{symbol} {'，'.join(parts)}。"
    parts = [*(["is " + " and ".join(lost)] if lost else []), *(f"never was in {name}" for name in never)]
    return f"{symbol} {', and '.join(parts)}."


def release_words(flavour: str, version: str) -> str:
    """Return a release as people write it: `TensorRT 10.0`, `TensorRT-RTX 1.5`."""
    return f"{FLAVOUR_WORDS.get(flavour, flavour)} {short_version(version)}"


def short_version(version: str) -> str:
    """Return the first two numbers of a version."""
    return ".".join(re.findall(r"\d+", version)[:_SHOWN_NUMBERS])


@cache
def table(path: Path = DATA / "api_changes.json") -> Table:
    """Return the table, read once."""
    return msgspec.json.decode(path.read_bytes(), type=Table)


def change_of(symbol: str, *, read_only: bool = False) -> Change | None:
    """Return what replaces a name, or setting it; None if the table has nothing to say about it."""
    if read_only:
        index = table().read_only.get(symbol)
        return table().changes[index] if index is not None else None
    gone = table().gone.get(symbol)
    return table().changes[gone.change] if gone is not None else None


@cache
def by_attribute() -> dict[str, tuple[str, ...]]:
    """Return, by attribute, the names in the table that nothing but TensorRT uses, such as `num_bindings`."""
    return _distinctive({symbol: gone.change for symbol, gone in table().gone.items()})


@cache
def read_only_by_attribute() -> dict[str, tuple[str, ...]]:
    """Return the same of the names that can only be read now."""
    return _distinctive(table().read_only)


def _distinctive(indexes: dict[str, int]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for symbol, index in indexes.items():
        owner, _, name = symbol.rpartition(".")
        change = table().changes[index]
        if owner and change.distinctive and symbol in change.symbols:
            found.setdefault(name, []).append(symbol)
    return {name: tuple(symbols) for name, symbols in found.items()}


def removed_symbol(owner: str | None, symbol: str) -> ApiChange | None:
    """Return what is known about a name that TensorRT no longer has; None if no release lost it.

    Args:
        owner: What was asked for it, as Python's messages say it: `ICudaEngine`, `tensorrt_bindings.tensorrt.ICudaEngine`, or the module
            `tensorrt`. None where that is not known: then only a name that nothing but TensorRT uses is found.
        symbol: The name, such as `num_bindings`, or with its class, such as `ICudaEngine.num_bindings`.
    """
    gone = table().gone
    if owner is None:
        candidates = (symbol,) if symbol in gone else by_attribute().get(symbol, ())
        return _api_change(candidates[0]) if candidates else None
    last = owner.rpartition(".")[2]
    full = symbol if not last or last.removesuffix("_bindings") in MODULES else f"{last}.{symbol}"
    # A member of a class that is gone itself: the class is what has to be replaced.
    return _api_change(full) if full in gone else _api_change(last) if last in gone else None


def _api_change(symbol: str) -> ApiChange:
    gone = table().gone[symbol]
    change = table().changes[gone.change]
    releases = {"tensorrt": gone.tensorrt, "tensorrt_rtx": gone.tensorrt_rtx}
    return ApiChange(
        symbol=symbol,
        until={flavour: until for flavour, (until, _) in releases.items() if until},
        since={flavour: since for flavour, (_, since) in releases.items() if since},
        replacement=change.replacement,
        sure="documentation" if change.documented is not None else "read from wheel",
        references=change.references,
    )
