"""The smallest model that TensorRT still refuses: refused anew, valid, alone, and saved whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.checker
import pytest

import trtlab
from tests import models
from tests.build.outcomes import pool_here
from tests.build.restricted import in_own_thread, make_read_only, mount_small_disk, obey_permissions
from tests.explain.provoked.processes import scan_of_too_many
from tests.explain.provoked_refusals import PROVOKED
from tests.support.hostile_models import (
    SHAPE,
    det,
    external_weights,
    functions_in_functions,
    large_weights,
    named,
    nested,
)
from tests.support.joined_models import joined_model
from tests.support.test_session import attention_on_one_tensor
from trtlab._errors import InputError, OutputExistsError
from trtlab.support.reduction import ReducedModel, reduce_in, reduce_model
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveySession


def check_reduced(report: SupportReport, number: int, path: Path, *, is_valid: bool = True) -> ReducedModel:
    """Reduce to a node and fail unless the saved model, in an empty folder, is valid and refused for the same node."""
    verdict = report.nodes[number]
    reduced = reduce_model(report, number, output=str(path))
    assert reduced.path == str(path)
    assert reduced.file_bytes == path.stat().st_size
    assert reduced.tensorrt_message
    alone = path.parent / "alone"
    alone.mkdir(exist_ok=True)
    moved = path.rename(alone / "moved.onnx")
    proto = onnx.load(moved)
    if is_valid:
        onnx.checker.check_model(proto)
    assert reduced.node_count == len(proto.graph.node)
    again = trtlab.check(moved, depth="full" if verdict.refused_by == "builder" else "quick")
    assert not again.supported
    found = {(other.node.op_type, other.node.name) for other in again.unsupported}
    assert (verdict.node.op_type, verdict.node.name) in found
    return reduced


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_each_refused_node_of_a_joined_model_stands_in_a_small_one(seed: int, tmp_path: Path) -> None:
    proto, model = joined_model(seed, 5, with_builder_faults=True)
    report = trtlab.check(proto)
    assert {verdict.node.name for verdict in report.unsupported} == model.faulty
    for verdict in report.unsupported:
        reduced = check_reduced(report, verdict.number, tmp_path / f"{verdict.number}.onnx")
        assert reduced.node_count <= 3, verdict.node.name


@pytest.mark.parametrize("name", sorted(PROVOKED)[::4])
def test_refusals_of_all_kinds_are_reduced(name: str, tmp_path: Path) -> None:
    proto = PROVOKED[name].make()
    report = trtlab.check(proto, depth="quick")
    for verdict in report.unsupported[:1]:
        check_reduced(report, verdict.number, tmp_path / "small.onnx", is_valid=is_valid(proto))


def is_valid(proto: onnx.ModelProto) -> bool:
    """Whether a model keeps ONNX's rules; some that TensorRT refuses do not."""
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError:
        return False
    return True


def test_a_long_model_becomes_one_node(tmp_path: Path) -> None:
    proto = models.chain(300)
    proto.graph.node.append(models.node("Bernoulli", ["t150"], ["b"], "refused"))
    report = trtlab.check(proto, depth="quick")
    reduced = reduce_model(report, output=str(tmp_path / "small.onnx"))
    assert reduced.node_count == 1
    assert [item.name for item in reduced.inputs] == ["t150"]
    assert [item.name for item in reduced.outputs] == ["b"]
    assert "still refused" in repr(reduced)


@pytest.mark.parametrize(
    "make", [lambda: nested(2), functions_in_functions, large_weights, lambda: named("a\nb"), attention_on_one_tensor]
)
def test_nodes_in_branches_and_functions_and_behind_large_weights(
    make: Callable[[], onnx.ModelProto], tmp_path: Path
) -> None:
    report = trtlab.check(make())
    for verdict in report.unsupported:
        check_reduced(report, verdict.number, tmp_path / f"{verdict.number}.onnx")


@pytest.mark.parametrize(("make", "name"), [(attention_on_one_tensor, "attention"), (scan_of_too_many, "scan")])
def test_a_node_on_which_tensorrt_crashes_is_reduced_too(
    make: Callable[[], onnx.ModelProto], name: str, tmp_path: Path
) -> None:
    """That is the model to report to NVIDIA."""
    report = trtlab.check(make())
    reduced = report.reduce(name, output=str(tmp_path / "small.onnx"))
    assert reduced.node_count == 1
    assert reduced.tensorrt_message
    assert [verdict.node.name for verdict in trtlab.check(reduced.path).unsupported] == [name]


def test_external_weights_are_inside(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = external_weights(folder)
    proto = onnx.load(path, load_external_data=False)
    proto.graph.node[0].op_type = "MatMulInteger"  # reads the weights, and is refused: they are floats
    models.save(proto, path)
    report = trtlab.check(path, depth="quick")
    number = next(verdict.number for verdict in report.unsupported if verdict.node.op_type == "MatMulInteger")
    small = reduce_model(report, number, output=str(tmp_path / "small.onnx"))
    [weight] = onnx.load(small.path, load_external_data=False).graph.initializer
    assert weight.data_location == weight.DEFAULT
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(weight), np.ones((4, 4), np.float32))


def test_what_is_not_refused_is_not_reduced(tmp_path: Path) -> None:
    report = trtlab.check(
        models.model([models.node("Relu", ["x"], ["a"], "relu"), det("a")], [models.value("x", SHAPE)])
    )
    with pytest.raises(InputError, match="does not refuse"):
        report.reduce("relu", output=str(tmp_path / "small.onnx"))
    with pytest.raises(InputError, match="no single node"):
        trtlab.check(models.relu((1, 4))).reduce()
    assert list(tmp_path.iterdir()) == []


# Where it is saved


def faulty() -> onnx.ModelProto:
    return models.model([det("x")], [models.value("x", SHAPE)], [models.value("y", (1,))])


def test_a_file_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    report = trtlab.check(faulty(), depth="quick")
    path = tmp_path / "small.onnx"
    path.write_bytes(b"precious")
    for output in (str(path), str(tmp_path / "small")):
        with pytest.raises(OutputExistsError, match="is there already"):
            report.reduce(output=output)
    with SurveySession(faulty()) as session, pytest.raises(OutputExistsError):
        reduce_in(session, session.check(), 0, path)  # it came after the name was looked at
    assert path.read_bytes() == b"precious"
    assert [item.name for item in tmp_path.iterdir()] == ["small.onnx"]


def heavy() -> onnx.ModelProto:
    """Return a model whose refused node has two megabytes of weights."""
    product = models.node("MatMulInteger", ["x", "w"], ["y"], "product")
    return models.model(
        [product], [models.value("x", (1, 512))], [models.value("y", None)], [models.weight("w", 512, 1024)]
    )


def check_unsaved(folder: Path, number: int, *restrictions: Callable[[], object]) -> None:
    """Fail unless reducing into a folder fails with that system error, and leaves nothing there."""

    def reduce() -> None:
        with pool_here() as pool, SurveySession(heavy(), pool=pool) as session:
            report = session.check()
            with pytest.raises(InputError) as caught:
                reduce_in(session, report, 0, folder / "small.onnx")
        assert os.strerror(number) in str(caught.value)
        assert str(folder / "small.onnx") in str(caught.value)
        assert list(folder.iterdir()) == []

    in_own_thread(*restrictions, reduce)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    check_unsaved(tmp_path, errno.ENOSPC, lambda: mount_small_disk(tmp_path, 2**20))


def test_a_disk_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    check_unsaved(tmp_path, errno.EROFS, lambda: make_read_only(tmp_path))


def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    check_unsaved(folder, errno.EACCES, obey_permissions)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    report = trtlab.check(faulty(), depth="quick")
    with pytest.raises(InputError, match=r"none/small\.onnx cannot be written: No such file"):
        report.reduce(output=str(tmp_path / "none" / "small.onnx"))
