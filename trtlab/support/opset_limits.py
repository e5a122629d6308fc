"""Up to which ONNX opset a TensorRT release goes, as far as that is known, and what it means for a model.

The data (`data/opset_limits.json`) name for each release the newest and the oldest opset, where that was read and how sure it is; a
release for which nothing was found is there too, with None. Where they come from: docs/releases_data.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from trtlab._results import Result, from_dict
from trtlab.model.description import Finding
from trtlab.support.release_names import Flavour, ReleaseName, Sureness, release_name

LIMITS = Path(__file__).parent / "data" / "opset_limits.json"
_ID = "support.opset"


@dataclass(frozen=True)
class OpsetLimit(Result):
    """What is known of one release.

    Attributes:
        flavour: `tensorrt` or `tensorrt_rtx`.
        version: Major and minor number.
        max_opset: The newest opset that the release's parser supports; None if that is not known.
        min_opset: The oldest; None if that is not known.
        sure: How `max_opset` is known, or where there is none, `min_opset` (measured) or nothing.
        source: Address of what was read; empty for what was measured or not found.
        note: What else should be known.
    """

    flavour: Flavour
    version: str
    max_opset: int | None
    min_opset: int | None
    sure: Sureness
    source: str = ""
    note: str = ""

    @property
    def name(self) -> ReleaseName:
        """The release."""
        return ReleaseName(self.flavour, self.version)

    def __repr__(self) -> str:
        lowest = "?" if self.min_opset is None else self.min_opset
        highest = "?" if self.max_opset is None else self.max_opset
        return f"{self.name.title}: opset {lowest} to {highest} ({self.sure})"


@lru_cache(maxsize=1)
def opset_limits() -> tuple[OpsetLimit, ...]:
    """Return what is known of all releases, the oldest of a flavour first."""
    return tuple(from_dict(OpsetLimit, fields) for fields in json.loads(LIMITS.read_text("utf-8"))["releases"])


def opset_limit(release: ReleaseName) -> OpsetLimit | None:
    """Return what is known of a release; None if the data do not have it."""
    return next((limit for limit in opset_limits() if limit.name == release), None)


def opset_finding(opset: int, flavour: Flavour, version: str) -> Finding | None:
    """Return what is to be said of a model's opset before a release of TensorRT parses it; None if that is nothing.

    The parser enforces no newest opset: it takes what it can read, and an operator that was changed since its limit may be refused
    or be read by the older rules. So this is a warning, not a refusal.

    Args:
        opset: Version of the standard operator set that the model imports.
        flavour: `tensorrt` or `tensorrt_rtx`.
        version: The release, such as `8.6.1` or `10.16`.

    Raises:
        InputError: `version` is no version.
    """
    release = release_name(version, flavour=flavour)
    limit = opset_limit(release)
    if limit is not None and limit.min_opset is not None and opset < limit.min_opset:
        return Finding(_ID, "warning", _too_old(opset, limit))
    if limit is not None and limit.max_opset is not None:
        return Finding(_ID, "warning", _too_new(opset, limit)) if opset > limit.max_opset else None
    return _unknown(opset, release)


def _too_new(opset: int, limit: OpsetLimit) -> str:
    return (
        f"The model is of opset {opset}, and {limit.name.title} goes up to opset {limit.max_opset} ({_source(limit)}). Operators that "
        f"changed after opset {limit.max_opset} may be refused, or be read by their older rules. Export with opset {limit.max_opset}, "
        f"or convert: onnx.version_converter.convert_version(model, {limit.max_opset})."
    )


def _too_old(opset: int, limit: OpsetLimit) -> str:
    source = "measured" if limit.sure == "measured" else "NVIDIA's opset guide and the parser's operator list"
    return (
        f"The model is of opset {opset}, and {limit.name.title} supports models from opset {limit.min_opset} on ({source}). Older "
        "operators may be refused, such as those that broadcast with an attribute. Export with a newer opset, or convert: "
        f"onnx.version_converter.convert_version(model, {max(13, limit.min_opset or 0)})."
    )


def _source(limit: OpsetLimit) -> str:
    return (
        f"{limit.sure}: {limit.source}" if limit.source else f"{limit.sure}: {limit.note or 'no address'}".rstrip(".")
    )


def _unknown(opset: int, release: ReleaseName) -> Finding | None:
    """Return a remark where the release's limit was not found and an older release's documented one does not cover the opset."""
    known = [limit for limit in opset_limits() if limit.flavour == release.flavour and limit.max_opset is not None]
    older = [limit for limit in known if limit.name.numbers < release.numbers]
    if not known or (older and opset <= max(limit.max_opset or 0 for limit in older)):
        return None  # no release has gone back behind an older one
    nearest = f" {older[-1].name.title} goes up to opset {older[-1].max_opset}." if older else ""
    text = (
        f"The model is of opset {opset}; which opset {release.title} goes up to is not known here.{nearest} Ask its parser, or "
        "export with an opset that is known to fit."
    )
    return Finding(_ID, "info", text)
