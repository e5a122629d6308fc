"""Whether a check says what TensorRT says, of every model of ONNX's backend tests.

Run: `cd benchmarks && python survey_backend.py` (about five minutes). Prints how often the quick verdict is that of the parser, and the
full one that of parser and builder, asked in plain TensorRT Python, and each difference. Inputs whose values are sizes get the test's
own values on both sides.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import machine_line

from tests.support.backend_models import BackendModel, PlainTensorRt, write_models
from trtlab.build.plan import ShapeProfile, ShapeRange
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveySession
from trtlab.support.verdicts import Depth


def checked(model: BackendModel, depth: Depth) -> SupportReport:
    """Return trtlab's report, with the test's own sizes."""
    values = {name: ShapeRange(tuple(found), tuple(found), tuple(found)) for name, found in model.values.items()}
    with SurveySession(model.path) as session:
        return session.check(depth=depth, profile=ShapeProfile({}, values))


def main() -> None:
    """Compare, and print."""
    print(machine_line())
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder))
        plain = PlainTensorRt()
        for depth in ("quick", "full"):
            began = time.perf_counter()
            counts: Counter[str] = Counter()
            for model in models:
                answer = plain.ask(model, builds=depth == "full")
                expected = bool(answer.parsed and (depth == "quick" or answer.built))
                report = checked(model, depth)
                counts["supported" if expected else "refused"] += 1
                counts["equal" if report.supported == expected else "different"] += 1
                if report.supported != expected:
                    print(f"  {depth}: {model.name}: TensorRT {expected}, trtlab {report.supported}: {report.headline}")
            print(f"{depth}: {dict(counts)} of {len(models)} in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
