"""Constants outside int32 and float32 are found wherever the file keeps them: inline, large in the file, or in a file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests import models
from tests.support.findings.looking import array, found
from trtlab.model.reading import ModelFile
from trtlab.support.findings import model_findings


def with_weight(weight: onnx.TensorProto, *more: onnx.TensorProto) -> onnx.ModelProto:
    nodes = [models.node("Cast", ["w"], ["c"], to=1), models.node("Add", ["x", "c"], ["y"])]
    return models.model(nodes, initializers=[weight, *more])


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([2**31 - 1, -(2**31)], np.int64, []),
        ([2**31], np.int64, [("info", "int64_range", "w")]),
        ([2**63 - 1, -(2**63)], np.int64, []),  # "to the end"
        ([2**63 - 1, -(2**40)], np.int64, [("info", "int64_range", "w")]),
        ([2**63 - 1, 2**40, -(2**63)], np.int64, [("info", "int64_range", "w")]),
        ([0.1, np.inf, np.nan], np.float64, []),
        ([1e300], np.float64, [("warning", "float64_range", "w")]),
    ],
)
def test_the_limits(values: list[Any], dtype: Any, expected: list[tuple[str, str, str]]) -> None:
    assert [item for item in found(with_weight(array("w", values, dtype))) if item[1] != "float64"] == expected


def large(value: float) -> np.ndarray[Any, Any]:
    """Return numbers whose last one matters, too many to be kept in the message."""
    return np.append(np.zeros(10_000, np.float64), value)


@pytest.mark.parametrize(("value", "count"), [(1.0, 0), (1e300, 1)])
def test_values_that_are_left_out_of_the_message_are_read_from_the_file(
    tmp_path: Path, value: float, count: int
) -> None:
    filler = models.weight("filler", 1 << 20, 2)  # 8 MiB, so that the file is worth a skeleton
    proto = with_weight(numpy_helper.from_array(large(value), "w"), filler)
    file = ModelFile(models.save(proto, tmp_path / "model.onnx"))
    assert not file.proto.graph.initializer[0].HasField("raw_data")
    assert sum(finding.id == "support.float64_range" for finding in model_findings(file)) == count


@pytest.mark.parametrize(("value", "count"), [(1.0, 0), (1e300, 1)])
def test_values_beside_the_model_are_read(tmp_path: Path, value: float, count: int) -> None:
    values = large(value)
    (tmp_path / "weights.bin").write_bytes(b"8 bytes!" + values.tobytes())
    weight = numpy_helper.from_array(values, "w")
    proto = with_weight(models.external(weight, "weights.bin", offset=8, length=values.nbytes))
    file = ModelFile(models.save(proto, tmp_path / "model.onnx"))
    assert sum(finding.id == "support.float64_range" for finding in model_findings(file)) == count
