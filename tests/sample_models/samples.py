"""Where the sample models are, and how the tests run the scripts that belong to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

SAMPLES: Final = Path(__file__).parent.parent.parent / "sample_models"
CATALOG: Final[dict[str, Any]] = json.loads((SAMPLES / "catalog.json").read_text(encoding="utf-8"))
MODELS: Final[dict[str, dict[str, Any]]] = {model["file"]: model for model in CATALOG["models"]}
HEALTHY: Final = [name for name, model in MODELS.items() if model["expect"]["outcome"] == "builds"]


def run_python(script: Path, *arguments: str, text: str = "") -> str:
    """Run a script in a process of its own and return what it printed."""
    # One thread: on matrices this small more of them only wait for each other. No bytecode: the folder of the samples
    # is packed into the wheel as it is.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )
    assert done.returncode == 0, f"{script.name} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def profile_shapes(inputs: dict[str, dict[str, Any]]) -> dict[str, list[list[int]]]:
    """Return the shapes that the catalog suggests for each input, as [min, opt, max]."""
    return {name: [value["min"], value["opt"], value["max"]] for name, value in inputs.items()}
