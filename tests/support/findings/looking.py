"""Look at a model with the rules, as the worker does: from a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from tests import models
from trtlab.model.description import Finding
from trtlab.model.reading import ModelFile
from trtlab.support.findings import model_findings

Found = list[tuple[str, str, str]]


def findings_of(proto: onnx.ModelProto) -> tuple[Finding, ...]:
    """Return the findings about a model, each with a text that has nothing left unfilled."""
    with tempfile.TemporaryDirectory() as folder:
        findings = model_findings(ModelFile(models.save(proto, Path(folder) / "model.onnx")))
    for finding in findings:
        assert finding.id.startswith("support.")
        assert finding.text[-1] in ".)"
        assert not any(words in finding.text for words in ("trtlab_", "[None", " None ", "{", "  ", "''"))
    return findings


def found(proto: onnx.ModelProto) -> Found:
    """Return the findings as (severity, id without `support.`, tensor)."""
    return [
        (finding.severity, finding.id.removeprefix("support."), finding.tensor or "") for finding in findings_of(proto)
    ]


def array(name: str, values: Any, dtype: Any = np.float32) -> TensorProto:
    """Return an initializer with these values."""
    return numpy_helper.from_array(np.array(values, dtype), name)
