"""Compare trtlab's build with the same build in plain TensorRT Python.

Both sides run in child processes of this program, side by side in one run: same flavour (TensorRT-RTX), same model, same
shape profile, profiling verbosity DETAILED, both write the engine to a new file. trtlab has its cache off, keeps the verbose
log and does all of its seven steps. Builds of the two sides take turns, so that noise of the machine hits both alike.

* warm: a process that has built this model before, on both sides. trtlab may take 0.05 s and 5 % more.
* cold: a new process on both sides. The plain side's time begins after `import tensorrt_rtx`, trtlab's after
  `import trtlab`, so that starting the worker and its imports count against trtlab. It may take 0.5 s and 5 % more.

The goal is judged by the fastest build of each side: what else goes on in the machine and in its host (whose processors run
at half speed at times, for seconds on end) only adds to a time, and with some rounds each side meets its good moments. The
medians are shown beside it. A pair of builds counts as quiet if everything else on the machine used less than a fifth of one
core meanwhile (by /proc/stat). Only quiet pairs are judged where there are three or more, and rounds go on, up to three times
as many, until there are enough. Processor times (of all of trtlab's processes together) count work beside the build too.
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
from machine import QUIET_CORES, busy_seconds, machine_line

RATIO_GOAL = 1.05
EXTRA_SECONDS = {"warm": 0.05, "cold": 0.5}
_FEWEST_QUIET = 3
_MOST_ROUNDS_FACTOR = 3
_FOLDER = Path(__file__).resolve().parent
_SIDES = {"plain": _FOLDER / "plain_side.py", "trtlab": _FOLDER / "trtlab_side.py"}


class Side:
    """A child process that builds when it is told to."""

    def __init__(self, side: str, model: BenchmarkModel, folder: Path) -> None:
        self._engine = folder / f"{side}-{model.name}.engine"
        job = {"model": str(model.file(folder)), "engine": str(self._engine), "shapes": model.shapes}
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
        self._engine.unlink(missing_ok=True)
        busy = busy_seconds()
        self._process.stdin.write("build\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._answer())
        others = busy_seconds() - busy - answer["processor_seconds"]
        answer["quiet"] = others < QUIET_CORES * answer["seconds"]
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
    """One model, warm or cold, in seconds. Medians, if the name does not say otherwise.

    Attributes:
        model: Name of the model.
        state: `warm` or `cold`.
        plain: The plain side.
        trtlab: trtlab's side.
        plain_fastest: The fastest plain build.
        trtlab_fastest: trtlab's fastest build.
        plain_processor: Processor time of the plain side.
        trtlab_processor: Processor time of trtlab's processes together.
        over: By how much trtlab's fastest build is over what it may take beside the fastest plain one; below 0 the goal is met.
        over_by_medians: The same for the medians.
        pairs: Pairs that were judged.
        quiet_pairs: Pairs that were quiet.
        plain_steps: Seconds of each part of the plain program.
        trtlab_steps: Seconds of each step of trtlab.
        log_messages: Messages that trtlab kept.
        same_engine_size: Whether both sides' engines have the same size.
    """

    model: str
    state: str
    plain: float
    trtlab: float
    plain_fastest: float
    trtlab_fastest: float
    plain_processor: float
    trtlab_processor: float
    over: float
    over_by_medians: float
    pairs: int
    quiet_pairs: int
    plain_steps: dict[str, float]
    trtlab_steps: dict[str, float]
    log_messages: int
    same_engine_size: bool


Sample = dict[str, Any]
Pair = tuple[Sample, Sample]


def compare(model: str, state: str, taken: list[Pair]) -> Comparison:
    """Return the comparison of the pairs that both sides measured."""
    quiet = quiet_pairs(taken)
    pairs = quiet if len(quiet) >= _FEWEST_QUIET else taken
    plain, trtlab = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    medians = _median(plain, "seconds"), _median(trtlab, "seconds")
    fastest = min(sample["seconds"] for sample in plain), min(sample["seconds"] for sample in trtlab)
    return Comparison(
        model=model,
        state=state,
        plain=medians[0],
        trtlab=medians[1],
        plain_fastest=fastest[0],
        trtlab_fastest=fastest[1],
        plain_processor=_median(plain, "processor_seconds"),
        trtlab_processor=_median(trtlab, "processor_seconds"),
        over=fastest[1] - allowed_seconds(fastest[0], state),
        over_by_medians=medians[1] - allowed_seconds(medians[0], state),
        pairs=len(pairs),
        quiet_pairs=len(quiet),
        plain_steps=_median_steps(plain),
        trtlab_steps=_median_steps(trtlab),
        log_messages=trtlab[-1]["log_messages"],
        same_engine_size=plain[-1]["engine_bytes"] == trtlab[-1]["engine_bytes"],
    )


def allowed_seconds(plain: float, state: str) -> float:
    """Return how long trtlab may take where the plain side takes `plain`."""
    return RATIO_GOAL * plain + EXTRA_SECONDS[state]


def quiet_pairs(pairs: list[Pair]) -> list[Pair]:
    """Return the pairs during which nothing else went on."""
    return [pair for pair in pairs if pair[0]["quiet"] and pair[1]["quiet"]]


def _median(samples: list[Sample], key: str) -> float:
    return float(statistics.median(sample[key] for sample in samples))


def _median_steps(samples: list[Sample]) -> dict[str, float]:
    return {step: statistics.median(sample["steps"][step] for sample in samples) for step in samples[0]["steps"]}


def measure(model: BenchmarkModel, folder: Path, rounds: int, states: list[str]) -> list[Comparison]:
    """Build `rounds` pairs in each state; the side that begins changes each round. Goes on for quiet pairs."""
    pairs: dict[str, list[Pair]] = {state: [] for state in states}
    warm = {side: Side(side, model, folder) for side in _SIDES} if "warm" in states else {}
    for side in warm.values():
        side.build()  # the first build of each process is not warm
    for number in range(_MOST_ROUNDS_FACTOR * rounds):
        if number >= rounds and all(len(quiet_pairs(taken)) >= rounds for taken in pairs.values()):
            break
        order = sorted(_SIDES, reverse=number % 2 == 1)
        for state in states:
            samples = {
                name: warm[name].build() if state == "warm" else _build_cold(name, model, folder) for name in order
            }
            pairs[state].append((samples["plain"], samples["trtlab"]))
    for side in warm.values():
        side.close()
    return [compare(model.name, state, taken) for state, taken in pairs.items()]


def _build_cold(name: str, model: BenchmarkModel, folder: Path) -> Sample:
    side = Side(name, model, folder)
    sample = side.build()
    side.close()
    return sample


def show(result: Comparison) -> None:
    """Print one comparison and where its time goes."""
    size = "" if result.same_engine_size else ", engines of different size"
    print(
        f"{MODELS[result.model].title}, {result.state}: {_verdict(result.over)} (by medians: "
        f"{_verdict(result.over_by_medians)}); ratio {result.trtlab_fastest / result.plain_fastest:.3f}, {result.pairs} pairs "
        f"judged, {result.quiet_pairs} quiet, {result.log_messages} log messages{size}"
    )
    for side, seconds, fastest, processor, steps in (
        ("plain", result.plain, result.plain_fastest, result.plain_processor, result.plain_steps),
        ("trtlab", result.trtlab, result.trtlab_fastest, result.trtlab_processor, result.trtlab_steps),
    ):
        print(f"    {side:7} fastest {fastest:7.3f}  median {seconds:7.3f}  processor {processor:7.3f}  ", end="")
        print("  ".join(f"{step} {part:.3f}" for step, part in steps.items()), flush=True)


def _verdict(over: float) -> str:
    return f"met, {-over:.3f} s under" if over <= 0 else f"MISSED by {over:.3f} s"


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
    with tempfile.TemporaryDirectory(prefix="trtlab-benchmark-") as folder:
        for name in arguments.models:
            for result in measure(MODELS[name], Path(folder), arguments.rounds, arguments.states):
                results.append(result)
                if not arguments.json:
                    show(result)
    if arguments.json:
        document = {"machine": machine_line(), "rounds": arguments.rounds, "results": [asdict(r) for r in results]}
        print(json.dumps(document, indent=2))
    sys.exit(0 if all(result.over <= 0 for result in results) else 1)


if __name__ == "__main__":
    main()
