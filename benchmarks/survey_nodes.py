"""Which nodes trtlab and its peers refuse, on models of which it is known by construction: a part of `survey.py`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import onnx
from survey_side import Side

from tests.support.joined_models import joined_model
from trtlab.model.walk import scopes
from trtlab.support.session import SurveySession

MOST_FAULTS = 20
_PARTITIONED = ("--with-partitioning", "--shape-inference")


@dataclass(frozen=True)
class Said:
    """What a tool says of a model: the names of the nodes that it refuses, those it cannot judge, and whether it failed."""

    refused: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    failed: bool = False


Tool = Callable[[Path], Said]


def by_trtlab(depth: Any) -> Tool:  # noqa: ANN401 - `quick` or `full`
    """Ask trtlab."""

    def tool(path: Path) -> Said:
        with SurveySession(path) as session:
            report = session.check(depth=depth)
        unknown = {verdict.node.name for verdict in report.nodes if verdict.status == "unknown"}
        return Said({verdict.node.name for verdict in report.unsupported}, unknown)

    return tool


def by_parser() -> Tool:
    """Ask the parser once: the nodes that its errors name."""
    plain = Side("plain")

    def tool(path: Path) -> Said:
        answer = plain.ask(path=path)
        assert answer is not None
        return Said(set(answer["named"]))

    return tool


def by_polygraphy(libraries: str, *, is_partitioned: bool) -> Tool:
    """Ask `polygraphy inspect capability`; with partitions: every node of the parts that it calls unsupported."""
    sides: list[Side] = []

    def tool(path: Path) -> Said:
        if not sides:
            sides.append(Side("polygraphy", libraries=libraries))
        with tempfile.TemporaryDirectory() as folder:
            answer = sides[0].ask(path=path, folder=folder, options=_PARTITIONED if is_partitioned else ())
            listing = Path(folder) / "results.txt"
            text = listing.read_text() if listing.exists() else ""
        if answer is None or answer["failed"]:
            if answer is None:
                sides.clear()
            return Said(failed=True)
        return Said(_in_partitions(text, path) if is_partitioned else _in_rows(text))

    return tool


def _in_rows(text: str) -> set[str]:
    """Return the third column: stack, operator, node, reason."""
    rows = (line.split(" | ", 3) for line in text.splitlines())
    return {cells[2].strip() for cells in rows if len(cells) == 4} - {"Node", ""}


def _in_partitions(text: str, path: Path) -> set[str]:
    names = [node.name for node in onnx.load(path).graph.node]
    listed = re.findall(r"\| (\[\[.*\]\])\s*$", text, re.MULTILINE)
    return {name for item in listed for first, end in json.loads(item) for name in names[first:end]}


def by_trtcheck(libraries: str, *, with_doubts: bool) -> Tool:
    """Ask trtcheck for what it calls critical and, with doubts, also for what it wants to be verified at run time."""

    def tool(path: Path) -> Said:
        found = _trtcheck(path, libraries)
        if found is None:
            return Said(failed=True)
        return Said(
            {
                issue["node_name"]
                for issue in found
                if issue["node_name"]
                and (issue["severity"] == "critical" or (with_doubts and issue["verify_required"]))
            }
        )

    return tool


@lru_cache(maxsize=4)
def _trtcheck(path: Path, libraries: str) -> list[dict[str, Any]] | None:
    done = subprocess.run(
        [sys.executable, "-m", "trtcheck", str(path), "--format", "json"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": libraries},
    )  # fmt: skip
    try:
        issues: list[dict[str, Any]] = json.loads(done.stdout)["issues"]
    except (ValueError, KeyError):
        return None
    return issues


def score(count: int, *, builder: bool, tools: dict[str, Tool]) -> dict[str, Counter[str]]:
    """Return for each tool what it found, whom it accused, and what it left open, over `count` models."""
    found: dict[str, Counter[str]] = {name: Counter() for name in tools}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            model, made = joined_model(seed, 1 + seed % MOST_FAULTS, with_builder_faults=builder)
            path = Path(folder) / f"joined{seed}.onnx"
            path.write_bytes(model.SerializeToString())
            nodes = sum(len(scope.nodes) for scope in scopes(model))
            for name, tool in tools.items():
                said, counts = tool(path), found[name]
                counts["faulty"] += len(made.faulty)
                counts["good"] += nodes - len(made.faulty)
                counts["found"] += len(said.refused & made.faulty)
                counts["accused"] += len(said.refused - made.faulty)
                counts["unknown"] += len(said.unknown)
                counts["right"] += said.refused == made.faulty
                counts["failed"] += said.failed
    return found


def table(found: dict[str, Counter[str]], count: int) -> list[str]:
    """Return the lines of a table."""
    any_counts = next(iter(found.values()))
    lines = [
        f"{count} models, {any_counts['faulty']:,} faulty and {any_counts['good']:,} good nodes.", "",
        "| | faulty nodes found | good nodes accused | nodes not judged | models all right | models it fails on |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {name} | {counts['found']:,} ({100 * counts['found'] / max(1, counts['faulty']):.1f} %) | {counts['accused']:,} "
        f"| {counts['unknown']} | {counts['right']} | {counts['failed']} |"
        for name, counts in found.items()
    ]
    return [*lines, ""]


def measure(count: int, libraries: str, *, builder: bool) -> list[str]:
    """Return the text of this part: with faults that the parser refuses, or with some that stop the builder among them."""
    tools: dict[str, Tool] = {"trtlab, quick": by_trtlab("quick")}
    if builder:
        tools["trtlab, full"] = by_trtlab("full")
    tools |= {
        "the parser alone, one parse": by_parser(),
        "`polygraphy inspect capability`": by_polygraphy(libraries, is_partitioned=False),
        "the same `--with-partitioning --shape-inference`": by_polygraphy(libraries, is_partitioned=True),
    }
    has_trtcheck = (Path(libraries) / "trtcheck").is_dir() if libraries else False
    if has_trtcheck:
        tools["trtcheck 1.1.0, critical"] = by_trtcheck(libraries, with_doubts=False)
        tools["trtcheck 1.1.0, also what it wants verified"] = by_trtcheck(libraries, with_doubts=True)
    lines = table(score(count, builder=builder, tools=tools), count)
    return lines if has_trtcheck else [*lines, "trtcheck was not there (`--libraries`), so nothing is said of it.", ""]
