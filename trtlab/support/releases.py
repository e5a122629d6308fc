"""What other releases of TensorRT say of a model's operators, types and opset: tables that were read, not parsers that were asked.

Sources and how the data are made: docs/releases_data.md.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from trtlab._format import shorten_middle
from trtlab._results import Result
from trtlab.support.opset_limits import opset_limit
from trtlab.support.release_names import ReleaseName, Sureness, release_name

OPERATORS = Path(__file__).parent / "data" / "operators.json"
MEASURED = OPERATORS.with_name("measured_operators.json")
SCHEMA = "trtlab.operator_tables/1"
# 8.6 is the last before 9, 10.16 and 11.1 are the newest of their lines whose tables could be read.
DEFAULT_RELEASES = ("8.6", "10.0", "10.16", "11.1", "RTX 1.7")
NOTE = (
    "Yes means that the release's table lists the operator, or that a test model with it was built; a node can still be refused "
    "for its attributes, inputs or shapes. Only the release's own parser and builder decide."
)

Answer: TypeAlias = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class ReleaseCell(Result):
    """What one release says of one thing.

    Attributes:
        verdict: `yes`, `no`, or `unknown`.
        sure: `documented`: the release's own table or text says so; `measured`: asked of the real parser and builder;
            `reported`: seen elsewhere only; `unknown`: nothing was found.
        note: What is restricted, or why it is not known; may be empty.
        types: The types that the table lists for the operator, in its words (`FP16`, `INT64`); empty where it lists none.
    """

    verdict: Answer
    sure: Sureness
    note: str = ""
    types: tuple[str, ...] = ()

    def __repr__(self) -> str:
        known = f" ({self.sure})" if self.sure != "unknown" else ""
        return f"{self.verdict}{known}" + (f": {self.note}" if self.note else "")


@dataclass(frozen=True)
class ReleaseRow(Result):
    """One operator, type or the opset, and what each release says of it.

    Attributes:
        name: The operator, with its domain unless it is the standard's; the type; or `opset 17`.
        count: How often the operator occurs in the model; 0 for what is not counted.
        cells: One for each release of the table, in its order.
    """

    name: str
    count: int
    cells: tuple[ReleaseCell, ...]

    def __repr__(self) -> str:
        return f"{shorten_middle(self.name)}: " + ", ".join(cell.verdict for cell in self.cells)


@dataclass(frozen=True)
class ReleaseColumn(Result):
    """One release of a table.

    Attributes:
        release: Which.
        sources: Addresses of what was read; empty for what was measured.
        basis: In a few words where its operators come from.
    """

    release: ReleaseName
    sources: tuple[str, ...] = ()
    basis: str = ""

    def __repr__(self) -> str:
        return f"{self.release.title}: {self.basis}"


@dataclass(frozen=True)
class ReleaseTable(Result):
    """What several releases say of a model.

    Attributes:
        columns: The releases.
        operators: One row for each operator: those that a release does not have first, then by name.
        dtypes: One row for each type.
        opset: The opset; None if the model imports no standard operators.
        note: How to read the table.
    """

    columns: tuple[ReleaseColumn, ...]
    operators: tuple[ReleaseRow, ...]
    dtypes: tuple[ReleaseRow, ...] = ()
    opset: ReleaseRow | None = None
    note: str = NOTE

    @property
    def rows(self) -> tuple[ReleaseRow, ...]:
        """All rows: the opset, the types, the operators."""
        return (*((self.opset,) if self.opset else ()), *self.dtypes, *self.operators)

    def refused_by(self, release: str) -> tuple[ReleaseRow, ...]:
        """Return the rows of which a release says no.

        Raises:
            InputError: The text names no release.
        """
        asked = release_name(release)
        numbers = [number for number, column in enumerate(self.columns) if column.release == asked]
        return tuple(row for row in self.rows for number in numbers if row.cells[number].verdict == "no")

    def __repr__(self) -> str:
        lines = []
        for number, column in enumerate(self.columns):
            named = {
                word: [shorten_middle(row.name) for row in self.rows if row.cells[number].verdict == word]
                for word in ("no", "unknown")
            }
            lines.append(
                f"{column.release.title}: " + ("; ".join(_listing(*item) for item in named.items() if item[1]) or "yes")
            )
        return "\n".join(lines)

    def _html(self) -> str:
        heads = "".join(f"<th>{html.escape(column.release.title)}</th>" for column in self.columns)
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(shorten_middle(row.name))}</th>"
            f"{''.join(_html_cell(cell) for cell in row.cells)}</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{html.escape(self.note)}</p>"


def _html_cell(cell: ReleaseCell) -> str:
    mark = {"yes": "✓", "no": "✗", "unknown": "?"}[cell.verdict]
    detail = "; ".join(filter(None, (cell.sure, cell.note, ", ".join(cell.types))))
    return f'<td title="{html.escape(detail)}">{mark} {cell.verdict}</td>'


def _listing(word: str, names: list[str], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{word}: {', '.join(names[:shown])}{more}"


def release_verdicts(
    operators: Mapping[str, int],
    opset: int | None,
    dtypes: Collection[str] = (),
    *,
    releases: Iterable[str] = DEFAULT_RELEASES,
    functions: Collection[str] = (),
) -> ReleaseTable:
    """Return what other releases of TensorRT say of a model.

    Args:
        operators: How often each operator occurs; those of other domains with their domain (`com.acme.Gate`), as in
            `ModelDescription.operators`.
        opset: Version of the standard operator set; None if the model imports none.
        dtypes: NumPy-style names of the types in the model (`int64`, `float8e4m3fn`).
        releases: The columns, such as `8.6`, `10.16` or `RTX 1.7`; one that was not read is unknown throughout.
        functions: Names of the model's local functions, as in `ModelDescription.functions`.

    Raises:
        InputError: A release's name cannot be read.
    """
    # These two make the cells that are defined here.
    from trtlab.support.release_dtypes import dtype_cell
    from trtlab.support.release_operators import column_of, operator_cell

    names = tuple(dict.fromkeys(map(release_name, releases)))
    local = frozenset(functions)
    rows = [
        ReleaseRow(
            operator, count, tuple(operator_cell(operator, name, is_function=operator in local) for name in names)
        )
        for operator, count in operators.items()
    ]
    types = [ReleaseRow(dtype, 0, tuple(dtype_cell(dtype, name) for name in names)) for dtype in sorted(set(dtypes))]
    number = (
        None if opset is None else ReleaseRow(f"opset {opset}", 0, tuple(_opset_cell(opset, name) for name in names))
    )
    return ReleaseTable(tuple(map(column_of, names)), tuple(sorted(rows, key=_worst_first)), tuple(types), number)


def _worst_first(row: ReleaseRow) -> tuple[int, int, str]:
    words = [cell.verdict for cell in row.cells]
    return -words.count("no"), -words.count("unknown"), row.name


def _opset_cell(opset: int, name: ReleaseName) -> ReleaseCell:
    limit = opset_limit(name)
    if limit is None:
        return ReleaseCell("unknown", "unknown", "its opset was not found")
    if limit.min_opset is not None and opset < limit.min_opset:
        return ReleaseCell(
            "no", "measured" if limit.sure == "measured" else "documented", f"from opset {limit.min_opset} on"
        )
    if limit.max_opset is None:
        return ReleaseCell("unknown", limit.sure, limit.note)
    return ReleaseCell(
        "yes" if opset <= limit.max_opset else "no", limit.sure, f"up to opset {limit.max_opset}. {limit.note}".strip()
    )
