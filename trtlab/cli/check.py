"""`trtlab check`: find every node of a model that TensorRT does not take, on the terminal or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trtlab._format import printable, shorten_middle

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from trtlab.explain.diagnosis import Diagnosis
    from trtlab.model.description import Finding
    from trtlab.support.releases import ReleaseTable
    from trtlab.support.report import NodeVerdict, SupportReport
    from trtlab.support.session import SurveyProgress

SCHEMA: Final = "trtlab.check/1"
_ROWS = 30
_LONGEST_NAME, _LONGEST_OPERATOR = 60, 40
_STATUS = {
    "unsupported": ("✕", "refused", "bold red"),
    "unknown": ("?", "not judged", "yellow"),
    "supported": ("✓", "supported", "green"),
}
_ANSWERS = {"yes": ("✓ yes", "green"), "no": ("✕ no", "bold red"), "unknown": ("? unknown", "yellow")}
_SEVERITY = {"error": ("✕", "red"), "warning": ("▲", "yellow"), "info": ("ℹ", "dim")}  # noqa: RUF001 - the sign for information


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `check` command."""
    parser = subparsers.add_parser(
        "check",
        help="find every node of a model that TensorRT does not take",
        description="Have TensorRT's parser and builder look at every node of an ONNX model, past each failure, and say which ones "
        "they refuse, why, and what to do.",
        epilog="Exit codes: 0 TensorRT takes the model; 1 it does not; 2 wrong usage or unreadable model; 3 there is no TensorRT here.",
    )
    parser.add_argument("model", metavar="MODEL", help="an ONNX file")
    parser.add_argument("--quick", action="store_true", help="ask the parser alone, not the builder")
    parser.add_argument(
        "--shapes", metavar="SHAPES", nargs="+", action="extend", default=[],
        help="shapes of dynamic inputs to build with, as for trtlab build; default: a guess from the dimensions' names",
    )  # fmt: skip
    parser.add_argument(
        "--flavour", choices=("tensorrt", "tensorrt_rtx"), help="which TensorRT; default: what can build here"
    )
    parser.add_argument("--memory-limit", metavar="SIZE", help="most memory of the working process, such as 8GiB")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="longest time of the check")
    parser.add_argument(
        "--reduce", metavar="NODE", nargs="?", const="",
        help="save the smallest model in which this node (name or number; default: the first refused one) is still refused",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="where --reduce saves it")
    parser.add_argument(
        "--releases", metavar="RELEASE", nargs="*",
        help="also say what other releases' tables list: 8.6, 10.16, 11.1, 'RTX 1.7' ...; default: a choice of them",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help=f"list all problems, not only the first {_ROWS}")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Check, and report to the terminal or as JSON. Returns the exit code."""
    from trtlab._errors import EXIT_OK, EXIT_PROBLEM, InputError

    if arguments.output and arguments.reduce is None:
        raise InputError("-o says where --reduce saves the smallest model; give --reduce too.")
    report, reduced = _checked(arguments)
    if arguments.json:
        document = to_json(report)
        if arguments.reduce is not None:
            document["reduced"] = reduced
        if arguments.releases is not None:
            document["releases"] = report.other_releases(*arguments.releases).to_dict()
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        _print_report(report, rows=None if arguments.all else _ROWS)
        if arguments.releases is not None:
            _print_releases(report.other_releases(*arguments.releases))
        if reduced is not None:
            sys.stdout.write(f"\n{printable(reduced['text'])}\n")
    return EXIT_OK if report.supported else EXIT_PROBLEM


def _checked(arguments: argparse.Namespace) -> tuple[SupportReport, dict[str, Any] | None]:
    from trtlab.build.plan import ShapeProfile, parse_bytes, parse_shapes
    from trtlab.support.reduction import output_path, reduce_in
    from trtlab.support.session import SurveySession
    from trtlab.worker import WorkerLimits

    profile = ShapeProfile(dict(parse_shapes(text) for text in arguments.shapes)) if arguments.shapes else None
    limits = WorkerLimits(memory_bytes=parse_bytes(arguments.memory_limit or ""), seconds=arguments.time_limit)
    terminal = _Terminal(is_quiet=not sys.stderr.isatty())
    with (
        terminal,
        SurveySession(
            Path(arguments.model), flavour=arguments.flavour, limits=limits, on_progress=terminal.show
        ) as session,
    ):
        report = session.check(depth="quick" if arguments.quick else "full", profile=profile)
        if arguments.reduce is None or not report.unsupported:
            return report, None
        node = int(arguments.reduce) if arguments.reduce.isdigit() else arguments.reduce
        verdict = report.find(node) if arguments.reduce else report.unsupported[0]
        reduced = reduce_in(
            session, report, verdict.number, output_path(arguments.output, report.model, f"node{verdict.number}")
        )
    return report, {**reduced.to_dict(), "node": verdict.number, "text": repr(reduced)}


def to_json(report: SupportReport) -> dict[str, Any]:
    """Return the report in the form that the command's `--json` promises."""
    from trtlab.cli.build import diagnosis_json
    from trtlab.support.report import node_row

    refused = {tensor.name: tensor for tensor in report.tensors}
    inputs = [
        {
            "name": item.name, "dtype": item.dtype, "shape": item.shape, "status": "unsupported" if item.name in refused else "supported",
            "reason": refused[item.name].diagnosis.why if item.name in refused else "",
        }
        for item in report.model.inputs
    ]  # fmt: skip
    return {
        "schema": SCHEMA,
        "supported": report.supported,
        "depth": report.depth,
        "headline": report.headline,
        "opset": report.model.opset,
        "ir_version": report.model.ir_version,
        "flavour": report.installation.flavour,
        "version": report.installation.version,
        "counts": report.counts,
        "nodes": [node_row(verdict) for verdict in report.nodes],
        "inputs": inputs,
        "tensors": [
            {"name": item.name, "kind": item.kind, "dtype": item.dtype, "shape": item.shape, "diagnosis": diagnosis_json(item.diagnosis)}
            for item in report.tensors
        ],
        "findings": [finding.to_dict() for finding in report.findings],
        "diagnoses": [diagnosis_json(diagnosis) for diagnosis in report.diagnoses],
        "partition": {
            "parts": [part.to_dict() for part in report.partition.parts],
            "node_fraction": report.partition.node_fraction, "operation_fraction": report.partition.operation_fraction,
        },
        "model": report.model.to_dict(),
        "seconds": report.seconds,
    }  # fmt: skip


class _Terminal:
    """Shows on standard error what a check does now."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._status: Status | None = None

    def __enter__(self) -> _Terminal:
        if not self._is_quiet:
            from rich.console import Console

            self._status = Console(stderr=True).status("checking")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, progress: SurveyProgress) -> None:
        """Show a progress."""
        from rich.text import Text

        if self._status is not None:
            self._status.update(Text(str(progress)))


def _print_report(report: SupportReport, *, rows: int | None) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    icon, style = ("✓", "bold green") if report.supported else ("✕", "bold red")
    console.print(Text(printable(f"{icon} {report.headline}"), style=style))
    shown = report.problems[:rows]
    if shown:
        _print_problems(console, shown)
    if len(report.problems) > len(shown):
        console.print(Text(f"... and {len(report.problems) - len(shown)} more (--all lists them)"))
    for tensor in report.tensors:
        _print_diagnosis(console, f"{tensor.kind} '{shorten_middle(tensor.name, _LONGEST_NAME)}'", tensor.diagnosis)
    for diagnosis in report.diagnoses:
        _print_diagnosis(console, diagnosis.title, diagnosis)
    _print_remedies(console, report)
    for finding in report.findings:
        _print_finding(console, finding)
    if report.partition.nodes and not report.supported:
        console.print(Text(report.partition.text, style="dim"))


def _print_problems(console: Console, verdicts: Sequence[NodeVerdict]) -> None:
    """Print a table: number, status, operator and name of each node, and under them the reason, which needs the width."""
    from rich.padding import Padding
    from rich.text import Text

    operators = [_operator(verdict) for verdict in verdicts]
    width = min(max(map(len, ["operator", *operators])), _LONGEST_OPERATOR)
    console.print(Text(f"{'node':>6}  {'':12}  {'operator':{width}}  name", style="dim"))
    for verdict, operator in zip(verdicts, operators, strict=True):
        icon, word, style = _STATUS[verdict.status]
        name = shorten_middle(verdict.node.name or f"#{verdict.node.index}", _LONGEST_NAME)
        where = f"  in {shorten_middle(verdict.node.scope, _LONGEST_NAME)}" if verdict.node.scope else ""
        # Text objects, never markup: names of a model could hold rich's own tags.
        line = Text(f"{verdict.number:>6}  ").append(f"{icon} {word:10}", style=style)
        line.append(printable(f"  {shorten_middle(operator, width):{width}}  {name}")).append(
            printable(where), style="dim"
        )
        console.print(line)
        console.print(Padding(Text(printable(" ".join(verdict.reason.split()))), (0, 0, 0, 8), expand=False))


def _print_releases(releases: ReleaseTable) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("", *(str(column.release) for column in releases.columns)):
        table.add_column(title, overflow="fold")
    for row in releases.rows:
        cells = (Text(*_ANSWERS[cell.verdict]) for cell in row.cells)
        table.add_row(Text(printable(row.name)), *cells)
    console.print(table)
    console.print(Text(releases.note, style="dim"))


def _operator(verdict: NodeVerdict) -> str:
    node = verdict.node
    return f"{node.domain}.{node.op_type}" if node.domain else node.op_type


def _print_diagnosis(console: Console, what: str, diagnosis: Diagnosis) -> None:
    from rich.text import Text

    console.print(
        Text(f"✕ {printable(what)}: ", style="bold red").append(
            printable(diagnosis.why or diagnosis.title), style="not bold default"
        )
    )
    if diagnosis.remedies:
        console.print(Text(f"    Do this: {printable(diagnosis.remedies[0].text)}"))


def _print_remedies(console: Console, report: SupportReport) -> None:
    """Print what to do about each kind of refusal, once."""
    from rich.text import Text

    seen: dict[str, list[int]] = {}
    for verdict in report.unsupported:
        if verdict.remedies:
            seen.setdefault(verdict.remedies[0].text, []).append(verdict.number)
    for text, numbers in list(seen.items())[:_ROWS]:
        few = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")  # noqa: PLR2004
        console.print(Text(f"Do this (node {few}): ", style="bold").append(printable(text), style="not bold"))


def _print_finding(console: Console, finding: Finding) -> None:
    from rich.text import Text

    icon, style = _SEVERITY[finding.severity]
    console.print(Text(f"{icon} ", style=style).append(printable(finding.text), style="default"))
