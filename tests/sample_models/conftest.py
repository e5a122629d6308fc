"""The two slow things, done once: rebuilding every model, and asking TensorRT about every model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sample_models.samples import MODELS, SAMPLES, profile_shapes, run_python


@pytest.fixture(scope="session")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every sample model made anew."""
    folder = tmp_path_factory.mktemp("sample_models") / "made"
    run_python(SAMPLES / "make_all.py", str(folder))
    return folder


@pytest.fixture(scope="session")
def measured() -> dict[str, dict[str, Any]]:
    """Return what the real parser and builder say of each model, and of `batch_baked_in` with a batch of one."""
    requests = {
        name: {"path": str(SAMPLES / name), "shapes": profile_shapes(model["inputs"])} for name, model in MODELS.items()
    }
    baked_in = "broken/batch_baked_in.onnx"
    requests["batch of one"] = {"path": str(SAMPLES / baked_in), "shapes": {"image": [[1, 3, 8, 8]] * 3}}
    script = Path(__file__).parent / "ask_tensorrt.py"
    answers = json.loads(run_python(script, text=json.dumps(list(requests.values()))))["answers"]
    return dict(zip(requests, answers, strict=True))
