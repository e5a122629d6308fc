"""How many faulty nodes a check finds, and what it costs, beside the parser alone, Polygraphy and trtcheck.

Run: `cd benchmarks && python survey.py --write`. trtcheck is no dependency of trtlab; `--trtcheck FOLDER` names where it was installed
(`python -m pip install --target FOLDER trtcheck==1.1.0`). Writes `survey.md` with `--write`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import machine_line
from survey_models import good_models, with_faults

from tests.support.joined_models import joined_model
from trtlab.support.session import SurveySession
from trtlab.worker import WorkerPool

REPORT = Path(__file__).with_suffix(".md")
JOINED, MOST_FAULTS = 200, 20
# The parser, and the parser and builder, in plain TensorRT Python: seconds, and the names of the nodes in the parser's errors.
PLAIN = """
    import json, sys, time
    began = time.perf_counter()
    import tensorrt_rtx as trt
    class Quiet(trt.ILogger):
        def __init__(self): trt.ILogger.__init__(self)
        def log(self, severity, message): pass
    logger = Quiet()
    def once(content, builds):
        builder = trt.Builder(logger); network = builder.create_network(0); parser = trt.OnnxParser(network, logger)
        started = time.perf_counter(); ok = parser.parse(content); parsed = time.perf_counter() - started
        names = [parser.get_error(n).node_name() for n in range(parser.num_errors)]
        built = None
        if ok and builds:
            config = builder.create_builder_config(); profile = builder.create_optimization_profile()
            dynamic = [network.get_input(n) for n in range(network.num_inputs)]
            dynamic = [item for item in dynamic if -1 in tuple(item.shape)]
            for item in dynamic:
                shape = [4 if size < 0 else size for size in item.shape]
                profile.set_shape(item.name, [1 if s < 0 else s for s in item.shape], shape, [8 if s < 0 else s for s in item.shape])
            if dynamic: config.add_optimization_profile(profile)
            started = time.perf_counter(); built = builder.build_serialized_network(network, config) is not None
            built = (built, time.perf_counter() - started)
        del parser, network, builder
        return ok, parsed, names, built
    for line in sys.stdin:
        path, builds = json.loads(line)
        print(json.dumps(once(open(path, "rb").read(), builds)), flush=True)
"""


class PlainTensorRt:
    """Plain TensorRT in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PLAIN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def ask(self, path: Path, *, builds: bool = False) -> tuple[bool, float, list[str], Any]:
        """Return whether the parser takes it, its seconds, the names in its errors, and of a build whether and how long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(path), builds]) + "\n")
        self._process.stdin.flush()
        ok, seconds, names, built = json.loads(self._process.stdout.readline())
        return ok, seconds, names, built

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


# Accuracy


def accuracy(count: int, *, builder: bool, tools: dict[str, Callable[[Path], set[str]]]) -> dict[str, Counter[str]]:
    """Return for each tool how many faulty nodes it found, how many good ones it accused, and the models it had all right."""
    found: dict[str, Counter[str]] = {name: Counter() for name in tools}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "joined.onnx"
        for seed in range(count):
            model, made = joined_model(seed, 1 + seed % MOST_FAULTS, with_builder_faults=builder)
            path.write_bytes(model.SerializeToString())
            nodes = sum(1 for _ in made.nodes)
            for name, tool in tools.items():
                accused = tool(path)
                counts = found[name]
                counts["faulty"] += len(made.faulty)
                counts["good"] += nodes - len(made.faulty)
                counts["found"] += len(accused & made.faulty)
                counts["accused"] += len(accused - made.faulty)
                counts["right"] += accused == made.faulty
    return found


def by_trtlab(depth: Any) -> Callable[[Path], set[str]]:  # noqa: ANN401 - `quick` or `full`
    """Return what trtlab refuses."""

    def tool(path: Path) -> set[str]:
        with SurveySession(path) as session:
            return {verdict.node.name for verdict in session.check(depth=depth).unsupported}

    return tool


def by_polygraphy(path: Path) -> set[str]:
    """Return what `polygraphy inspect capability` lists."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["polygraphy", "inspect", "capability", str(path)], capture_output=True, text=True, check=False, cwd=folder,
            env={**os.environ, "POLYGRAPHY_USE_TENSORRT_RTX": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        listing = Path(folder) / "polygraphy_capability_dumps" / "results.txt"
        text = listing.read_text() if listing.exists() else done.stdout
    return set(re.findall(r"^\s*\S+\s*\|.*?\|\s*(\S+)\s*$", text, re.MULTILINE)) | set(
        re.findall(r"In node \d+ with name: (\S+)", text)
    )


def by_trtcheck(folder: str, *, with_doubts: bool) -> Callable[[Path], set[str]]:
    """Return the nodes that trtcheck calls critical and, with doubts, also those that it wants to be verified at run time."""

    def tool(path: Path) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-m", "trtcheck", str(path), "--format", "json"], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": folder},
        )  # fmt: skip
        issues = json.loads(done.stdout)["issues"]
        return {
            issue["node_name"]
            for issue in issues
            if issue["node_name"] and (issue["severity"] == "critical" or (with_doubts and issue["verify_required"]))
        }

    return tool


# Time


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def check_seconds(path: Path, depth: Any, pool: WorkerPool) -> tuple[float, Any]:  # noqa: ANN401
    """Return how long a check takes, from the path to the report, and the report."""
    began = time.perf_counter()
    with SurveySession(path, pool=pool) as session:
        report = session.check(depth=depth)
    return time.perf_counter() - began, report


def times(path: Path, rounds: int, *, builds: bool, polygraphy: bool) -> dict[str, Any]:
    """Return the fastest of some rounds, in which the sides take turns."""
    found: dict[str, list[float]] = {
        name: [] for name in ("plain", "build", "start", "survey", "warm", "cold", "full", "polygraphy")
    }
    plain, warm = PlainTensorRt(), WorkerPool()
    check_seconds(path, "quick", warm)
    for _ in range(rounds):
        _, seconds, _, built = plain.ask(path, builds=builds)
        found["plain"].append(seconds)
        if built:
            found["build"].append(built[1])
        found["start"].append(new_worker_seconds())
        seconds, report = check_seconds(path, "quick", warm)
        found["warm"].append(seconds)
        found["survey"].append(report.survey_seconds)
        cold = WorkerPool()
        found["cold"].append(check_seconds(path, "quick", cold)[0])
        cold.close()
        if builds:
            found["full"].append(check_seconds(path, "full", warm)[0])
        if polygraphy:
            found["polygraphy"].append(seconds_of(lambda: by_polygraphy(path)))
    report = check_seconds(path, "quick", warm)[1]
    plain.close()
    warm.close()
    return {name: min(values) for name, values in found.items() if values} | {
        "medians": {name: statistics.median(values) for name, values in found.items() if values},
        "refused": len(report.unsupported), "passes": report.passes,
    }  # fmt: skip


def new_worker_seconds() -> float:
    """Return how long a new worker takes until TensorRT is loaded in it."""
    pool = WorkerPool()
    began = time.perf_counter()
    worker = pool.acquire()
    worker.call("trtlab.engine.actions:describe_installation")
    seconds = time.perf_counter() - began
    worker.close()
    pool.close()
    return seconds


# The report


def accuracy_lines(title: str, found: dict[str, Counter[str]], count: int) -> list[str]:
    """Return a table."""
    lines = [
        f"### {title}",
        "",
        "| | faulty nodes found | good nodes accused | models all right |",
        "|---|---|---|---|",
    ]
    for name, counts in found.items():
        share = 100 * counts["found"] / max(1, counts["faulty"])
        lines.append(
            f"| {name} | {counts['found']} of {counts['faulty']} ({share:.1f} %) | {counts['accused']} | {counts['right']} of {count} |"
        )
    return [*lines, ""]


def time_line(name: str, found: dict[str, Any], goal: float) -> str:
    """Return one row: the warm check against the goal times one parse, the cold one against that with the start of a worker."""
    plain, start = found["plain"], found["start"]
    limit = goal * (plain + start)
    cells = [name, f"{plain:.3f}", f"{start:.3f}"]
    cells += [
        f"{seconds:.3f} ({'met' if seconds <= limit else f'**missed by {seconds - limit:.2f} s**'})"
        for seconds in (found["survey"], found["warm"], found["cold"])
    ]
    cells.append(f"{found['full']:.2f} ({found['full'] / (plain + found['build']):.2f} ×)" if "full" in found else "")
    cells.append(f"{found['polygraphy']:.2f}" if "polygraphy" in found else "")
    cells += [str(found["refused"]), str(found["passes"])]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure, print, and write with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=JOINED)
    parser.add_argument("--full-models", type=int, default=JOINED)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trtcheck", default="")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    lines = [INTRODUCTION, f"Measured: {machine_line()}.", "", "## Which nodes are refused", ""]
    plain = PlainTensorRt()
    peers: dict[str, Callable[[Path], set[str]]] = {
        "the parser alone": lambda path: set(plain.ask(path)[2]),
        "`polygraphy inspect capability`": by_polygraphy,
    }
    if arguments.trtcheck:
        peers["trtcheck 1.1.0, critical"] = by_trtcheck(arguments.trtcheck, with_doubts=False)
        peers["trtcheck 1.1.0, to be verified too"] = by_trtcheck(arguments.trtcheck, with_doubts=True)
    tools = {"trtlab, quick": by_trtlab("quick"), **peers}
    lines += accuracy_lines(
        "Faults that the parser refuses", accuracy(arguments.models, builder=False, tools=tools), arguments.models
    )
    tools = {"trtlab, full": by_trtlab("full"), "the parser alone": peers["the parser alone"]}
    lines += accuracy_lines(
        "Faults that the builder refuses among them",
        accuracy(arguments.full_models, builder=True, tools=tools),
        arguments.full_models,
    )
    plain.close()
    lines += TIME_HEAD
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        for name, model in good_models().items():
            path.write_bytes(model.SerializeToString())
            lines.append(
                time_line(
                    name, times(path, arguments.rounds, builds=len(model.graph.node) < 10_000, polygraphy=True), 1.3
                )
            )
            for title, only in (("20 faults, half of each kind", False), ("20 importer failures", True)):
                changed, _ = with_faults(model, MOST_FAULTS, importer_only=only)
                path.write_bytes(changed.SerializeToString())
                clean = Path(folder) / "clean.onnx"
                clean.write_bytes(model.SerializeToString())
                found = times(path, arguments.rounds, builds=False, polygraphy=not only)
                whole = PlainTensorRt()
                found["plain"] = min(whole.ask(clean)[1] for _ in range(arguments.rounds))
                whole.close()
                lines.append(time_line(f"&nbsp;&nbsp;with {title}", found, 3.0))
    lines += ["", f"Load at the end: {os.getloadavg()[0]:.1f}."]
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.write:
        REPORT.write_text(text, encoding="utf-8")


INTRODUCTION = """# What a check finds, and what it costs

`cd benchmarks && python survey.py --write` makes this page. Models of the first part are made by joining good and faulty nodes
at random, 1 to 20 faults each (`tests/support/joined_models.py`); which nodes are faulty is known by construction.
"""
TIME_HEAD = [
    "## Time", "",
    "Seconds, the fastest of the rounds, in which all sides take turns. *Parse*: one pass of the parser over the model without faults,",
    "in plain TensorRT Python with a logger that keeps nothing. *Start*: a new worker until TensorRT is loaded. Goal: a quick check",
    "within 1.3 times parse and start, with 20 faults within 3 times. *Survey*: what the parser was asked, in a warm worker; *check*:",
    "from the path to the report, with the look at the file (ONNX's checker, findings, evidence, partition). Full: against plain parse",
    "and build. Polygraphy as a process, its start included; it stops at the first importer failure.", "",
    "| model | parse | start | survey | check, warm | check, cold | full (of parse and build) | Polygraphy | refused | passes |",
    "|---|---|---|---|---|---|---|---|---|---|",
]  # fmt: skip

if __name__ == "__main__":
    main()
