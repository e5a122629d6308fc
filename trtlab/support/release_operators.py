"""The loader of `operators.json` and `measured_operators.json`, and the verdict of one release on one operator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from trtlab._format import plural
from trtlab.support.release_names import ReleaseName, release_name
from trtlab.support.releases import MEASURED, OPERATORS, ReleaseCell, ReleaseColumn

# The parser of 9.0 was the first that took models' own functions (its changelog).
_FIRST_WITH_FUNCTIONS = (9, 0)
_PARSERS_OWN = "TRT_"
_STANDARD = "ai.onnx."
_PLUGIN = "no standard operator: it needs a plugin"


@dataclass(frozen=True)
class TableSource:
    """Where the table of one release was read.

    Attributes:
        release: Which.
        index: Its place among the tables.
        commit: Of github.com/onnx/onnx-tensorrt.
        identified_by: What says that the commit belongs to the release.
        max_opset: The newest opset that the text names.
        types: The ONNX types that the text names, in its words.
    """

    release: ReleaseName
    index: int
    commit: str
    identified_by: str
    max_opset: int
    types: tuple[str, ...]

    @property
    def address(self) -> str:
        """Where it can be read."""
        return f"https://github.com/onnx/onnx-tensorrt/blob/{self.commit}/docs/operators.md"


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[ReleaseName, TableSource], dict[str, Any]]:
    content = json.loads(OPERATORS.read_text("utf-8"))
    found = {}
    for index, fields in enumerate(content["releases"]):
        name = release_name(fields["version"])
        types = tuple(fields["types"])
        found[name] = TableSource(name, index, fields["commit"], fields["identified_by"], fields["max_opset"], types)
    return found, content["operators"]


@lru_cache(maxsize=1)
def _measurements() -> dict[ReleaseName, dict[str, Any]]:
    releases = json.loads(MEASURED.read_text("utf-8"))["releases"]
    return {release_name(fields["version"], flavour=fields["flavour"]): fields for fields in releases}


def table_source(name: ReleaseName) -> TableSource | None:
    """Return where a release's table was read; None for one that was not."""
    return _tables()[0].get(name)


def read_releases() -> tuple[ReleaseName, ...]:
    """Return the releases of which the operators are known: those that were read, oldest first, then those that were measured."""
    return (*_tables()[0], *_measurements())


def column_of(name: ReleaseName) -> ReleaseColumn:
    """Return where the operators of a release come from."""
    source = table_source(name)
    if source is not None:
        return ReleaseColumn(name, (source.address,), f"the parser's list of operators ({source.identified_by})")
    measured = _measurements().get(name)
    if measured is not None:
        text = f"{measured['version']} was asked on {measured['measured_on']}, with {measured['models']} operator tests of ONNX"
        return ReleaseColumn(name, (), text)
    return ReleaseColumn(name, (), "its list of operators was not found")


def operator_cell(operator: str, name: ReleaseName, *, is_function: bool = False) -> ReleaseCell:
    """Return what a release says of an operator.

    Args:
        operator: Name, with its domain unless it is the standard's.
        name: The release.
        is_function: Whether it is a local function of the model.
    """
    short = operator[len(_STANDARD) :] if operator.startswith(_STANDARD) else operator
    source, measured = table_source(name), _measurements().get(name)
    if is_function:
        return _function(name, is_known=source is not None or measured is not None)
    if "." in short or short not in _tables()[1]:
        parsers = f", unless the parser has it among its own ({_PARSERS_OWN}...)" if _PARSERS_OWN in short else ""
        return ReleaseCell("unknown", "unknown", _PLUGIN + parsers)
    if source is not None:
        return _documented(short, source)
    if measured is not None:
        return _measured(measured["operators"].get(short))
    return ReleaseCell("unknown", "unknown", "its list of operators was not found")


def _function(name: ReleaseName, *, is_known: bool) -> ReleaseCell:
    note = "a function of the model: what counts are the operators in it"
    if name.flavour == "tensorrt" and name.numbers < _FIRST_WITH_FUNCTIONS:
        return ReleaseCell("no", "documented", "functions of a model are read from 9.0 on")
    if not is_known:
        return ReleaseCell("unknown", "unknown", note)
    return ReleaseCell("yes", "documented" if name.flavour == "tensorrt" else "measured", note)


def _documented(operator: str, source: TableSource) -> ReleaseCell:
    first_opset, spans = _tables()[1][operator]
    for first, last, supported, types, note in spans:
        if first <= source.index <= last and supported is None:
            return ReleaseCell("unknown", "unknown", note)
        if first <= source.index <= last:
            return ReleaseCell("yes" if supported else "no", "documented", note, tuple(types))
    if first_opset is not None and first_opset > source.max_opset:
        return ReleaseCell(
            "no", "documented", f"in ONNX since opset {first_opset}, this release goes up to {source.max_opset}"
        )
    # The table leaves out operators of opsets that it covers: that it does not list one says nothing.
    return ReleaseCell("unknown", "unknown", "its list of operators does not have it")


def _measured(counts: list[int] | None) -> ReleaseCell:
    if counts is None:
        return ReleaseCell("unknown", "unknown", "it was not asked for this operator")
    known, models, parsed, built = counts
    if not known:
        return ReleaseCell("no", "measured", "its parser does not know the name")
    if not models:
        return ReleaseCell("unknown", "measured", "its parser knows the name; ONNX has no test of it")
    if not built:
        took = f"parsed {parsed} and built none" if parsed else "parsed none"
        return ReleaseCell(
            "unknown", "measured", f"its parser knows the name; it {took} of {plural(models, 'test model')} with it"
        )
    return ReleaseCell("yes", "measured", f"{built} of {plural(models, 'test model')} with it built")
