"""The scripts make the committed files, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from tests.sample_models.samples import MODELS, SAMPLES, run_python

if TYPE_CHECKING:
    from pathlib import Path

EXACT = [name for name in MODELS if name != "digits.onnx"]


def without_values(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model that keeps the names, types and shapes of its weights, and drops their values."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for weight in bare.graph.initializer:
        weight.ClearField("raw_data")
    return bare


@pytest.mark.parametrize("name", EXACT)
def test_script_makes_the_committed_file(name: str, rebuilt: Path) -> None:
    assert (rebuilt / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_scripts_make_nothing_else(rebuilt: Path) -> None:
    made = {path.relative_to(rebuilt).as_posix() for path in rebuilt.rglob("*") if path.is_file()}
    assert made == {*MODELS, "digits_test.npz"}


def test_digits_have_the_committed_structure(rebuilt: Path) -> None:
    made, committed = (onnx.load(str(folder / "digits.onnx")) for folder in (rebuilt, SAMPLES))
    assert without_values(made) == without_values(committed)


def test_digits_trained_again_answer_alike(rebuilt: Path) -> None:
    # Another machine's linear algebra rounds differently, and training carries that on: weights are near, not equal.
    with np.load(SAMPLES / "digits_test.npz", allow_pickle=False) as data:
        image, label = data["image"], data["label"]
    made, committed = (
        onnxruntime.InferenceSession(str(folder / "digits.onnx")).run(["logits"], {"image": image})[0].argmax(axis=1)
        for folder in (rebuilt, SAMPLES)
    )
    assert (made == label).mean() >= 0.95
    assert (made == committed).mean() >= 0.98


def test_digits_are_trained() -> None:
    for weight in onnx.load(str(SAMPLES / "digits.onnx")).graph.initializer:
        assert np.isfinite(numpy_helper.to_array(weight)).all()
        assert np.abs(numpy_helper.to_array(weight)).max() > 0, f"{weight.name} never moved"


def test_test_data_is_the_committed_one(rebuilt: Path) -> None:
    made, committed = (np.load(folder / "digits_test.npz", allow_pickle=False) for folder in (rebuilt, SAMPLES))
    with made, committed:
        assert sorted(made.files) == sorted(committed.files) == ["image", "label"]
        for name in made.files:
            assert made[name].dtype == committed[name].dtype
            np.testing.assert_array_equal(made[name], committed[name])
        assert committed["image"].shape == (450, 1, 8, 8)
        assert committed["image"].min() == 0
        assert committed["image"].max() == 1


def test_light_resnet50_can_be_written_to_any_path(tmp_path: Path) -> None:
    target = tmp_path / "some" / "where.onnx"
    printed = run_python(SAMPLES / "make_light_resnet50.py", str(target))
    assert target.read_bytes() == (SAMPLES / "light_resnet50.onnx").read_bytes()
    assert str(target) in printed
    assert [path.name for path in target.parent.iterdir()] == ["where.onnx"], "a temporary file was left"
