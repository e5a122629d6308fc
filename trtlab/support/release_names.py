"""Names of TensorRT releases, as people write them: `8.6`, `10.16.1.11`, `RTX 1.7`, `TensorRT-RTX 1.7.1.116`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trtlab._errors import InputError
from trtlab._results import Result

Flavour: TypeAlias = Literal["tensorrt", "tensorrt_rtx"]
# How a fact is known: read in the project's own documentation, asked of the real parser and builder, told by others, not at all.
Sureness: TypeAlias = Literal["documented", "measured", "reported", "unknown"]

_NAME = re.compile(r"(?:tensorrt)?[\s_-]*(rtx)?[\s_-]*v?(\d{1,4})\.(\d{1,4})(?:\.\d+)*", re.IGNORECASE)
_TITLES: dict[Flavour, str] = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT-RTX"}


@dataclass(frozen=True)
class ReleaseName(Result):
    """One release, without its patch number.

    Attributes:
        flavour: `tensorrt` or `tensorrt_rtx`.
        version: Major and minor number, such as `10.16`.
    """

    flavour: Flavour
    version: str

    @property
    def title(self) -> str:
        """The name as a heading has it: `TensorRT 10.16`."""
        return f"{_TITLES[self.flavour]} {self.version}"

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor number, by which releases of one flavour are ordered."""
        major, minor = self.version.split(".")
        return int(major), int(minor)

    def __repr__(self) -> str:
        return self.title


def release_name(text: str, *, flavour: Flavour | None = None) -> ReleaseName:
    """Return the release that a text names.

    Args:
        text: Such as `10.16`, `10.16.1.11` or `RTX 1.7`.
        flavour: Which TensorRT, where the text is a version alone; None takes it from the text.

    Raises:
        InputError: The text names no release.
    """
    match = _NAME.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{text!r} names no release of TensorRT. Write for instance 8.6, 10.16 or RTX 1.7.")
    found: Flavour = flavour or ("tensorrt_rtx" if match[1] else "tensorrt")
    return ReleaseName(found, f"{int(match[2])}.{int(match[3])}")
