"""A model that is read without the values of its large tensors is otherwise the same, and is described and checked the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

from tests import models
from trtlab.model import skeleton as skeleton_module
from trtlab.model.actions import describe
from trtlab.model.check import check
from trtlab.model.reading import ModelFile
from trtlab.model.skeleton import KEPT_TENSOR_BYTES, raw_bytes, restore_data, skeleton

SAMPLE_FILES = sorted(models.SAMPLES.glob("*.onnx"))


@pytest.fixture(autouse=True)
def _small_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skeleton_module, "_WORTHWHILE_BYTES", 0)


def read(content: bytes) -> onnx.ModelProto:
    return onnx.ModelProto.FromString(skeleton(content))


def without_places(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model without the notes of where its values lie; that these are right is seen when they are put back."""
    for tensor in tensors_of(proto):
        kept = [entry for entry in tensor.metadata_props if entry.key != "trtlab.left_out_at"]
        del tensor.metadata_props[:]
        tensor.metadata_props.extend(kept)
    return proto


def numbers(name: str, count: int) -> TensorProto:
    return numpy_helper.from_array(np.arange(count, dtype=np.float32), name)


def weights_everywhere() -> onnx.ModelProto:
    """Return a model with large and small tensors in the graph, in constants, in a subgraph and in a function."""
    then_nodes = [models.node("Constant", [], ["then"], "large in branch", value=numbers("t", 2000))]
    else_nodes = [models.node("Constant", [], ["else"], "small in branch", value=numbers("e", 3))]
    proto = models.branches(then_nodes, else_nodes)
    proto.graph.node.append(models.node("Constant", [], ["c"], "large constant", value=numbers("c_value", 1500)))
    proto.graph.initializer.extend([numbers("large", 1025), numbers("kept", 1024), numbers("empty", 0)])
    sparse = proto.graph.sparse_initializer.add(dims=[10_000])
    sparse.values.CopyFrom(numbers("sparse", 1100))
    function = proto.functions.add(name="f", domain="local")
    function.node.append(models.node("Constant", [], ["y"], value=numbers("f_value", 1200)))
    return proto


def strip(proto: onnx.ModelProto, sizes: list[int]) -> None:
    """Do slowly, on the message, what the skeleton does on its bytes; collect the sizes in the order of the message."""

    def visit(message: Any) -> None:
        if isinstance(message, TensorProto) and len(message.raw_data) > KEPT_TENSOR_BYTES:
            sizes.append(len(message.raw_data))
            message.ClearField("raw_data")
            message.metadata_props.add(key="trtlab.left_out_bytes", value=str(sizes[-1]))
        for field, value in message.ListFields():
            if field.message_type is not None:
                for inner in [value] if hasattr(value, "ListFields") else value:
                    visit(inner)

    visit(proto)


def test_only_the_values_of_large_tensors_are_left_out() -> None:
    proto = weights_everywhere()
    content = proto.SerializeToString()
    sizes: list[int] = []
    strip(proto, sizes)
    assert sorted(sizes) == [4 * count for count in (1025, 1100, 1200, 1500, 2000)]
    assert without_places(read(content)) == proto
    assert len(skeleton(content)) < len(content) - sum(sizes) + 100 * len(sizes)


def test_the_size_of_what_was_left_out_is_known() -> None:
    graph = read(weights_everywhere().SerializeToString()).graph
    assert {tensor.name: raw_bytes(tensor) for tensor in graph.initializer} == {"large": 4100, "kept": 4096, "empty": 0}


def test_a_note_that_is_no_number_counts_as_none() -> None:
    for text in ("", "many", "-1", "٣", "1e9"):
        tensor = TensorProto()
        tensor.metadata_props.add(key="trtlab.left_out_bytes", value=text)
        assert raw_bytes(tensor) == 0


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.name)
def test_samples_are_described_and_checked_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    light = ModelFile(path)
    monkeypatch.setattr(skeleton_module, "_WORTHWHILE_BYTES", 1 << 40)
    whole = ModelFile(path)
    assert describe(light) == describe(whole)
    assert check(light.proto, folder=path.parent) == check(whole.proto, folder=path.parent)


def test_a_large_weight_of_the_wrong_size_is_found(tmp_path: Path) -> None:
    proto = models.convolution()
    tensor = proto.graph.initializer.add(name="short", data_type=TensorProto.FLOAT, dims=[1300], raw_data=bytes(5000))
    findings = check(ModelFile(models.save(proto, tmp_path / "model.onnx")).proto)
    assert [finding.tensor for finding in findings if finding.id == "model.initializer"] == [tensor.name]
    assert "needs 5200 bytes, the file has 5000" in findings[0].text


def test_a_large_file_is_read_and_hashed_in_blocks(tmp_path: Path) -> None:
    proto = models.relu()
    proto.graph.initializer.append(numbers("unused", 3_000_000))
    path = models.save(proto, tmp_path / "model.onnx")
    file = ModelFile(path)
    content = path.read_bytes()
    assert bytes(file.content) == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert describe(file).weights_bytes == 12_000_000


@settings(max_examples=200)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_left_to_protobuf(content: bytes) -> None:
    assert skeleton(content) == content


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 40_000), flips=st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 255)), max_size=3))
def test_damaged_models_are_refused_or_read_as_before(cut: int, flips: list[tuple[int, int]]) -> None:
    content = bytearray(weights_everywhere().SerializeToString())
    for position, value in flips:
        content[position % len(content)] ^= value
    damaged = bytes(content[: max(len(content) - cut, 0)])
    try:
        expected = onnx.ModelProto.FromString(damaged)
    except Exception:  # noqa: BLE001 - protobuf's own error, in whichever version
        with pytest.raises(Exception):  # noqa: B017, PT011
            onnx.ModelProto.FromString(skeleton(damaged))
        return
    strip(expected, [])
    assert without_places(read(damaged)) == without_places(expected)


def tensors_of(message: Any) -> list[TensorProto]:
    """Return all tensors in a message, at any depth."""
    found = [message] if isinstance(message, TensorProto) else []
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if hasattr(value, "ListFields") else value:
                found += tensors_of(inner)
    return found


def test_what_was_left_out_is_put_back_as_it_was() -> None:
    proto = weights_everywhere()
    proto.graph.initializer[0].metadata_props.add(key="of the model", value="stays")
    content = proto.SerializeToString()
    light = read(content)
    assert not light.graph.initializer[0].raw_data
    for tensor in tensors_of(light):
        restore_data(tensor, content)
    assert light == proto
    assert light.SerializeToString(deterministic=True) == proto.SerializeToString(deterministic=True)


@pytest.mark.parametrize("place", ["", "x", "-4", "99999999999"])
def test_a_note_of_a_model_that_imitates_ours_does_no_harm(place: str) -> None:
    """Notes are looked at in models that were read from a file: one may have been written there by anybody."""
    tensor = TensorProto(name="t")
    tensor.metadata_props.add(key="trtlab.left_out_bytes", value="8")
    tensor.metadata_props.add(key="trtlab.left_out_at", value=place)
    restore_data(tensor, b"content!")
    assert len(tensor.raw_data) <= 8
    assert tensor.name == "t"
