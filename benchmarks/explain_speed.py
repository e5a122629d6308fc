"""Measure how fast `trtlab.explain` reads: loading, one line, long logs, and the memory for them.

* catalog and rules: loading each in a new Python, after its imports, which are timed beside it.
* one line: every kind of message that the rules know, explained one after another in a process that has read one before.
* logs: the verbose log of a real build, and the same with errors at its end, repeated to 30 and 300 MB. The peer takes turns
  with trtlab in one run: the same rules, asked of every line one after another (what one writes first); it reads 3 MB.
* memory: the largest resident set of a child process that reads 30 and one that reads 300 MB from a file.

Goals: 30 MB a second on one core, a line under 1 ms, the catalog in under 50 ms, memory flat in the log's length.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine_line

GOAL_MEGABYTES_A_SECOND = 30.0
GOAL_LINE_SECONDS = 0.001
GOAL_CATALOG_SECONDS = 0.05
MEGABYTE = 1_000_000
_SAMPLES = Path(__file__).resolve().parents[1] / "sample_models"
_FAILURE = (
    "[05/07/2026-11:02:40] [W] [TRT] Requested amount of GPU memory (8589934592 bytes) could not be allocated.\n"
    "[05/07/2026-11:02:41] [E] Error[10]: IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any "
    "implementation for node {ForeignNode[/encoder/layers.0/MatMul.../head/Add]}.)\n"
)
_LOADING = """
import json, time
started = time.perf_counter()
from trtlab.explain.catalog import catalog
from trtlab.explain.log import analyse_log, rules
imported = time.perf_counter()
catalog()
loaded = time.perf_counter()
analyse_log("[E] anything that failed")
print(json.dumps([imported - started, loaded - imported, time.perf_counter() - loaded]))
"""
_READING = """
import json, resource, sys, time
from pathlib import Path
from trtlab.explain.log import analyse_log
analyse_log("[E] anything that failed")
started = time.process_time()
found = analyse_log(Path(sys.argv[1]))
seconds = time.process_time() - started
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, [d.id for d in found.diagnoses if d.root]]))
"""


def child(program: str, *arguments: str) -> list[float]:
    """Run a program in a new Python and return what it prints as JSON."""
    command = [sys.executable, "-c", program, *arguments]
    result: list[float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def real_log() -> str:
    """Return the verbose log of a real build, as a program prints it."""
    import trtlab

    shapes = {"gpu_0/data_0": ((1, 3, 224, 224), (4, 3, 224, 224), (8, 3, 224, 224))}
    report = trtlab.build(_SAMPLES / "light_resnet50.onnx", shapes=shapes, cache=False)
    letters = {"verbose": "V", "info": "I", "warning": "W", "error": "E"}
    lines = []
    for step in report.steps:
        for record in step.log:
            letter = letters.get(record.severity)
            if letter:
                lines.append(f"[05/07/2026-11:02:31] [{letter}] [TRT] {record.message}\n")
    return "".join(lines)


def write_log(path: Path, piece: str, size: int, ending: str) -> None:
    """Write `piece` again and again until the file has `size` bytes, then `ending`."""
    content = piece.encode()
    with path.open("wb") as stream:
        for _ in range(size // len(content) + 1):
            stream.write(content)
        stream.write(ending.encode())


def naive_seconds(text: str) -> float:
    """Return the processor time of asking every rule of every line."""
    from trtlab.explain.log.rules import rules

    known = rules()
    for rule in known:
        rule.match("warm")
    started = time.process_time()
    for line in text.splitlines():
        for rule in known:
            if rule.match(line) is not None:
                break
    return time.process_time() - started


def line_seconds() -> dict[str, float]:
    """Return the time of explaining one line, for the text that each rule looks for."""
    from trtlab.explain.log import analyse_log
    from trtlab.explain.log.rules import rules

    lines = sorted(
        {f"[E] [TRT] Error Code 1: Internal Error (something {piece} 17)\n" for rule in rules() for piece in rule.any}
    )
    for line in lines:
        analyse_log(line)
    taken = []
    for line in lines:
        started = time.perf_counter()
        analyse_log(line)
        taken.append(time.perf_counter() - started)
    taken.sort()
    return {
        "lines": len(taken), "median_seconds": statistics.median(taken), "p99_seconds": taken[int(0.99 * len(taken))],
        "slowest_seconds": taken[-1],
    }  # fmt: skip


def measure(rounds: int) -> dict[str, object]:
    """Return every figure."""
    loading = [child(_LOADING) for _ in range(rounds)]
    figures: dict[str, object] = {
        "imports_seconds": statistics.median(times[0] for times in loading),
        "catalog_seconds": statistics.median(times[1] for times in loading),
        "rules_seconds": statistics.median(times[2] for times in loading),
        "one_line": line_seconds(),
    }
    piece = real_log()
    with tempfile.TemporaryDirectory(prefix="trtlab-benchmark-") as folder:
        for name, ending in (("verbose build", ""), ("verbose build that fails", _FAILURE)):
            small, large = Path(folder) / "small.log", Path(folder) / "large.log"
            write_log(small, piece, 30 * MEGABYTE, ending)
            write_log(large, piece, 300 * MEGABYTE, ending)
            naive_text = (piece * (3 * MEGABYTE // len(piece) + 1))[: 3 * MEGABYTE]
            pairs = [(child(_READING, str(small)), naive_seconds(naive_text)) for _ in range(rounds)]
            big = child(_READING, str(large))
            speed = statistics.median(small.stat().st_size / MEGABYTE / ours[0] for ours, _ in pairs)
            naive = statistics.median(len(naive_text) / MEGABYTE / theirs for _, theirs in pairs)
            figures[name] = {
                "megabytes_a_second": speed,
                "rule_by_rule_megabytes_a_second": naive,
                "ratio": speed / naive,
                "megabytes_a_second_at_300_mb": large.stat().st_size / MEGABYTE / big[0],
                "memory_at_30_mb_bytes": statistics.median(ours[1] for ours, _ in pairs),
                "memory_at_300_mb_bytes": big[1],
                "roots": big[2],
            }
    return figures


def main() -> None:
    """Measure, print a table or JSON, and exit with 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    arguments = parser.parse_args()
    figures = measure(arguments.rounds)
    logs = [value for value in figures.values() if isinstance(value, dict) and "megabytes_a_second" in value]
    one_line = figures["one_line"]
    assert isinstance(one_line, dict)
    catalog_seconds = figures["catalog_seconds"]
    assert isinstance(catalog_seconds, float)
    passed = (
        all(log["megabytes_a_second"] >= GOAL_MEGABYTES_A_SECOND for log in logs)
        and one_line["p99_seconds"] < GOAL_LINE_SECONDS
        and catalog_seconds < GOAL_CATALOG_SECONDS
    )
    if arguments.json:
        print(
            json.dumps({"machine": machine_line(), "rounds": arguments.rounds, "passed": passed, **figures}, indent=2)
        )
    else:
        print(machine_line())
        for name, value in figures.items():
            print(
                f"{name}: "
                + (
                    ", ".join(f"{key} {part}" for key, part in value.items())
                    if isinstance(value, dict)
                    else f"{value:.4f}"
                )
            )
        print("every goal met" if passed else "A GOAL WAS MISSED")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
