"""Whether a check says what TensorRT says, of every model of ONNX's backend tests: a part of `survey.py`.

Run on its own: `cd benchmarks && python survey_backend.py` (ten minutes). The quick verdict is held against the parser's, the full one
against that of parser and builder, asked in plain TensorRT Python in a process of its own. Inputs whose values are sizes get the
test's own values on both sides, open dimensions the same proposals.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import machine_line

from tests.support.backend_models import BackendModel, write_models
from trtlab.build.plan import ShapeProfile, ShapeRange
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveySession
from trtlab.support.verdicts import Depth

_ROOT = Path(__file__).resolve().parents[1]


def checked(model: BackendModel, depth: Depth) -> SupportReport:
    """Return trtlab's report, with the test's own sizes."""
    values = {name: ShapeRange(tuple(found), tuple(found), tuple(found)) for name, found in model.values.items()}
    with SurveySession(model.path) as session:
        return session.check(depth=depth, profile=ShapeProfile({}, values))


def plain_answers(folder: Path, count: int) -> list[dict[str, Any] | None]:
    """Return what plain TensorRT says of each model; None for one on which the process died, after which a new one goes on."""
    found: list[dict[str, Any] | None] = []
    while len(found) < count:
        command = [sys.executable, "-m", "tests.support.backend_models", str(folder), "build", "1", str(len(found))]
        done = subprocess.run(
            command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
        )
        found += [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
        if len(found) < count:
            found.append(None)
    return found


def compare() -> list[str]:
    """Return a table of how often both say the same, and each difference."""
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder))
        answers = plain_answers(Path(folder), len(models))
        lines = [
            f"The {len(models):,} models of ONNX's backend tests. A quick verdict is held against one parse, a full one against parse and",
            "build, in plain TensorRT Python in a process of its own; trtlab goes through its worker.", "",
            "| | taken by TensorRT | refused | TensorRT crashes | same verdict | different | seconds of trtlab |",
            "|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        differences: list[str] = []
        depths: tuple[Depth, ...] = ("quick", "full")
        for depth in depths:
            began = time.perf_counter()
            counts: Counter[str] = Counter()
            differences += _differences(depth, models, answers, counts)
            lines.append(
                f"| {depth} | {counts['taken']:,} | {counts['refused']:,} | {counts['crash']} | {counts['same']:,} "
                f"| {counts['different']} | {time.perf_counter() - began:.0f} |"
            )
    return [*lines, "", *(differences or ["No difference."]), ""]


def _differences(
    depth: Depth, models: list[BackendModel], answers: list[dict[str, Any] | None], counts: Counter[str]
) -> Iterator[str]:
    for model, answer in zip(models, answers, strict=True):
        expected = bool(answer and answer["parsed"] and (depth == "quick" or answer["built"]))
        counts["crash" if answer is None else "taken" if expected else "refused"] += 1
        report = checked(model, depth)
        is_same = report.supported == expected
        counts["same" if is_same else "different"] += 1
        if not is_same:
            why = report.diagnoses[0].title if report.diagnoses else report.headline
            yield f"* {depth}, `{model.name}`: TensorRT {'takes' if expected else 'refuses'} it, trtlab says: {why}"


def main() -> None:
    """Compare, and print."""
    print(machine_line())
    print("\n".join(compare()))


if __name__ == "__main__":
    main()
