"""Does the builder's log tell the same layers as the engine inspector? Held against recordings made on a GPU.

The recordings (`benchmarks/recordings/`) hold both, from one build on one machine; they say when, where and with which
versions. On a machine with a GPU, `python -m pytest -m gpu` asks the same of a live build.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trtlab.engine.layers import layers_from_log

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "recordings"
# Other recordings in the folder are of failures, and say so in their names.
RECORDINGS = sorted(path for path in FOLDER.glob("*_tensorrt_*.json"))


def recorded_models() -> list[Any]:
    cases = []
    for path in RECORDINGS:
        document = json.loads(path.read_text(encoding="utf-8"))
        cases += [pytest.param(model, id=f"{path.stem}-{model['model']}") for model in document["models"]]
    return cases


def test_a_recording_says_where_it_comes_from() -> None:
    assert RECORDINGS
    for path in RECORDINGS:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert document["recorded"]
        assert document["gpu"]["name"]
        assert document["gpu"]["driver"]
        assert document["tensorrt"].startswith("TensorRT")


@pytest.mark.parametrize("model", recorded_models())
def test_log_and_inspector_agree(model: dict[str, Any]) -> None:
    assert model["layers_source"] == "engine inspector"
    logged = [(layer.name, layer.type, list(layer.onnx_nodes)) for layer in layers_from_log(model["log"])]
    assert logged == [(layer["name"], layer["type"], layer["onnx_nodes"]) for layer in model["layers"]]
    assert model["activation_bytes"]["engine"] == model["activation_bytes"]["log"]
