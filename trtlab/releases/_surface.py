"""The loader of `api_surface.json`. Nothing is read before the first question; then the file is read once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from trtlab._errors import InputError

Flavour: TypeAlias = Literal["tensorrt", "tensorrt_rtx"]
Kind: TypeAlias = Literal["class", "enum", "member", "property", "method", "static_method", "function", "value"]

SCHEMA = "trtlab.api_surface/1"
_Fact: TypeAlias = "dict[str, Any]"


class UnknownReleaseError(InputError):
    """The API of this release was not read; the message says which releases are known."""


@dataclass(frozen=True)
class Release:
    """One release whose bindings were read, and where the data on it comes from.

    Attributes:
        flavour: `tensorrt` or `tensorrt_rtx`.
        version: The version as the module's `__version__` gives it.
        package: Name of the package that holds the bindings.
        wheel: File name of the wheel that was read.
        sha256: Checksum of that wheel.
        read_on: The day on which it was read, as YYYY-MM-DD.
        read_by: How: `import`, the bindings were imported and asked.
    """

    flavour: Flavour
    version: str
    package: str
    wheel: str
    sha256: str
    read_on: str
    read_by: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the version, by which releases of one flavour are ordered."""
        return _numbers(self.version)


@dataclass(frozen=True)
class Symbol:
    """One public name of a release.

    Attributes:
        name: Dotted path below the module, such as `BuilderFlag.FP16`.
        kind: What it is. A `value` is a constant that is no member of the class it stands in, such as `Logger.ERROR`.
        value: The integer of an enum member, or of a constant that stands for one.
        type_name: The type of a property or constant, where the bindings tell it.
        settable: Whether a property can be assigned.
        signatures: The parameters and result of a function or method, or the parameters of a class's constructor; one
            for each overload, `self` left out. Empty where the bindings tell none.
        bases: The classes that a class inherits from.
        deprecated: What the docstring says after its mark of deprecation, None where there is no mark. Mostly since
            when and what to use instead, sometimes only what the thing does.
    """

    name: str
    kind: Kind
    value: int | None = None
    type_name: str | None = None
    settable: bool = False
    signatures: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    deprecated: str | None = None


@dataclass(frozen=True)
class _Surface:
    """The file's content. A variant is the indexes of some releases and the fact that holds in them."""

    releases: tuple[Release, ...]
    variants: dict[str, tuple[tuple[frozenset[int], _Fact], ...]]


def releases(flavour: Flavour | None = None) -> tuple[Release, ...]:
    """Return the known releases, all or those of one flavour: `tensorrt` before `tensorrt_rtx`, each oldest first."""
    return tuple(release for release in _load().releases if flavour in (None, release.flavour))


def symbols(flavour: Flavour, version: str) -> frozenset[str]:
    """Return all public names of a release, inherited ones under each class that has them.

    Left out are names that begin with an underscore, modules, and the `plugin` subpackage, which is Python source.

    Raises:
        UnknownReleaseError: This release was not read.
    """
    return frozenset(_facts(_index(flavour, version)))


def has(symbol: str, flavour: Flavour, version: str) -> bool:
    """Return whether a release has a name, such as `BuilderFlag.FP16` or `OnnxParser.parse_from_file`.

    Raises:
        UnknownReleaseError: This release was not read.
    """
    return symbol in _facts(_index(flavour, version))


def describe(symbol: str, flavour: Flavour, version: str) -> Symbol | None:
    """Return what is known about a name in a release, or None where the release does not have it.

    Raises:
        UnknownReleaseError: This release was not read.
    """
    fact = _facts(_index(flavour, version)).get(symbol)
    if fact is None:
        return None
    return Symbol(
        name=symbol,
        kind=fact["kind"],
        value=fact.get("value"),
        type_name=fact.get("type"),
        settable=fact.get("settable", False),
        signatures=tuple(fact.get("signatures", ())),
        bases=tuple(fact.get("bases", ())),
        deprecated=fact.get("deprecated"),
    )


def releases_with(symbol: str, flavour: Flavour) -> tuple[Release, ...]:
    """Return the releases of one flavour that have a name, oldest first; none for a name that no release has."""
    return tuple(release for release in releases(flavour) if has(symbol, flavour, release.version))


def closest_release(flavour: Flavour, version: str) -> Release:
    """Return the known release that best stands for `version`: itself, or else the newest one before it.

    A `.postN` is a new packaging of the same TensorRT, so it stands for the version without it. For a version older
    than all that are known it is the oldest. Compare the result's `version` with the one asked for before anything is
    said about it.

    Raises:
        UnknownReleaseError: `version` holds no number, or no release of that flavour was read.
    """
    known = releases(flavour)
    wanted = _numbers(version)
    if not wanted or not known:
        raise _unknown(flavour, version)
    exact = [release for release in known if release.version == version]
    repackaged = [release for release in known if _without_post(release.version) == _without_post(version)]
    not_after = [release for release in known if release.numbers <= wanted]
    return (exact or repackaged or not_after or [known[0]])[-1]


@lru_cache(maxsize=1)
def _load() -> _Surface:
    """Read the file."""
    text = resources.files("trtlab.releases").joinpath("api_surface.json").read_text(encoding="utf-8")
    content = json.loads(text)
    if content["schema"] != SCHEMA:
        raise ValueError(f"api_surface.json says that it is {content['schema']!r}; this trtlab reads {SCHEMA!r}.")
    variants = {
        name: tuple((_indexes(spans), fact) for spans, fact in entries) for name, entries in content["symbols"].items()
    }
    return _Surface(tuple(Release(**entry) for entry in content["releases"]), variants)


def _indexes(spans: str) -> frozenset[int]:
    """Return the numbers that a text such as `0-3 7` stands for."""
    found: set[int] = set()
    for span in spans.split():
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


@lru_cache(maxsize=64)
def _facts(index: int) -> dict[str, _Fact]:
    """Return the fact of every name of one release, inherited names included."""
    own = {name: fact for name, variants in _load().variants.items() for indexes, fact in variants if index in indexes}
    members: dict[str, dict[str, _Fact]] = {}
    for name, fact in own.items():
        owner, _, rest = name.partition(".")
        if rest:
            members.setdefault(owner, {})[rest] = fact
    return own | {
        f"{name}.{rest}": fact
        for name, class_fact in own.items()
        if class_fact.get("bases")
        for rest, fact in _with_inherited(name, own, members).items()
    }


def _with_inherited(name: str, own: dict[str, _Fact], members: dict[str, dict[str, _Fact]]) -> dict[str, _Fact]:
    """Return what stands in a class: its own names first, then those of its bases, the first base's first."""
    found = dict(members.get(name, {}))
    for base in own[name].get("bases", ()):
        found = _with_inherited(base, own, members) | found
    return found


def _index(flavour: Flavour, version: str) -> int:
    """Return the place of a release in the file."""
    for index, release in enumerate(_load().releases):
        if (release.flavour, release.version) == (flavour, version):
            return index
    raise _unknown(flavour, version)


def _unknown(flavour: str, version: str) -> UnknownReleaseError:
    """Return the error for a release that was not read."""
    known = ", ".join(release.version for release in _load().releases if release.flavour == flavour)
    if not known:
        flavours = ", ".join(dict.fromkeys(release.flavour for release in _load().releases))
        return UnknownReleaseError(f"There is no TensorRT flavour {flavour!r}; the flavours are {flavours}.")
    return UnknownReleaseError(f"The API of {flavour} {version!r} is not known. Known releases of {flavour}: {known}.")


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers in a version: (10, 14, 1, 48, 1) for `10.14.1.48.post1`."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _without_post(version: str) -> str:
    """Return a version without the number of its packaging: `10.14.1.48` for `10.14.1.48.post1`."""
    return version.partition(".post")[0]
