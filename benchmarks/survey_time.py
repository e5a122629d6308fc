"""What checks cost beside plain TensorRT and Polygraphy: a part of `survey.py`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from survey_models import SAMPLE_MODELS, good_models, shapes_of, with_faults
from survey_side import Answer, Side

_FEWEST_QUIET, _MOST_ROUNDS_FACTOR = 3, 2
_FAULTS = 20
_GOAL_GOOD, _GOAL_FAULTY = 1.3, 3.0
_MOST_NODES_BUILT = 10_000
_TINY = SAMPLE_MODELS / "digits.onnx"
Round = dict[str, Answer]


class Case:
    """One model that is measured.

    Attributes:
        title: What the table calls it.
        path: Its file.
        clean: The same without faults: what one parse of it takes is what a survey of it is held against.
        goal: How many times one parse of that, and the start of a worker, a quick check may take.
        builds: Whether a full check is measured.
    """

    def __init__(self, title: str, path: Path, clean: Path, *, builds: bool) -> None:
        self.title, self.path, self.clean, self.builds = title, path, clean, builds
        self.goal = _GOAL_GOOD if path == clean else _GOAL_FAULTY


def make_cases(folder: Path) -> list[Case]:
    """Write the models and return what is measured."""
    cases = []
    for number, (name, model) in enumerate(good_models().items()):
        clean = folder / f"{number}.onnx"
        clean.write_bytes(model.SerializeToString())
        cases.append(Case(name, clean, clean, builds=len(model.graph.node) < _MOST_NODES_BUILT))
        for title, only in (("20 faults, half of each kind", False), ("20 importer failures", True)):
            path = folder / f"{number}_{only}.onnx"
            path.write_bytes(with_faults(model, _FAULTS, importer_only=only)[0].SerializeToString())
            cases.append(Case(f"&nbsp;&nbsp;{title}", path, clean, builds=False))
    return cases


class Bench:
    """The sides, which take turns."""

    def __init__(self, folder: Path, libraries: str) -> None:
        self._folder, self._libraries = folder, libraries
        self._plain, self._trtlab = Side("plain"), Side("trtlab")
        self._polygraphy = Side("polygraphy", libraries=libraries)

    def close(self) -> None:
        """End the sides."""
        for side in (self._plain, self._trtlab, self._polygraphy):
            side.close()

    def round(self, case: Case) -> Round:
        """Do everything once."""
        found = {
            "parse": self._plain.ask(path=case.clean),
            "start": self._trtlab.ask(start=str(_TINY)),
            "warm": self._trtlab.ask(path=case.path, depth="quick"),
            "cold": self._cold(case),
            "inside": self._polygraphy.ask(path=case.path, folder=self._folder / "inside"),
            "process": self._process(case),
        }
        if case.builds:
            found["build"] = self._plain.ask(path=case.path, shapes=shapes_of(case.path))
            found["full"] = self._trtlab.ask(path=case.path, depth="full", shapes=shapes_of(case.path))
        if any(answer is None for answer in found.values()):
            sys.exit(f"A side died at {case.title}.")
        return {name: answer for name, answer in found.items() if answer is not None}

    def _cold(self, case: Case) -> Answer | None:
        side = Side("trtlab")
        answer = side.ask(path=case.path, depth="quick")
        side.close()
        return answer

    def _process(self, case: Case) -> Answer:
        began = time.perf_counter()
        program = Path(sys.executable).parent / "polygraphy"
        command = [str(program), "inspect", "capability", str(case.path), "-o", str(self._folder / "process")]
        code = subprocess.run(
            ["env", "POLYGRAPHY_USE_TENSORRT_RTX=1", *command], capture_output=True, check=False
        ).returncode  # fmt: skip
        return {"seconds": time.perf_counter() - began, "quiet": True, "failed": str(code) if code else ""}


def measure(case: Case, bench: Bench, rounds: int) -> list[Round]:
    """Return the rounds that are judged: the quiet ones, if there are three; more are made, up to twice as many, to get them."""
    bench.round(case)  # nothing is warm before
    taken: list[Round] = []
    for number in range(_MOST_ROUNDS_FACTOR * rounds):
        if number >= rounds and len(_quiet(taken)) >= _FEWEST_QUIET:
            break
        taken.append(bench.round(case))
    quiet = _quiet(taken)
    return quiet if len(quiet) >= _FEWEST_QUIET else taken


def _quiet(rounds: list[Round]) -> list[Round]:
    return [item for item in rounds if all(answer["quiet"] for answer in item.values())]


def _fastest(rounds: list[Round], name: str, key: str = "seconds") -> float:
    return min(float(item[name][key]) for item in rounds)


def _median(rounds: list[Round], name: str, key: str = "seconds") -> float:
    return float(statistics.median(item[name][key] for item in rounds))


def row(case: Case, rounds: list[Round]) -> str:
    """Return one row of the table: fastest, and the verdicts by the fastest and by the medians."""
    last = rounds[-1]["warm"]
    cells = [case.title, f"{_fastest(rounds, 'parse', 'parse'):.3f}", f"{_fastest(rounds, 'start'):.3f}"]
    cells.append(f"{_fastest(rounds, 'start', 'with_onnx'):.3f}")
    for name, key in (("warm", "survey"), ("warm", "seconds"), ("cold", "seconds")):
        over = _verdict(case, rounds, name, key)
        ratio = "" if name == "cold" else f"{_fastest(rounds, name, key) / _fastest(rounds, 'parse', 'parse'):.1f} ×; "
        cells.append(f"{_fastest(rounds, name, key):.3f} ({ratio}{over})")
    cells += [f"{_fastest(rounds, 'inside'):.3f}", f"{_fastest(rounds, 'process'):.2f}"]
    cells += [str(last[name]) for name in ("refused", "unknown", "passes")]
    cells.append(f"{len(rounds)} ({len(_quiet(rounds))})")
    return "| " + " | ".join(cells) + " |"


def _verdict(case: Case, rounds: list[Round], name: str, key: str) -> str:
    """Return whether the goal is met: by the fastest, and where they say otherwise by the medians and by the wider reading."""
    over: list[float] = []
    for pick, widened in ((_fastest, 1.0), (_median, 1.0), (_fastest, case.goal)):
        limit = case.goal * pick(rounds, "parse", "parse") + widened * pick(rounds, "start")
        over.append(pick(rounds, name, key) - limit)
    text = "met" if over[0] <= 0 else f"**missed by {over[0]:.2f} s**"
    if (over[0] <= 0) != (over[1] <= 0):
        text += f", by medians {'met' if over[1] <= 0 else f'missed by {over[1]:.2f} s'}"
    return f"{text}, met if read widely" if over[0] > 0 >= over[2] else text


def full_row(case: Case, rounds: list[Round]) -> str:
    """Return one row about full checks."""
    plain, full = _fastest(rounds, "build"), _fastest(rounds, "full")
    medians = _median(rounds, "full") / _median(rounds, "build")
    return f"| {case.title} | {plain:.2f} | {full:.2f} | {full / plain:.2f} | {medians:.2f} |"


def memory_row(case: Case) -> str:
    """Return one row about peak memory, each in processes of its own."""
    found: dict[str, Any] = {}
    for kind, job in (("plain", {}), ("trtlab", {"depth": "quick"}), ("polygraphy", {"folder": tempfile.gettempdir()})):
        side = Side(kind)
        with tempfile.TemporaryDirectory() as folder:
            answer = side.ask(path=case.path, **{**job, **({"folder": folder} if kind == "polygraphy" else {})})
        side.close()
        found[kind] = answer or {"peak_bytes": 0, "worker_peak_bytes": 0}
    trtlab = found["trtlab"]
    numbers = (
        found["plain"]["peak_bytes"], trtlab["peak_bytes"], trtlab["worker_peak_bytes"], found["polygraphy"]["peak_bytes"],
    )  # fmt: skip
    return f"| {case.title} | " + " | ".join(f"{number / 1e6:.0f}" for number in numbers) + " |"


def text(rounds: int, libraries: str, *, only: str = "") -> list[str]:
    """Return the text of this part."""
    times, fulls, memories = list(TIME_HEAD), list(FULL_HEAD), list(MEMORY_HEAD)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), libraries)
        for case in make_cases(Path(name)):
            if only and only not in case.title:
                continue
            taken = measure(case, bench, rounds)
            times.append(row(case, taken))
            print(times[-1], flush=True)
            if case.builds:
                fulls.append(full_row(case, taken))
                print(fulls[-1], flush=True)
            memories.append(memory_row(case))
        bench.close()
    return [*times, "", *fulls, "", *memories, ""]


_COLUMNS = (
    "model", "parse", "start", "with onnx", "survey", "check, warm", "check, cold", "Polygraphy, warm", "command", "refused",
    "not judged", "passes", "rounds (quiet)",
)  # fmt: skip
TIME_HEAD = [
    "Seconds: the fastest of the judged rounds, in which all sides take turns. *Parse*: one pass of the parser over the model **without**",
    "faults, in plain TensorRT Python with TensorRT's own logger at ERROR. *Start*: a new worker until TensorRT is loaded, and until it",
    "has read a first model too, which needs onnx. *Survey*: what the parser is asked, in a warm worker (× the parse). *Check*: from the",
    "path to the report, with the look at the file (ONNX's checker, findings, evidence, partition); cold in a process that never checked",
    "before. Goal for each: 1.3 times the parse, plus the start without onnx; with 20 faults 3 times the parse, plus that start. Read",
    "widely, 1.3 or 3 times both. Warm there is no start to wait for, so there the ratios tell more: met with that allowance is not 1.3",
    "times the parse. Polygraphy: `inspect capability`, in a process that has done it before, and as a command; it parses once, and so",
    "names the first importer failure alone. A round is quiet if everything else on the machine took less than a fifth of a core",
    "(and 0.02 s, which is how coarse the count is) in each part of it but the command; quiet ones are judged where there are three.", "",
    "| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS),
]  # fmt: skip
FULL_HEAD = [
    "A full check beside parse and build in plain TensorRT Python, same shapes, seconds, warm. Goal: a quick check and one build.", "",
    "| model | plain parse and build | full check | ratio of the fastest | of the medians |",
    "|---|---|---|---|---|",
]  # fmt: skip
MEMORY_HEAD = [
    "Peak memory (resident) in MB, each in new processes: one plain parse of the same file, a quick check, Polygraphy.", "",
    "| model | plain parse | trtlab, the kernel's side | trtlab, worker | Polygraphy |",
    "|---|---|---|---|---|",
]  # fmt: skip
