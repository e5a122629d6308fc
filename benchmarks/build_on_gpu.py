"""Record what the seven steps do on a GPU: times, memory, and whether the builder's log agrees with the inspector.

Writes one JSON document that says when, on which GPU and with which versions it was recorded. Needs an NVIDIA GPU:

    python benchmarks/build_on_gpu.py --output benchmarks/recordings/NAME.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import trtlab
from trtlab.build.steps import StepRecord
from trtlab.engine.layers import layers_from_log

SAMPLE_MODELS = Path(__file__).resolve().parents[1] / "sample_models"


def step_entry(step: StepRecord, folder: Path) -> dict[str, Any]:
    """Return a step without the temporary folder of this machine in its line."""
    return {"state": step.state, "seconds": step.seconds, "line": step.line.replace(f"{folder}/", "")}


def record(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Build one sample model and return what was seen."""
    shapes = {
        name: tuple(tuple(shape[bound]) for bound in ("min", "opt", "max")) for name, shape in entry["inputs"].items()
    }
    report = trtlab.build(
        SAMPLE_MODELS / entry["file"], shapes=shapes, output=folder / "model.engine", cache=False, overwrite=True
    )
    messages = [r.message for r in report.step("build").log if r.message.startswith("Layers:")]
    logged = layers_from_log(messages)
    logged_memory = report.step("build").result.memory
    return {
        "model": entry["file"],
        "steps": {step.name: step_entry(step, folder) for step in report.steps},
        "layers_source": report.layers_source,
        "layers": [{"name": layer.name, "type": layer.type, "onnx_nodes": layer.onnx_nodes} for layer in report.layers],
        "log_names_the_same_layers": [layer.name for layer in logged] == [layer.name for layer in report.layers],
        "log_names_the_same_nodes": [layer.onnx_nodes for layer in logged]
        == [layer.onnx_nodes for layer in report.layers],
        "log": messages,
        "activation_bytes": {
            "engine": report.memory.activation_bytes if report.memory else None,
            "log": logged_memory.activation_bytes,
        },
        "gpu": report.installation.gpu.to_dict() if report.installation and report.installation.gpu else None,
        "tensorrt": report.installation.title if report.installation else "",
    }


def main() -> int:
    """Record all sample models that build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="where the recording goes; standard output without it")
    arguments = parser.parse_args()
    catalog = json.loads((SAMPLE_MODELS / "catalog.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        models = [record(entry, Path(folder)) for entry in catalog["models"] if entry["expect"]["outcome"] == "builds"]
    if not all(model["gpu"] for model in models):
        print("There is no GPU here, so there is nothing to record.", file=sys.stderr)
        return 3
    document = {
        "recorded": time.strftime("%Y-%m-%d", time.gmtime()),
        "gpu": models[0].pop("gpu"),
        "tensorrt": models[0].pop("tensorrt"),
        "trtlab": trtlab.__version__,
        "python": platform.python_version(),
        "models": [{key: value for key, value in model.items() if key not in ("gpu", "tensorrt")} for model in models],
    }
    text = json.dumps(document, indent=1) + "\n"
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
