"""Which release code is checked for: the one named, or the one installed here, and the read release that stands for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from trtlab import releases
from trtlab._errors import InputError, MissingError
from trtlab.explain.code.changes import FLAVOUR_WORDS, Change, table
from trtlab.releases import Flavour, Release

# The packages that bring the bindings; their version is TensorRT's.
_PACKAGES: dict[Flavour, tuple[str, ...]] = {
    "tensorrt": ("tensorrt", "tensorrt-cu13", "tensorrt-cu12", "tensorrt-cu11", "tensorrt-cu13-bindings", "tensorrt-cu12-bindings",
                 "tensorrt-bindings", "nvidia-tensorrt"),
    "tensorrt_rtx": ("tensorrt-rtx", "tensorrt-rtx-cu13", "tensorrt-rtx-cu12", "tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu12-bindings"),
}  # fmt: skip
_RELEASE = re.compile(
    r"(?:(?P<rtx>(?:tensorrt[-_ ]?)?rtx)|tensorrt|trt)?[-_ ]?v?(?P<version>\d+(?:\.\d+)*(?:\.post\d+)?)"
)


@dataclass(frozen=True)
class Target:
    """The release that code is checked for.

    Attributes:
        flavour: `tensorrt` or `tensorrt_rtx`.
        version: As it was asked for or is installed.
        read: The release whose names stand for it.
        installed: Whether it is what is installed here.
    """

    flavour: Flavour
    version: str
    read: Release
    installed: bool = False

    @property
    def name(self) -> str:
        """The release in words."""
        return f"{FLAVOUR_WORDS[self.flavour]} {self.version}"

    @property
    def exact(self) -> bool:
        """Whether the names of this very release were read; otherwise those of the closest one."""
        numbers = _numbers(self.version)
        return self.read.numbers[: len(numbers)] == numbers[: len(self.read.numbers)]

    def has(self, symbol: str) -> bool:
        """Return whether the release has a name."""
        return releases.has(symbol, self.flavour, self.read.version)

    def lacks_documented(self, change: Change) -> bool:
        """Return whether documentation says that the name was gone by this release."""
        if change.documented is None:
            return False
        numbers = self.read.numbers if self.exact else _numbers(self.version)
        return self.flavour == "tensorrt_rtx" or numbers >= _numbers(change.documented.since)


@dataclass(frozen=True)
class Absence:
    """Why a release lacks a name.

    Attributes:
        kind: `removed`: an older release had it; `later`: only newer ones have it; `other_flavour`: the other flavour has it;
            `read_only`: it is there, but can no longer be set.
        until: The last release that had it, or could set it (of `flavour`).
        since: The first release without it, or for `later` the first with it (of `flavour`).
        flavour: Whose releases these are.
    """

    kind: str
    until: str
    since: str
    flavour: Flavour


@lru_cache(maxsize=4096)
def absence(symbol: str, target: Target) -> Absence | None:
    """Return why a release lacks a name; None where it has it, or where no release is known to have had it."""
    if target.has(symbol):
        return None
    gone = table().gone.get(symbol)
    if gone is not None and table().changes[gone.change].documented is not None:
        lacks = target.lacks_documented(table().changes[gone.change])
        return Absence("removed", gone.tensorrt[0], gone.tensorrt[1], "tensorrt") if lacks else None
    same = releases.releases_with(symbol, target.flavour)
    older = [release for release in same if release.numbers < target.read.numbers]
    if older:
        return Absence("removed", older[-1].version, _after(older[-1]), target.flavour)
    if same:
        return Absence("later", "", same[0].version, target.flavour) if target.exact else None
    other: Flavour = "tensorrt" if target.flavour == "tensorrt_rtx" else "tensorrt_rtx"
    there = releases.releases_with(symbol, other)
    if not there:
        return None
    after = _after(there[-1])
    kind = "removed" if after and other == "tensorrt" else "other_flavour"
    return Absence(kind, there[-1].version, after, other)


@lru_cache(maxsize=4096)
def setting_absence(symbol: str, target: Target) -> Absence | None:
    """Return why a release cannot set a property; None where it can, where it lacks it, or where no older one could either."""
    here = releases.describe(symbol, target.flavour, target.read.version)
    if here is None or here.kind != "property" or here.settable:
        return None
    flavours: tuple[Flavour, ...] = ("tensorrt_rtx", "tensorrt") if target.flavour == "tensorrt_rtx" else ("tensorrt",)
    for flavour in flavours:
        older = [
            each
            for each in releases.releases(flavour)
            if flavour != target.flavour or each.numbers < target.read.numbers
        ]
        able = [each for each in older if _can_set(symbol, each)]
        if able:
            return Absence("read_only", able[-1].version, _after(able[-1]), flavour)
    return None


def _can_set(symbol: str, release: Release) -> bool:
    found = releases.describe(symbol, release.flavour, release.version)
    return found is not None and found.settable


def _after(release: Release) -> str:
    """Return the version of the next release that was read, empty after the newest."""
    known = releases.releases(release.flavour)
    index = known.index(release) + 1
    return known[index].version if index < len(known) else ""


def target_for(release: str | None, imported: tuple[str, ...]) -> Target:
    """Return the release to check for.

    Args:
        release: `10.8`, `11.4`, `rtx-1.7.1`; None for what is installed here.
        imported: The TensorRT modules that the code imports. Where both flavours are installed, theirs is taken.

    Raises:
        InputError: `release` is not understood.
        MissingError: None was named, and no TensorRT is installed here.
    """
    if release is not None:
        return _named(release)
    here = [(flavour, version) for flavour in _PACKAGES if (version := _installed(flavour))]
    if not here:
        newest = releases.releases("tensorrt")[-1].version
        raise MissingError(
            f"No TensorRT is installed here. Name the release to check for, such as release='{_two(newest)}' or 'rtx-1.7'."
        )
    flavour, version = next((entry for entry in here if entry[0] in imported), here[0])
    return Target(flavour, version, _read_release(flavour, version), installed=True)


def _named(release: str) -> Target:
    found = _RELEASE.fullmatch(release.strip().lower())
    if found is None:
        raise InputError(f"{release!r} is no release. Give one like 8.6, 10.8, 11.4 or rtx-1.7.1.")
    version = found["version"]
    numbers = _numbers(version)
    if numbers[0] in (2, 3) or numbers[0] > releases.releases("tensorrt")[-1].numbers[0] + 1 or numbers[0] == 0:
        raise InputError(f"There is no TensorRT {version}. Known are 8.6 to 11 and rtx-1.4 to rtx-1.7.")
    flavour: Flavour = "tensorrt_rtx" if found["rtx"] or numbers[0] == 1 else "tensorrt"
    if found["rtx"] and numbers[0] != 1:
        raise InputError(f"There is no TensorRT-RTX {version}; its releases begin with 1.")
    return Target(flavour, version, _read_release(flavour, version))


def _read_release(flavour: Flavour, version: str) -> Release:
    """Return the newest read release that a shortened version means, else the closest."""
    numbers = _numbers(version)
    meant = [release for release in releases.releases(flavour) if release.numbers[: len(numbers)] == numbers]
    return meant[-1] if meant else releases.closest_release(flavour, version)


def _installed(flavour: Flavour) -> str:
    found = (_version(package) for package in _PACKAGES[flavour])
    return next(filter(None, found), "")


def _version(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _two(version: str) -> str:
    return ".".join(version.split(".")[:2])
