"""How many faulty nodes a check finds, whether its verdicts are TensorRT's, and what it costs, beside the peers.

Run: `cd benchmarks && python survey.py --write --libraries FOLDER`. FOLDER holds what is no dependency of trtlab
(`python -m pip install --no-deps --target FOLDER trtcheck==1.1.0 onnx-graphsurgeon==0.6.1`; the second is needed by Polygraphy's
partitions). `--parts nodes builder verdicts time` measures some parts, and `--write` replaces those parts of `survey.md`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import survey_backend
import survey_nodes
import survey_time
from machine import machine_line

REPORT = Path(__file__).with_suffix(".md")
_TITLES = {
    "nodes": "Faults that the parser refuses",
    "builder": "Some faults that parse and stop the builder among them",
    "verdicts": "Whether verdicts are TensorRT's",
    "time": "Time and memory",
}
_INTRODUCTION = """# What a check finds, and what it costs

`cd benchmarks && python survey.py --write --libraries FOLDER` makes this page (`--help` says what goes into the folder).
Polygraphy is 0.53.6, on TensorRT-RTX as everything here. The models of the first two parts are made by joining good and faulty
nodes at random, 1 to 20 faults each, branches included (`tests/support/joined_models.py`); which nodes are faulty is known by
construction.
"""


def sections() -> dict[str, str]:
    """Return the parts that the page has, by title."""
    if not REPORT.exists():
        return {}
    parts = REPORT.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip("\n") for part in parts}


def write(title: str, lines: list[str]) -> None:
    """Replace one part of the page."""
    kept = sections() | {title: "\n".join(lines).strip("\n")}
    text = "".join(f"\n## {name}\n\n{kept[name]}\n" for name in _TITLES.values() if name in kept)
    REPORT.write_text(_INTRODUCTION + text, encoding="utf-8")


def main() -> None:
    """Measure, print, and write with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=list(_TITLES), default=list(_TITLES))
    parser.add_argument("--models", type=int, default=200, help="joined models for quick checks")
    parser.add_argument("--full-models", type=int, default=200, help="joined models for full checks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", default="", help="measure the time of the models whose title holds this alone")
    parser.add_argument("--libraries", default="", help="folder with trtcheck and onnx_graphsurgeon")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    measure: dict[str, Callable[[], list[str]]] = {
        "nodes": lambda: survey_nodes.measure(arguments.models, arguments.libraries, builder=False),
        "builder": lambda: survey_nodes.measure(arguments.full_models, arguments.libraries, builder=True),
        "verdicts": survey_backend.compare,
        "time": lambda: survey_time.text(arguments.rounds, arguments.libraries, only=arguments.case),
    }
    for part in arguments.parts:
        machine = machine_line()
        found = measure[part]()
        lines = [f"Measured {machine}; load at the end {os.getloadavg()[0]:.1f}.", "", *found]
        print("\n".join([f"## {_TITLES[part]}", "", *lines]), flush=True)
        if arguments.write:
            write(_TITLES[part], lines)


if __name__ == "__main__":
    main()
