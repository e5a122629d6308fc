"""`trtlab build`: build an engine, with progress on the terminal."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from trtlab.build.progress import Progress
    from trtlab.build.report import BuildReport
    from trtlab.build.steps import StepName, StepRecord
    from trtlab.explain.diagnosis import Diagnosis
    from trtlab.worker import LogRecord

SCHEMA = "trtlab.build/1"
_STYLES = {"done": "green", "failed": "bold red", "cancelled": "yellow", "skipped": "dim"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `build` command."""
    parser = subparsers.add_parser(
        "build",
        help="build a TensorRT engine from an ONNX model, step by step",
        description="Build a TensorRT engine from an ONNX model: load, check, parse, configure, build, save, inspect.",
        epilog="Exit codes: 0 built; 1 the model or TensorRT has a problem that was reported; 2 wrong usage or unreadable input; "
        "3 something needed is missing here.",
    )
    parser.add_argument("model", metavar="MODEL", help="the ONNX file")
    parser.add_argument(
        "-o", "--output", metavar="ENGINE", help="where the engine goes; without it, only into the cache"
    )
    parser.add_argument(
        "--shapes", metavar="SHAPES", nargs="+", action="extend", default=[],
        help="shapes of dynamic inputs, one for each input: x:1x3x8x8 (fixed) or x:1x3x8x8,4x3x8x8,16x3x8x8 (min,opt,max); "
        "'propose' takes a guess from the dimensions' names",
    )  # fmt: skip
    parser.add_argument(
        "--flavour", choices=("tensorrt", "tensorrt_rtx"), help="which TensorRT; default: what can build here"
    )
    parser.add_argument(
        "--target", metavar="SM", action="append", default=[], help="GPU to build for, such as sm86; can be repeated"
    )
    parser.add_argument("--workspace", metavar="SIZE", help="most scratch memory of a layer, such as 1GiB")
    parser.add_argument("--optimization-level", type=int, metavar="0..5", help="0 builds fastest, 5 searches longest")
    parser.add_argument(
        "--precision",
        metavar="NAME",
        action="append",
        default=[],
        help="fp16, bf16, int8 or fp8, where the flavour has them",
    )
    parser.add_argument(
        "--strongly-typed", action="store_true", help="take every precision from the model, where there is a choice"
    )
    parser.add_argument("--no-tf32", action="store_true", help="keep FP32 products exact")
    parser.add_argument("--timing-cache", metavar="FILE", help="timing cache to read and write back")
    parser.add_argument("--version-compatible", action="store_true", help="an engine that newer releases can load")
    parser.add_argument(
        "--hardware-compatibility", choices=("none", "ampere_plus", "same_compute_capability"), default="none"
    )
    parser.add_argument("--memory-limit", metavar="SIZE", help="most memory of the building process, such as 8GiB")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="longest time of one step")
    parser.add_argument("--no-cache", action="store_true", help="build even if nothing changed since an earlier build")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the output even if it is newer than this build or no engine"
    )
    parser.add_argument(
        "--script", action="store_true", help="print the same build in plain Python instead of the report"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="TensorRT's warnings on standard error; -vv: everything"
    )


def run(arguments: argparse.Namespace) -> int:
    """Build, and report to the terminal or as JSON. Returns the exit code."""
    from trtlab._errors import EXIT_OK, BuildError
    from trtlab.build.api import build

    plan, shapes, limits = _plan(arguments)
    listener = _Terminal(verbosity=arguments.verbose)
    try:
        with listener:
            report = build(
                arguments.model, shapes=shapes, plan=plan, output=arguments.output, flavour=arguments.flavour,
                cache=not arguments.no_cache, overwrite=arguments.overwrite, limits=limits, listener=listener,
            )  # fmt: skip
    except BuildError as error:
        report = error.report
    if arguments.json:
        sys.stdout.write(json.dumps(to_json(report), ensure_ascii=False) + "\n")
    elif report.ok and arguments.script:
        sys.stdout.write(report.script())
    else:
        _print_report(report)
    return EXIT_OK if report.ok else exit_code(report.diagnoses)


def _plan(arguments: argparse.Namespace) -> tuple[Any, Any, Any]:
    from trtlab.build.plan import BuildPlan, ShapeProfile, parse_bytes, parse_shapes
    from trtlab.worker import WorkerLimits

    shapes: Any = None
    profiles: tuple[ShapeProfile, ...] = ()
    if arguments.shapes == ["propose"]:
        shapes = "propose"
    elif arguments.shapes:
        profiles = (ShapeProfile(dict(parse_shapes(text) for text in arguments.shapes)),)
    workspace = parse_bytes(arguments.workspace or "")
    plan = BuildPlan(
        profiles=profiles,
        targets=tuple(target.lower() for target in arguments.target),
        memory_limits={} if workspace is None else {"workspace": workspace},
        optimization_level=arguments.optimization_level,
        precision=tuple(name.lower() for name in arguments.precision),
        strongly_typed=arguments.strongly_typed,
        tf32=False if arguments.no_tf32 else None,
        timing_cache=arguments.timing_cache,
        version_compatible=arguments.version_compatible,
        hardware_compatibility=arguments.hardware_compatibility,
    )
    limits = WorkerLimits(memory_bytes=parse_bytes(arguments.memory_limit or ""), seconds=arguments.time_limit)
    return plan, shapes, limits


def exit_code(diagnoses: Sequence[Diagnosis]) -> int:
    """Return the exit code that the first diagnosis of a failed build calls for."""
    from trtlab._errors import EXIT_MISSING, EXIT_PROBLEM, EXIT_USAGE

    first = diagnoses[0] if diagnoses else None
    if first is None:
        return EXIT_PROBLEM
    if first.id in ("env.library_missing", "env.no_gpu"):
        return EXIT_MISSING
    # The file, the plan, or where to save: what was given on the command line.
    if first.place.step == "load" and first.id == "parse.invalid_model":
        return EXIT_USAGE
    return EXIT_USAGE if first.place.step == "configure" or first.id.startswith("file.") else EXIT_PROBLEM


def to_json(report: BuildReport) -> dict[str, Any]:
    """Return the report in the form that the command's `--json` promises."""
    memory = report.memory
    return {
        "schema": SCHEMA,
        "ok": report.ok,
        "steps": [
            {"name": step.name, "state": step.state, "seconds": step.seconds, "line": step.line, "from_cache": step.from_cache}
            for step in report.steps
        ],
        "engine": {"path": report.engine.path, "bytes": report.engine.bytes, "sha256": report.engine.sha256} if report.engine else None,
        "memory": {
            "activation_bytes": memory.activation_bytes, "weights_bytes": memory.weights_bytes, "scratch_bytes": memory.scratch_bytes,
            "device_persistent_bytes": memory.device_persistent_bytes, "host_persistent_bytes": memory.host_persistent_bytes,
            "source": memory.source,
        } if memory else None,
        "layers": [layer.to_dict() for layer in report.layers],
        "layers_source": report.layers_source,
        "diagnoses": [diagnosis_json(diagnosis) for diagnosis in report.diagnoses],
        "findings": [finding.to_dict() for finding in report.findings],
        "warnings": [group.to_dict() for group in report.warnings],
        "model": report.model.to_dict() if report.model else None,
        "plan": report.plan.to_dict(),
        "flavour": report.installation.flavour if report.installation else None,
        "version": report.installation.version if report.installation else None,
        "from_cache": report.from_cache,
        "date": report.date,
    }  # fmt: skip


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return one diagnosis with the keys that every command's JSON uses."""
    return {
        "id": diagnosis.id, "title": diagnosis.title, "severity": diagnosis.severity, "root": diagnosis.root, "lines": None,
        "tensorrt_code": diagnosis.tensorrt_code, "meaning": diagnosis.meaning, "why": diagnosis.why, "place": diagnosis.place.to_dict(),
        "causes": [cause.to_dict() for cause in diagnosis.causes], "remedies": [remedy.to_dict() for remedy in diagnosis.remedies],
        "references": list(diagnosis.references), "original": diagnosis.original, "sure": diagnosis.sure,
    }  # fmt: skip


class _Terminal:
    """Shows a build on standard error: a line a step, and what TensorRT is doing meanwhile."""

    def __init__(self, *, verbosity: int) -> None:
        from rich.console import Console

        self._console: Console = Console(stderr=True, highlight=False)
        self._verbosity = verbosity
        self._status: Status | None = None
        self._started = 0.0

    def __enter__(self) -> _Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def step_changed(self, record: StepRecord) -> None:
        from rich.text import Text

        from trtlab._format import format_seconds

        if record.state == "running":
            self._started = time.monotonic()
            self._status = self._console.status(Text(record.name))
            self._status.start()
        elif record.state != "waiting":
            self._stop()
            seconds = format_seconds(record.seconds) if record.seconds is not None else ""
            # Text objects, never markup: names of a model could hold rich's own tags.
            line = Text(f"{record.icon} {record.name:<10}", style=_STYLES.get(record.state, ""))
            line.append(f"{seconds:>10}  ", style="dim").append(record.line, style="default")
            self._console.print(line)

    def logged(self, step: StepName, record: LogRecord) -> None:
        del step
        from rich.text import Text

        wanted = (
            record.severity in ("error", "internal_error", "warning") if self._verbosity == 1 else self._verbosity > 1
        )
        if wanted:
            self._console.print(Text(f"  [{record.severity}] {record.message}", style="dim"))

    def progressed(self, progress: Progress) -> None:
        from rich.text import Text

        from trtlab._format import format_seconds

        if self._status is not None:
            elapsed = format_seconds(time.monotonic() - self._started)
            self._status.update(Text(f"{progress.step}  {elapsed}  {progress.phase_text}"))

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _print_report(report: BuildReport) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(repr(report)))
    for diagnosis in report.diagnoses[1:]:
        console.print(Text(repr(diagnosis)))
