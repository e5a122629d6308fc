"""Measure what `import trtlab` costs: its time, and the heavy packages that it loads (it should load none).

Each round starts a Python that imports trtlab and one that imports nothing, taking turns; the difference of the medians is
what the import costs. The child itself also times the import statement, which leaves starting Python out. Bytecode is
compiled before (an unmeasured round).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from machine import machine_line

GOAL_SECONDS = 0.15
HEAVY = (
    "tensorrt",
    "tensorrt_rtx",
    "onnx",
    "onnxruntime",
    "matplotlib",
    "IPython",
    "ipywidgets",
    "anywidget",
    "numpy",
    "msgspec",
)
_TIMED = (
    "import sys, time; before = set(sys.modules); started = time.perf_counter(); import trtlab;"
    "seconds = time.perf_counter() - started;"
    "print(seconds, *sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
)


def run(program: str) -> tuple[float, str]:
    """Run a program in a new Python; return the seconds from start to end, and what it printed."""
    started = time.perf_counter()
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - started, output


def main() -> None:
    """Measure, print a table or JSON, and exit with 1 if the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="starts of each kind (default: 15)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    arguments = parser.parse_args()
    _, output = run(_TIMED)
    loaded = output.split()[1:]
    bare, whole, statement = [], [], []
    for _ in range(arguments.rounds):
        bare.append(run("pass")[0])
        seconds, output = run(_TIMED)
        whole.append(seconds)
        statement.append(float(output.split()[0]))
    figures = {
        "bare_python_seconds": statistics.median(bare),
        "python_with_trtlab_seconds": statistics.median(whole),
        "difference_seconds": statistics.median(whole) - statistics.median(bare),
        "import_statement_seconds": statistics.median(statement),
        "import_statement_slowest_seconds": max(statement),
    }
    heavy = sorted(set(loaded) & set(HEAVY))
    passed = figures["python_with_trtlab_seconds"] < GOAL_SECONDS and not heavy
    if arguments.json:
        result = {"goal_seconds": GOAL_SECONDS, "passed": passed, "heavy": heavy, "loaded": loaded, **figures}
        print(json.dumps({"machine": machine_line(), "rounds": arguments.rounds, **result}, indent=2))
    else:
        print(machine_line())
        for name, value in figures.items():
            print(f"{name:35} {value:.3f}")
        print(f"{'heavy packages loaded':35} {', '.join(heavy) or 'none'}")
        print(f"{'all packages loaded':35} {', '.join(loaded)}")
        print(f"{'goal: with trtlab under 0.15 s':35} {'met' if passed else 'MISSED'}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
