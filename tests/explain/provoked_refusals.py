"""Models of one node that TensorRT's parser refuses, and what has to be said of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from tests import models

FLOAT, HALF, DOUBLE, INT8, UINT8, INT32, INT64, BOOL = (
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32,
    TensorProto.INT64, TensorProto.BOOL,
)  # fmt: skip


@dataclass(frozen=True)
class Provoked:
    """One node that is refused, and what has to be said.

    Attributes:
        operator: Of the node.
        inputs: Its inputs: a shape and a type for one of the model, an array for an initializer, None for one left out.
        says: What has to stand in the reason and its evidence.
        instead: What has to stand in the first remedy.
        id: The diagnosis.
        outputs: Its outputs.
        opset: Of the model.
        attributes: Of the node.
    """

    operator: str
    inputs: tuple[Any, ...]
    says: tuple[str, ...]
    instead: str = ""
    id: str = "parse.unsupported_node"
    outputs: tuple[str, ...] = ("y",)
    opset: int = 18
    attributes: dict[str, Any] = field(default_factory=dict)

    def make(self) -> onnx.ModelProto:
        """Return the model."""
        names: list[str] = []
        inputs, weights = [], []
        for letter, item in zip("abcdefgh", self.inputs, strict=False):
            names.append("" if item is None else letter)
            if isinstance(item, np.ndarray):
                weights.append(numpy_helper.from_array(item, letter))
            elif item is not None:
                inputs.append(models.value(letter, item[0], item[1] if len(item) > 1 else FLOAT))
        node = models.node(self.operator, names, self.outputs, "the node", **self.attributes)
        outputs = [models.value(name, None) for name in self.outputs if name]
        return models.model([node], inputs, outputs, weights, opsets={"": self.opset})


def floats(*numbers: float) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.float32)


def ints(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int64)


IMAGE = ((1, 1, 4, 4),)
QKV = tuple(((2, 3, 4, 8),) for _ in "qkv")
PROVOKED = {
    # refused as a whole, with the one word `false`
    "det": Provoked("Det", (((2, 2),),), ("determinants", "float32 [2, 2]"), "a*d - b*c"),
    "compress": Provoked(
        "Compress",
        (((4,),), np.array([True, False])),
        ("depends on values", "[True, False]"),
        "Gather",
        "parse.datadependent",
        attributes={"axis": 0},
    ),
    "unique": Provoked("Unique", (((4,),),), ("depends on values",), "TopK", "parse.datadependent"),
    "matmul of integers": Provoked(
        "MatMulInteger", (((2, 2), INT8), ((2, 2), INT8)), ("compute in integers", "int8 [2, 2]"), "DequantizeLinear"
    ),
    "qlinear": Provoked(
        "QLinearMatMul",
        (((2, 2), INT8), ((),), ((), INT8), ((2, 2), INT8), ((),), ((), INT8), ((),), ((), INT8)),
        ("QLinear format",),
        "QDQ",
    ),
    "dynamic quantize": Provoked(
        "DynamicQuantizeLinear",
        (((4,),),),
        ("uint8 with a zero point",),
        "int8 and zero point 0",
        outputs=("y", "s", "z"),
    ),
    "bits": Provoked("BitwiseAnd", (((4,), INT32), ((4,), INT32)), ("bits of integers", "int32 [4]"), "Cast to bool"),
    "shift": Provoked(
        "BitShift",
        (((4,), INT32), ((4,), INT32)),
        ("no shifts", "direction = LEFT"),
        "Mul by 2",
        attributes={"direction": "LEFT"},
    ),
    "grid": Provoked(
        "AffineGrid",
        (((1, 2, 3),), ints(1, 1, 4, 4)),
        ("affine", "size ('b') is a constant, int64 [4] = [1, 1, 4, 4]"),
        "MatMul",
        opset=20,
    ),
    "col2im": Provoked("Col2Im", (((1, 4, 4),), ints(4, 4), ints(2, 2)), ("overlapping blocks",), "ConvTranspose"),
    "sequence": Provoked("SplitToSequence", (((4,),),), ("no sequences",), "Split"),
    "loss": Provoked("SoftmaxCrossEntropyLoss", (((3, 5),), ((3,), INT64)), ("loss of training",), "without the loss"),
    "strings": Provoked("StringNormalizer", (), ("no strings",), "before the engine", outputs=("y",)),
    "unpool": Provoked(
        "MaxUnpool",
        (((1, 1, 2, 2),), ((1, 1, 2, 2), INT64)),
        ("no indices", "kernel_shape = [2, 2]"),
        "ConvTranspose",
        attributes={"kernel_shape": [2, 2]},
    ),
    # values that have to be constants
    "axes of a sum": Provoked(
        "ReduceSum",
        (((2, 4),), ((1,), INT64)),
        ("axes ('b')", "int64 [1]", "known at run time only"),
        "initializer",
        "parse.datadependent",
    ),
    "axes of unsqueeze": Provoked(
        "Unsqueeze",
        (((2, 4),), ((1,), INT64)),
        ("axes of Unsqueeze", "input of the model"),
        "initializer",
        "parse.datadependent",
    ),
    "scales": Provoked(
        "Resize", (IMAGE, None, ((4,),)), ("scales ('c')", "float32 [4]", "run time"), "sizes", "parse.datadependent"
    ),
    "scales of upsample": Provoked(
        "Upsample", (IMAGE, ((4,),)), ("scales ('b')",), "sizes", "parse.datadependent", opset=9
    ),
    "float range": Provoked(
        "Range",
        (((),), floats(4)[0:1].reshape(()), floats(1).reshape(())),
        ("length of Range", "start ('a') (float32 scalar)"),
        "int64",
        "parse.datadependent",
    ),
    "depth": Provoked(
        "OneHot",
        (((3,), INT64), ((),), floats(0, 1)),
        ("depth ('b')", "float32 scalar"),
        "int64",
        "parse.datadependent",
    ),
    "dropout": Provoked(
        "Dropout",
        (((2, 4),), floats(0.5).reshape(()), ((), BOOL)),
        ("training_mode",),
        "model.eval()",
        "parse.datadependent",
    ),
    "frame": Provoked(
        "STFT", (((1, 64, 1),), ((), INT64)), ("frame_step ('b')",), "initializers", "parse.datadependent"
    ),
    "shape of unknown length": Provoked(
        "Reshape",
        (((2, 4),), (("n",), INT64)),
        ("rank of the output", "int64 [n]"),
        "fixed length",
        "parse.datadependent",
    ),
    "dynamic eye": Provoked("EyeLike", ((("n", 4),),), ("static shape", "[n, 4]"), "Fix", "parse.datadependent"),
    # attributes
    "dilations": Provoked(
        "MaxPool",
        (IMAGE,),
        ("without dilation", "dilations = [2, 2]"),
        "Conv",
        attributes={"kernel_shape": [2, 2], "dilations": [2, 2]},
    ),
    "p": Provoked("LpPool", (IMAGE,), ("p=1 and p=2", "p = 3"), "Pow", attributes={"kernel_shape": [2, 2], "p": 3}),
    "antialias": Provoked(
        "Resize",
        (IMAGE, None, floats(1, 1, 2, 2)),
        ("antialiasing", "antialias = 1", "mode = linear"),
        "antialias=0",
        attributes={"antialias": 1, "mode": "linear"},
    ),
    "aspect": Provoked(
        "Resize",
        (IMAGE, None, None, ints(1, 1, 8, 8)),
        ("aspect ratio", "keep_aspect_ratio_policy = not_larger"),
        "sizes",
        attributes={"keep_aspect_ratio_policy": "not_larger"},
    ),
    "coordinates": Provoked(
        "Resize",
        (IMAGE, None, floats(1, 1, 2, 2)),
        ("half_pixel", "= half_pixel_symmetric"),
        "Choose",
        opset=19,
        attributes={"coordinate_transformation_mode": "half_pixel_symmetric"},
    ),
    "cubic": Provoked(
        "Resize",
        (((1, 2, 2, 2),), None, floats(1, 2, 2, 2)),
        ("last two axes", "mode = cubic", "= [1, 2, 2, 2]"),
        "Transpose",
        attributes={"mode": "cubic"},
    ),
    "scatter": Provoked(
        "ScatterND",
        (((2, 4),), ((2, 1), INT64), ((2, 4),)),
        ("overwrites only", "reduction = add"),
        "GatherND",
        attributes={"reduction": "add"},
    ),
    "scatter elements": Provoked(
        "ScatterElements",
        (((2, 4),), ((2, 4), INT64), ((2, 4),)),
        ("overwrites only", "reduction = max"),
        "GatherElements",
        attributes={"reduction": "max"},
    ),
    "softcap": Provoked("Attention", QKV, ("softcap", "softcap = 2"), "Tanh", opset=23, attributes={"softcap": 2.0}),
    "past": Provoked("Attention", QKV, ("first output", "pk"), "Concat", opset=23, outputs=("y", "pk", "pv")),
    "mask and causal": Provoked(
        "Attention",
        (*QKV, ((4, 4),)),
        ("not both", "is_causal = 1", "attn_mask ('d')"),
        "Trilu",
        opset=23,
        attributes={"is_causal": 1},
    ),
    "statistics": Provoked(
        "LayerNormalization", (((2, 4),), ((4,),)), ("first output", "Mean ('m')"), "ReduceMean", outputs=("y", "m")
    ),
    "indices": Provoked(
        "MaxPool",
        (IMAGE,),
        ("indices of the maxima", "Indices ('i')"),
        "Remove",
        outputs=("y", "i"),
        attributes={"kernel_shape": [2, 2]},
    ),
    "training": Provoked(
        "BatchNormalization",
        (((1, 4, 3),), *(((4,),) for _ in "sbmv")),
        ("training mode", "training_mode = 1"),
        "model.eval()",
        outputs=("y", "m", "v"),
        attributes={"training_mode": 1},
    ),
    "equation": Provoked(
        "Einsum",
        (((2, 3),), ((3, 4),)),
        ("small letters", "equation = IJ,JK->IK"),
        "small letters",
        attributes={"equation": "IJ,JK->IK"},
    ),
    "forget gate": Provoked(
        "LSTM",
        (((3, 2, 4),), np.ones((1, 20, 4), np.float32), np.ones((1, 20, 5), np.float32)),
        ("couple", "input_forget = 1"),
        "input_forget=0",
        attributes={"hidden_size": 5, "input_forget": 1},
    ),
    "circular": Provoked(
        "TensorScatter",
        (((2, 3, 4, 5),), ((2, 3, 1, 5),), ((2,), INT64)),
        ("mode linear", "mode = circular"),
        "linear",
        opset=24,
        attributes={"mode": "circular"},
    ),
    # data types
    "int16": Provoked(
        "Identity",
        (((2, 4), TensorProto.INT16),),
        ("no int16", "'a' is int16 [2, 4]", "'the node' (Identity)"),
        "int32",
        "parse.dtype",
    ),
    "string": Provoked("Identity", (((2, 4), TensorProto.STRING),), ("no strings",), "numbers", "parse.dtype"),
    "complex": Provoked("Identity", (((2, 4), TensorProto.COMPLEX64),), ("no complex",), "imaginary", "parse.dtype"),
    "float8": Provoked(
        "Identity", (((2, 4), TensorProto.FLOAT8E5M2),), ("no float8e5m2",), "float16", "parse.dtype", opset=21
    ),
    "weights of int16": Provoked(
        "Add", (((2,),), np.array([1, 2], np.int16)), ("no int16", "initializer 'b'"), "int32", "parse.dtype"
    ),
    "cast": Provoked(
        "Cast",
        (((2, 4),),),
        ("to = uint16", "float32 [2, 4]"),
        "int32",
        "parse.dtype",
        attributes={"to": TensorProto.UINT16},
    ),
    "float mod": Provoked("Mod", (((2,),), ((2,),)), ("fmod=0", "float32 [2]"), "fmod=1", "parse.dtype"),
    "half range": Provoked(
        "Range", tuple(((), HALF) for _ in "abc"), ("int32, int64 and float32", "float16 scalar"), "Cast", "parse.dtype"
    ),
    "half celu": Provoked("Celu", (((2, 4), HALF),), ("float32 only", "float16 [2, 4]"), "Elu", "parse.dtype"),
    "uint8": Provoked("Add", (((2,), UINT8), ((2,), UINT8)), ("on uint8", "uint8 [2]"), "int32", "parse.dtype"),
    "comparison of uint8": Provoked(
        "LessOrEqual", (((2,), UINT8), ((2,), UINT8)), ("does not compare uint8",), "int32", "parse.dtype"
    ),
    "two types": Provoked(
        "Add", (((2,),), ((2,), HALF)), ("different types", "float32 [2]", "float16 [2]"), "Cast", "parse.dtype"
    ),
    "two types of where": Provoked(
        "Where", (((2,), BOOL), ((2,),), ((2,), INT64)), ("different types", "int64 [2]"), "Cast", "parse.dtype"
    ),
    "bool sum": Provoked("Add", (((2,), BOOL), ((2,), BOOL)), ("on bool",), "int32", "parse.dtype"),
    "integer product": Provoked(
        "MatMul", (((2, 2), INT64), ((2, 2), INT64)), ("MatMul for int64",), "Cast", "parse.dtype"
    ),
    "integer sine": Provoked("Sin", (((2,), INT64),), ("int64 [2]",), "float32", "parse.dtype"),
    "integer softmax": Provoked("Softmax", (((2,), INT64),), ("is int64", "takes only float32"), "Cast", "parse.dtype"),
    "double noise": Provoked(
        "RandomUniformLike",
        (((2,),),),
        ("float32 and float16", "dtype = float64"),
        "dtype",
        "parse.dtype",
        attributes={"dtype": DOUBLE},
    ),
    # quantization
    "zero point": Provoked(
        "DequantizeLinear",
        (((2, 4), INT8), floats(0.5).reshape(()), np.array(3, np.int8)),
        ("symmetrically", "zero_point ('c')", "= 3"),
        "symmetric",
    ),
    "negative scale": Provoked(
        "DequantizeLinear", (((2, 4), INT8), floats(-0.5).reshape(())), ("zero or negative", "= -0.5"), "Calibrate"
    ),
    "unsigned": Provoked(
        "DequantizeLinear",
        (((2, 4), UINT8), floats(0.5).reshape(())),
        ("not uint8", "uint8 [2, 4]"),
        "int8",
        "parse.dtype",
    ),
    # shapes
    "vector product": Provoked(
        "MatMul", (((3,),), ((2, 3, 4),)), ("vector", "float32 [3]", "float32 [2, 3, 4]"), "Unsqueeze", "parse.shape"
    ),
    "broadcast": Provoked(
        "Add", (((2, 3),), ((3, 3),)), ("broadcast", "float32 [2, 3]", "float32 [3, 3]"), "", "parse.shape"
    ),
    "volume": Provoked(
        "Reshape", (((2, 3),), ints(4, 2)), ("[2,3] cannot become [4,2]", "= [4, 2]"), "", "parse.shape"
    ),
    "rank of gemm": Provoked(
        "Gemm", (((2, 3, 4),), ((4, 3),)), ("two axes", "float32 [2, 3, 4]"), "MatMul", "parse.shape"
    ),
    "nine axes": Provoked("Relu", (((1,) * 9,),), ("more than eight axes",), "Reshape", "parse.shape"),
    "nine axes between": Provoked(
        "Unsqueeze", (((1,) * 8,), ints(0)), ("more than eight axes", "= [0]"), "Reshape", "parse.shape"
    ),
}
