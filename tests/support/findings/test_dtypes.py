"""Every data type that TensorRT lacks is found wherever it stands, once for each kind of place, and the usual ones are not."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests import models
from tests.support.findings.looking import array, findings_of, found

FIXED = (1, 4)
MISSING = ["INT16", "UINT16", "UINT32", "UINT64", "COMPLEX64", "STRING", "FLOAT8E5M2", "UINT4"]
USUAL = ["FLOAT", "FLOAT16", "BFLOAT16", "INT32", "INT64", "BOOL"]


def cast(source: str, target: str, dtype: int) -> onnx.NodeProto:
    return models.node("Cast", [source], [target], f"to_{target}", to=dtype)


@pytest.mark.parametrize("name", [*MISSING, *USUAL])
def test_an_input_and_a_cast(name: str) -> None:
    dtype = TensorProto.DataType.Value(name)
    as_input = models.model([cast("x", "y", TensorProto.FLOAT)], [models.value("x", FIXED, dtype)])
    between = models.model([cast("x", "c", dtype), cast("c", "y", TensorProto.FLOAT)])
    assert found(as_input) == ([("warning", "dtype_missing", "x")] if name in MISSING else [])
    assert found(between) == ([("warning", "dtype_missing", "c")] if name in MISSING else [])


def test_initializers_are_found_even_if_nothing_reads_them_and_told_in_one_finding() -> None:
    weights = [models.weight(f"w{index}", 2, dtype=np.int16) for index in range(40)]
    (finding,) = findings_of(models.model([models.node("Relu", ["x"], ["y"])], initializers=weights))
    assert "40 initializers of type int16: 'w0', 'w1', 'w2' and 37 more" in finding.text
    assert "read by no node" in finding.text


def test_a_constant_in_a_branch_is_found_with_its_node() -> None:
    constant = models.node("Constant", [], ["c"], "held", value=models.weight("", 1, 4, dtype=np.uint32))
    proto = models.branches([constant, cast("c", "t", 1)], [models.node("Relu", ["x"], ["e"])])
    (finding,) = findings_of(proto)
    assert finding.node is not None
    assert (finding.tensor, finding.node.scope) == ("c", "choice/then_branch")


def test_a_sequence_is_no_tensor() -> None:
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    proto = models.model(
        [models.node("SequenceAt", ["s", "i"], ["y"])], [sequence], initializers=[array("i", 0, np.int64)]
    )
    assert ("warning", "dtype_missing", "s") in found(proto)


def test_float64_is_told_with_the_bindings_that_change() -> None:
    proto = models.relu(dtype=TensorProto.DOUBLE)
    (finding,) = findings_of(proto)
    assert (finding.severity, finding.id) == ("info", "support.float64")
    assert "'x' and 'y' will be float32" in finding.text


def test_uint8_is_taken_where_a_cast_reads_it_and_nowhere_else() -> None:
    image = models.value("x", FIXED, TensorProto.UINT8)
    assert found(models.model([cast("x", "y", 1)], [image])) == []
    transposed = models.model([models.node("Transpose", ["x"], ["t"]), cast("t", "y", 1)], [image])
    assert found(transposed) == [("warning", "uint8", "x")]
    between = models.model([cast("x", "c", TensorProto.UINT8), cast("c", "y", 1)])
    assert found(between) == [("warning", "uint8", "c")]
    output = models.model([cast("x", "y", TensorProto.UINT8)], outputs=[models.value("y", dtype=TensorProto.UINT8)])
    assert found(output) == []


def test_an_int8_constant_belongs_in_front_of_dequantize_linear() -> None:
    weight, scale = models.weight("w", 4, 4, dtype=np.int8), array("s", 0.1)
    direct = [models.node("DequantizeLinear", ["w", "s"], ["d"]), models.node("MatMul", ["x", "d"], ["y"])]
    assert found(models.model(direct, initializers=[weight, scale])) == []
    turned = [models.node("Transpose", ["w"], ["t"]), models.node("DequantizeLinear", ["t", "s"], ["d"]), direct[1]]
    (finding,) = findings_of(models.model(turned, initializers=[weight, scale]))
    assert (finding.id, finding.tensor) == ("support.quantized_constant", "w")
    assert "Apply the Transpose to the stored values" in finding.text


def test_an_identity_in_front_of_a_zero_point_is_taken() -> None:
    nodes = [
        models.node("Identity", ["z"], ["i"]),
        models.node("QuantizeLinear", ["x", "s", "i"], ["q"]),
        models.node("DequantizeLinear", ["q", "s", "i"], ["y"]),
    ]
    assert found(models.model(nodes, initializers=[array("s", 0.1), array("z", 0, np.int8)])) == []


def test_float8_belongs_between_the_quantizing_operators() -> None:
    float8 = TensorProto.FLOAT8E4M3FN
    quantize = models.node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=float8)
    good = models.model(
        [quantize, models.node("DequantizeLinear", ["q", "s"], ["y"])], initializers=[array("s", 0.1)], opsets={"": 23}
    )
    read = models.model([quantize, cast("q", "y", 1)], initializers=[array("s", 0.1)], opsets={"": 23})
    made = models.model(
        [cast("x", "q", float8), models.node("DequantizeLinear", ["q", "s"], ["y"])],
        initializers=[array("s", 0.1)],
        opsets={"": 23},
    )
    assert found(good) == []
    assert found(read) == found(made) == [("warning", "quantized_tensor", "q")]
