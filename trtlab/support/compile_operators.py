"""Read the parser's operator tables and write them as the file that is loaded: `python -m trtlab.support.compile_operators FOLDER`.

The folder holds each release's `docs/operators.md` of github.com/onnx/onnx-tensorrt under the name of the release (`10.16.md`); which
commits these are stands in `data/operators.yaml`. Facts are taken over: operators, yes or no, types, the opset. What a table says
of restrictions becomes the short facts of the YAML file. Needs PyYAML and onnx, which only developers need for this.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtlab.explain.compile_catalog import load_yaml
from trtlab.support.releases import OPERATORS, SCHEMA

SOURCE = OPERATORS.with_suffix(".yaml")
_TITLE = re.compile(
    r"TensorRT [\d.]+ supports operators (?:in the inclusive range of opset (\d+) to opset|up to Opset) (\d+)"
)
_TYPES = re.compile(r"supports the following ONNX data types: (.*)")
_TYPE = re.compile(r"[A-Z]+\d*")
_ROW = re.compile(r"^\| *(\w+) *\|(.*)$", re.MULTILINE)
# What may be left of a restriction once its facts are taken out.
_BETWEEN = re.compile(r"(?:<br />|\\|[\s.,])*")
# A slip of the pen in the tables of 10.1 to 10.14.
_SPELLED = {"INF64": "INT64"}
_EXPERIMENTAL = "marked experimental"

Row = tuple["bool | None", tuple[str, ...], str]
_CONTRADICTION: Row = (None, (), "its list has it twice, as supported and as not supported")


@dataclass(frozen=True)
class OperatorTable:
    """What one release's table says.

    Attributes:
        min_opset: The oldest opset, None where the table names none.
        max_opset: The newest opset.
        types: The ONNX types of the text above the table, in its own words.
        rows: For each operator: supported (None where the table contradicts itself), its types, what is restricted.
    """

    min_opset: int | None
    max_opset: int
    types: tuple[str, ...]
    rows: Mapping[str, Row]


def read_table(text: str, restrictions: Sequence[tuple[str, str]]) -> OperatorTable:
    """Return what an `operators.md` says.

    Raises:
        ValueError: The text is none, a row cannot be read, or a restriction holds something that no pattern stands for.
    """
    title, types = _TITLE.search(text), _TYPES.search(text)
    if title is None or types is None:
        raise ValueError("no title with the opset, or no types")
    rows: dict[str, Row] = {}
    for name, rest in _ROW.findall(text):
        cells = [cell.strip() for cell in rest.split("|")]
        if name == "Operator":
            continue
        if not re.match(r"[YN]\b", cells[0]):
            raise ValueError(f"{name}: neither Y nor N")
        notes = [_EXPERIMENTAL] if "EXPERIMENTAL" in cells[0] else []
        notes += _facts(name, cells[2] if len(cells) > 2 else "", restrictions)  # noqa: PLR2004
        supported = cells[0].startswith("Y")
        named = () if not supported or len(cells) < 2 else tuple(_types(cells[1]))  # noqa: PLR2004
        if not supported and len(cells) > 1:
            notes += _facts(name, cells[1], restrictions)
        row: Row = (supported, named, "; ".join(notes))
        rows[name] = row if rows.get(name, row)[0] == supported else _CONTRADICTION
    return OperatorTable(int(title[1]) if title[1] else None, int(title[2]), tuple(_types(types[1])), rows)


def _types(text: str) -> list[str]:
    return list(dict.fromkeys(_SPELLED.get(name, name) for name in _TYPE.findall(text)))


def _facts(operator: str, text: str, restrictions: Sequence[tuple[str, str]]) -> list[str]:
    found: list[tuple[int, str]] = []
    for pattern, fact in restrictions:
        match = re.search(pattern, text)
        if match:
            found.append((match.start(), fact))
            text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    if not _BETWEEN.fullmatch(text):
        raise ValueError(f"{operator}: no pattern for {text.strip()!r}")
    return [fact for _, fact in sorted(found)]


def compiled(tables: Sequence[tuple[Mapping[str, str], OperatorTable]], first_opsets: Mapping[str, int]) -> str:
    """Return the content of the JSON file: one operator a line, so that a change can be read.

    Args:
        tables: Where each release was read, as the YAML file has it, and its table; oldest first.
        first_opsets: The standard's operators and the opset that brought each.
    """
    releases: list[dict[str, Any]] = [
        {**source, "min_opset": table.min_opset, "max_opset": table.max_opset, "types": table.types}
        for source, table in tables
    ]
    names = sorted({name for _, table in tables for name in table.rows} | set(first_opsets))
    rows = []
    for name in names:
        spans: list[list[Any]] = []
        for index, (_, table) in enumerate(tables):
            row = table.rows.get(name)
            if row is not None and spans and spans[-1][1] == index - 1 and tuple(spans[-1][2:]) == row:
                spans[-1][1] = index
            elif row is not None:
                spans.append([index, index, *row])
        rows.append(f"{json.dumps(name)}: {json.dumps([first_opsets.get(name), spans])}")
    heads, body = ",\n".join(map(json.dumps, releases)), ",\n".join(rows)
    return f'{{"schema": "{SCHEMA}",\n"releases": [\n{heads}\n],\n"operators": {{\n{body}\n}}}}\n'


def first_opsets() -> dict[str, int]:
    """Return the standard's operators as the installed onnx knows them, and the opset that brought each."""
    from onnx import defs

    found: dict[str, int] = {}
    for schema in defs.get_all_schemas_with_history():
        if not schema.domain:
            found[schema.name] = min(schema.since_version, found.get(schema.name, schema.since_version))
    return found


def read_folder(folder: Path) -> list[tuple[Mapping[str, str], OperatorTable]]:
    """Return the tables of the folder, for each release that the YAML file names.

    Raises:
        ValueError: A table cannot be read; the message names the release.
        OSError: One is missing.
    """
    content = load_yaml(SOURCE)
    restrictions = [(str(pattern), str(fact)) for pattern, fact in content["restrictions"]]
    return [(source, _read(folder / f"{source['version']}.md", restrictions)) for source in content["releases"]]


def _read(path: Path, restrictions: Sequence[tuple[str, str]]) -> OperatorTable:
    try:
        return read_table(path.read_text("utf-8"), restrictions)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def main() -> None:
    """Write the file, or say whether it is up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m trtlab.support.compile_operators", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="where the tables lie, one for each release: 10.16.md")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if the file is out of date")
    arguments = parser.parse_args()
    try:
        content = compiled(read_folder(arguments.folder), first_opsets())
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    if not arguments.check:
        OPERATORS.write_text(content, "utf-8")
    elif OPERATORS.read_text("utf-8") != content:
        sys.exit(f"{OPERATORS.name} is out of date")


if __name__ == "__main__":
    main()
