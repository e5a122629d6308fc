"""Proposed shapes: the names of dimensions decide, then their place, and what is proposed builds."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import models
from trtlab.build.plan import BuildPlan
from trtlab.build.proposals import propose, proposed_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.build.validation import validate
from trtlab.model.description import Dimension, ModelDescription, TensorDescription


def description(*tensors: TensorDescription) -> ModelDescription:
    return ModelDescription("", "", 0, 8, {"": 17}, "", tensors, (), 1, 0, {}, 0, 0)


def proposed(*shape: Dimension, dtype: str = "float32") -> list[tuple[int, int, int]]:
    found = propose(description(TensorDescription("x", dtype, shape)))
    assert all(proposal.reason for proposal in found)
    return [(proposal.min, proposal.opt, proposal.max) for proposal in found]


BATCH, SEQUENCE, CACHE, IMAGE, AUDIO = (1, 4, 8), (1, 128, 512), (1, 128, 512), (128, 224, 512), (1, 16000, 160000)


@pytest.mark.parametrize(
    "name", ["batch", "batch_size", "N", "n", "Batch", "bs", "batchSize", "dynamic_batch_0", "num_samples"]
)
def test_names_of_batches(name: str) -> None:
    assert proposed(name, 3)[0] == BATCH


@pytest.mark.parametrize(
    "name",
    [
        "sequence",
        "seq_len",
        "sequence_length",
        "tokens",
        "maxSeqLength",
        "time",
        "num_frames",
        "T",
        "decoder_sequence_length",
    ],
)
def test_names_of_sequences(name: str) -> None:
    assert proposed(1, name)[0] == SEQUENCE


@pytest.mark.parametrize("name", ["past_sequence_length", "kv_cache", "past_len + 1"])
def test_names_of_caches(name: str) -> None:
    assert proposed(1, 12, name, 64)[0] == CACHE


@pytest.mark.parametrize("name", ["height", "H", "image_height", "width", "w", "in_w"])
def test_names_of_image_sizes(name: str) -> None:
    assert proposed(1, 3, name, 64)[0] == IMAGE


def test_without_a_name_the_place_decides() -> None:
    assert proposed(None, 3, None, None) == [BATCH, IMAGE, IMAGE]
    assert proposed(None, None, dtype="int64") == [BATCH, SEQUENCE]
    assert proposed(None, None) == [BATCH, AUDIO]
    assert proposed(None, None, 80) == [BATCH, SEQUENCE]
    assert proposed(1, 2, None, dtype="int64") == [(1, 64, 256)]
    assert proposed("unk__214", 2048, dtype="int32") == [BATCH]


def test_one_name_has_one_range_in_all_inputs() -> None:
    model = description(
        TensorDescription("ids", "int64", ("b", "s")),
        TensorDescription("mask", "int64", ("b", "s")),
        TensorDescription("image", "float32", (1, 3, "s", "s")),
    )
    found = propose(model)
    assert {(item.min, item.opt, item.max) for item in found if item.dimension == "s"} == {(1, 128, 512)}
    assert "the same for every dimension 's'" in found[-1].reason


def test_nothing_to_propose() -> None:
    assert proposed_profile(description(TensorDescription("x", "float32", (1, 3)))) is None
    assert proposed_profile(description(TensorDescription("x", "float32", None))) is None
    profile = proposed_profile(
        description(TensorDescription("x", "float32", ("b",)), TensorDescription("s", "float32", (2,)))
    )
    assert profile is not None
    assert list(profile.shapes) == ["x"], "static inputs need none"


dimensions = st.one_of(st.integers(0, 9), st.none(), st.text(min_size=1, max_size=12))
tensors = st.builds(
    TensorDescription,
    st.text(min_size=1, max_size=5),
    st.sampled_from(["float32", "int64", "string"]),
    st.lists(dimensions, max_size=5).map(tuple),
)


@given(st.lists(tensors, max_size=4, unique_by=lambda tensor: tensor.name))
def test_every_proposal_passes_validation(given_tensors: list[TensorDescription]) -> None:
    model = description(*given_tensors)
    profile = proposed_profile(model)
    assert (profile is None) == (not model.dynamic_inputs)
    plan = BuildPlan(profiles=(profile,) if profile else ())
    assert validate(plan, model) == ()


def free_batch(path: Path) -> onnx.ModelProto:
    """Return a model of the onnx package with its batch made dynamic."""
    proto = onnx.load(str(path))
    weights = {tensor.name for tensor in proto.graph.initializer}
    for value in (*proto.graph.input, *proto.graph.output):
        if value.name not in weights:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return proto


def built(model: onnx.ModelProto | Path) -> BuildReport:
    """Build a model with the shapes that are proposed for it."""
    with BuildSession(model) as session:
        profile = proposed_profile(session.run_to("load").result)
        assert profile is not None
        session.set_plan(BuildPlan(profiles=(profile,)))
        return session.run_all()


@pytest.mark.parametrize("name", ["digits", "transformer", "control_flow"])
def test_proposals_for_the_samples_build(name: str) -> None:
    report = built(models.SAMPLES / f"{name}.onnx")
    assert report.ok, report


def test_proposals_for_a_model_of_the_onnx_package_build() -> None:
    [path] = [path for path in models.LIGHT_MODELS if path.stem == "light_squeezenet"]
    report = built(free_batch(path))
    assert report.ok, report
    assert report.plan.profiles[0].shapes["data_0"].max == (8, 3, 224, 224)


def test_a_batch_that_is_baked_in_is_said_to_be_that() -> None:
    [path] = [path for path in models.LIGHT_MODELS if path.stem == "light_zfnet512"]
    report = built(free_batch(path))
    assert report.diagnoses[0].id == "config.profile_range"
    assert "baked into" in report.diagnoses[0].why
