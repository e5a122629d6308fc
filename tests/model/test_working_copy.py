"""What TensorRT says of a working copy is told in the model's own names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import models
from trtlab.model.reading import ModelFile
from trtlab.model.working_copy import WorkingCopy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trtlab_n0_ has no runners", "first has no runners"),
        ("layer trtlab_n1__OutputLayer", "layer #1_OutputLayer"),
        ("trtlab_n0___2: inlined twice", "first: inlined twice"),
        ("Tensor trtlab_from_trtlab_n0_0 has", "Tensor first has"),
        ("Tensor middle_trtlab_cut has", "Tensor middle has"),
        ("Tensor middle_trtlab_cut_output has", "Tensor middle_output has"),
        ("node trtlab_for_middle", "node middle"),
        ("input trtlab_probe_in", "input probe_in"),
        ("the model's own trtlab_n77_", "the model's own trtlab_n77_"),
        ("nothing of ours", "nothing of ours"),
    ],
)
def test_messages_are_told_in_the_models_own_names(tmp_path: Path, text: str, said: str) -> None:
    nodes = [models.node("Relu", ["x"], ["middle"], "first"), models.node("Relu", ["middle"], ["y"])]
    copy = WorkingCopy(ModelFile(models.save(models.model(nodes), tmp_path / "model.onnx")))
    assert copy.in_own_words(text) == said
