"""Compare trtlab's build with the same build in plain TensorRT Python.

Both sides run in child processes of this program, side by side in one run: same flavour (TensorRT-RTX), same model, same
shape profile, profiling verbosity DETAILED, both write the engine file. trtlab has its cache off, keeps the verbose log and
does all of its seven steps. Builds of the two sides take turns, so that noise of the machine hits both alike.

* warm: a process that has built this model before, on both sides. trtlab may take 0.05 s and 5 % more.
* cold: a new process on both sides. The plain side's time begins after `import tensorrt_rtx`, trtlab's after
  `import trtlab`, so that starting the worker and its imports count against trtlab. It may take 0.5 s and 5 % more.

Each goal is judged by the medians. Processor times (of all of trtlab's processes together) are given beside them: on a
busy machine they say more than wall times, but they count work that runs beside the build on another core.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark_models import MODELS, BenchmarkModel
from machine import machine_line

RATIO_GOAL = 1.05
EXTRA_SECONDS = {"warm": 0.05, "cold": 0.5}
_FOLDER = Path(__file__).resolve().parent
_SIDES = {"plain": _FOLDER / "plain_side.py", "trtlab": _FOLDER / "trtlab_side.py"}


class Side:
    """A child process that builds when it is told to."""

    def __init__(self, side: str, model: BenchmarkModel, folder: Path) -> None:
        engine = folder / f"{side}-{model.name}.engine"
        job = {"model": str(model.file(folder)), "engine": str(engine), "shapes": model.shapes}
        self._process = subprocess.Popen(
            [sys.executable, str(_SIDES[side]), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            text=True,
        )
        self._answer()  # "ready": what it imports is not timed

    def build(self) -> dict[str, Any]:
        """Build once and return what the child measured."""
        assert self._process.stdin is not None
        self._process.stdin.write("build\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._answer())
        return answer

    def close(self) -> None:
        """End the child."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"The benchmark's child process ended with exit code {self._process.wait()}.")
        return line


@dataclass(frozen=True)
class Comparison:
    """One model, warm or cold: medians of both sides, in seconds, and how trtlab stands to its goal."""

    model: str
    state: str
    plain: float
    trtlab: float
    plain_fastest: float
    trtlab_fastest: float
    plain_processor: float
    trtlab_processor: float
    allowed: float
    ratio: float
    passed: bool
    plain_steps: dict[str, float]
    trtlab_steps: dict[str, float]
    log_messages: int
    same_engine_size: bool


def compare(model: str, state: str, plain: list[dict[str, Any]], trtlab: list[dict[str, Any]]) -> Comparison:
    """Return the comparison of what both sides measured in each round."""
    plain_seconds, trtlab_seconds = _median(plain, "seconds"), _median(trtlab, "seconds")
    allowed = RATIO_GOAL * plain_seconds + EXTRA_SECONDS[state]
    return Comparison(
        model=model,
        state=state,
        plain=plain_seconds,
        trtlab=trtlab_seconds,
        plain_fastest=min(sample["seconds"] for sample in plain),
        trtlab_fastest=min(sample["seconds"] for sample in trtlab),
        plain_processor=_median(plain, "processor_seconds"),
        trtlab_processor=_median(trtlab, "processor_seconds"),
        allowed=allowed,
        ratio=trtlab_seconds / plain_seconds,
        passed=trtlab_seconds <= allowed,
        plain_steps=_median_steps(plain),
        trtlab_steps=_median_steps(trtlab),
        log_messages=trtlab[-1]["log_messages"],
        same_engine_size=plain[-1]["engine_bytes"] == trtlab[-1]["engine_bytes"],
    )


def _median(samples: list[dict[str, Any]], key: str) -> float:
    return float(statistics.median(sample[key] for sample in samples))


def _median_steps(samples: list[dict[str, Any]]) -> dict[str, float]:
    return {step: statistics.median(sample["steps"][step] for sample in samples) for step in samples[0]["steps"]}


def measure(model: BenchmarkModel, folder: Path, rounds: int, states: list[str]) -> list[Comparison]:
    """Build `rounds` times on each side and in each state, taking turns; the side that begins changes each round."""
    samples: dict[tuple[str, str], list[dict[str, Any]]] = {(state, side): [] for state in states for side in _SIDES}
    warm = {side: Side(side, model, folder) for side in _SIDES} if "warm" in states else {}
    for side in warm.values():
        side.build()  # the first build of each process is not warm
    for number in range(rounds):
        for name in sorted(_SIDES, reverse=number % 2 == 1):
            if "warm" in states:
                samples["warm", name].append(warm[name].build())
        for name in sorted(_SIDES, reverse=number % 2 == 0):
            if "cold" in states:
                cold = Side(name, model, folder)
                samples["cold", name].append(cold.build())
                cold.close()
    for side in warm.values():
        side.close()
    return [compare(model.name, state, samples[state, "plain"], samples[state, "trtlab"]) for state in states]


def show(result: Comparison) -> None:
    """Print one comparison and where its time goes."""
    verdict = "met" if result.passed else f"MISSED by {result.trtlab - result.allowed:.3f} s"
    print(
        f"{MODELS[result.model].title:30} {result.state:5} {result.plain:8.3f} {result.trtlab:8.3f} {result.ratio:6.3f} "
        f"{result.allowed:8.3f}  {verdict:18} {result.plain_fastest:8.3f} {result.trtlab_fastest:8.3f} "
        f"{result.plain_processor:8.3f} {result.trtlab_processor:8.3f}"
    )
    for side, steps in (("plain", result.plain_steps), ("trtlab", result.trtlab_steps)):
        print(f"    {side:7}" + "  ".join(f"{step} {seconds:.3f}" for step, seconds in steps.items()))
    size = "" if result.same_engine_size else "; the engines differ in size"
    print(f"    {result.log_messages} log messages kept by trtlab{size}", flush=True)


def main() -> None:
    """Measure, print a table or JSON, and exit with 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="builds of each kind (default: 5)")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), help="which models")
    parser.add_argument("--states", nargs="+", choices=["warm", "cold"], default=["warm", "cold"])
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    arguments = parser.parse_args()
    results = []
    if not arguments.json:
        print(machine_line())
        print(
            f"{'seconds (median)':30} {'':5} {'plain':>8} {'trtlab':>8} {'ratio':>6} {'allowed':>8}  {'goal':18} "
            f"{'plain':>8} {'trtlab':>8} {'plain':>8} {'trtlab':>8}\n{'':89} {'fastest':>17} {'processor':>17}"
        )
    with tempfile.TemporaryDirectory(prefix="trtlab-benchmark-") as folder:
        for name in arguments.models:
            for result in measure(MODELS[name], Path(folder), arguments.rounds, arguments.states):
                results.append(result)
                if not arguments.json:
                    show(result)
    if arguments.json:
        document = {"machine": machine_line(), "rounds": arguments.rounds, "results": [asdict(r) for r in results]}
        print(json.dumps(document, indent=2))
    sys.exit(0 if all(result.passed for result in results) else 1)


if __name__ == "__main__":
    main()
