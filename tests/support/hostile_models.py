"""Models that nobody exports, each with one refused node named `det` where it can have one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import models

SHAPE = (1, 4, 4)
LONG = "n" * 10_000
HTML = "<img src=x onerror=alert(1)>&\"'</script><script>alert(2)</script>"
Make = Callable[[], onnx.ModelProto]


def det(source: str, made: str = "y", name: str = "det") -> onnx.NodeProto:
    """Return a node that TensorRT refuses."""
    return models.node("Det", [source], [made], name)


def around(*nodes: onnx.NodeProto, opsets: dict[str, int] | None = None) -> onnx.ModelProto:
    """Return a model of some nodes that reads `x` and makes `y`."""
    return models.model(list(nodes), [models.value("x", SHAPE)], [models.value("y", (1,))], opsets=opsets)


def circle() -> onnx.ModelProto:
    """Two nodes that feed each other, beside a refused one."""
    a = models.node("Add", ["x", "b"], ["a"], "a")
    b = models.node("Relu", ["a"], ["b"], "b")
    return around(a, b, det("x"), models.node("Relu", ["b"], ["z"], "behind"))


def own_circle() -> onnx.ModelProto:
    """A node that reads what it makes."""
    return around(models.node("Add", ["x", "a"], ["a"], "a"), det("x"))


def same_node_names() -> onnx.ModelProto:
    """All nodes have one name."""
    nodes = [models.node("Relu", ["x"], ["a"], "det"), models.node("Sin", ["a"], ["b"], "det"), det("b")]
    return around(*nodes)


def same_tensor_names() -> onnx.ModelProto:
    """Two nodes make one tensor, which a third one reads."""
    nodes = [models.node("Relu", ["x"], ["a"], "first"), models.node("Sin", ["x"], ["a"], "second"), det("a")]
    return around(*nodes)


def unsorted() -> onnx.ModelProto:
    """Nodes stand before those whose outputs they read."""
    return around(det("b"), models.node("Sin", ["a"], ["b"], "second"), models.node("Relu", ["x"], ["a"], "first"))


def missing_tensor() -> onnx.ModelProto:
    """A node reads what nothing makes."""
    return around(models.node("Add", ["x", "nowhere"], ["a"], "add"), det("x"))


def named(name: str) -> onnx.ModelProto:
    """Everything has one awkward name."""
    nodes = [models.node("Relu", [name], [f"{name}1"], name), det(f"{name}1", f"{name}2")]
    return models.model(nodes, [models.value(name, SHAPE)], [models.value(f"{name}2", (1,))])


def no_names() -> onnx.ModelProto:
    """Nodes, the graph and what nothing reads have no names."""
    proto = around(
        models.node("Relu", ["x"], ["a"]), models.node("Det", ["a"], ["y"]), models.node("Relu", ["x"], [""])
    )
    proto.graph.name = ""
    return proto


def million_elements() -> onnx.ModelProto:
    """An attribute of a million numbers, one by one."""
    constant = models.node("Constant", [], ["c"], "constant", value_floats=np.ones(1_000_000, np.float32).tolist())
    return around(
        constant, models.node("ReduceSum", ["c"], ["s"], "sum"), models.node("Add", ["x", "s"], ["a"], "add"), det("a")
    )


def nested(depth: int) -> onnx.ModelProto:
    """Ifs in each other, the refused node in the innermost."""
    inner = models.graph([det("x", "y0")], outputs=[models.value("y0", (1,))])
    for level in range(depth):
        other = models.graph(
            [models.node("Constant", [], [f"c{level}"], value_floats=[1.0])], outputs=[models.value(f"c{level}", (1,))]
        )
        choice = models.node("If", ["flag"], [f"y{level + 1}"], f"if{level}", then_branch=inner, else_branch=other)
        inner = models.graph([choice], outputs=[models.value(f"y{level + 1}", (1,))])
    inputs = [models.value("x", SHAPE), models.value("flag", (), TensorProto.BOOL)]
    return models.model(list(inner.node), inputs, list(inner.output))


def many_ifs(count: int) -> onnx.ModelProto:
    """Ifs in a row, one refused node behind them."""
    nodes = []
    for number in range(count):
        branches = [
            models.graph([models.node(operator, [f"t{number}"], [f"b{number}{operator}"])],
                         outputs=[models.value(f"b{number}{operator}", SHAPE)])
            for operator in ("Relu", "Sin")
        ]  # fmt: skip
        nodes.append(
            models.node(
                "If", ["flag"], [f"t{number + 1}"], f"if{number}", then_branch=branches[0], else_branch=branches[1]
            )
        )
    inputs = [models.value("t0", SHAPE), models.value("flag", (), TensorProto.BOOL)]
    return models.model([*nodes, det(f"t{count}")], inputs, [models.value("y", (1,))])


def function(name: str, nodes: list[onnx.NodeProto]) -> onnx.FunctionProto:
    """Return a local function from `a` to `b`."""
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    return helper.make_function("local", name, ["a"], ["b"], nodes, imports)


def calling(*functions: onnx.FunctionProto) -> onnx.ModelProto:
    """Return a model that calls the last of some functions twice."""
    nodes = [
        helper.make_node(functions[-1].name, ["x"], ["m"], name="call1", domain="local"),
        helper.make_node(functions[-1].name, ["x"], ["y"], name="call2", domain="local"),
    ]
    return models.model(
        nodes, [models.value("x", SHAPE)], [models.value("y", (1,))], opsets={"": 17, "local": 1}, functions=functions
    )


def call(name: str) -> onnx.NodeProto:
    """Return a call of a local function from inside another one."""
    return helper.make_node(name, ["a"], ["b"], name=f"call_{name}", domain="local")


def functions_in_functions() -> onnx.ModelProto:
    """Three functions, the refused node in the innermost."""
    inner = function("Inner", [models.node("Relu", ["a"], ["r"], "relu"), det("r", "b")])
    return calling(inner, function("Middle", [call("Inner")]), function("Outer", [call("Middle")]))


def endless_function() -> onnx.ModelProto:
    """A function that calls itself."""
    return calling(function("Self", [call("Self")]))


def endless_functions() -> onnx.ModelProto:
    """Two functions that call each other."""
    return calling(function("Ping", [call("Pong")]), function("Pong", [call("Ping")]))


def exploding_functions() -> onnx.ModelProto:
    """Twenty-four functions that each call the one before twice: sixteen million nodes if they were put in place."""
    found = [function("F0", [models.node("Relu", ["a"], ["b"], "relu")])]
    for number in range(1, 25):
        first = helper.make_node(f"F{number - 1}", ["a"], ["m"], domain="local")
        found.append(function(f"F{number}", [first, helper.make_node(f"F{number - 1}", ["m"], ["b"], domain="local")]))
    return calling(*found)


def no_opsets() -> onnx.ModelProto:
    """No operator set is imported."""
    proto = around(models.node("Relu", ["x"], ["a"], "relu"), det("a"))
    del proto.opset_import[:]
    return proto


def sparse_weight() -> onnx.ModelProto:
    """A sparse initializer."""
    proto = around(models.node("Add", ["x", "w"], ["a"], "add"), det("a"))
    values = numpy_helper.from_array(np.array([2.0], np.float32), "w")
    indices = numpy_helper.from_array(np.array([3], np.int64), "w_at")
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    return proto


def weights_among_inputs() -> onnx.ModelProto:
    """IR version 3: each initializer is an input too."""
    proto = around(models.node("Add", ["x", "w"], ["a"], "add"), det("a"))
    proto.graph.initializer.append(models.weight("w", 4))
    proto.graph.input.append(models.value("w", (4,)))
    proto.ir_version = 3
    return proto


def left_out_input() -> onnx.ModelProto:
    """An optional input that is left out, before one that is there."""
    proto = around(models.node("Clip", ["x", "", "limit"], ["a"], "clip"), det("a"))
    proto.graph.initializer.append(models.weight("limit"))
    return proto


def large_weights() -> onnx.ModelProto:
    """Five megabytes each in an initializer, in a Constant and in a branch: they are left out when the model is read."""
    size = 1_310_720
    constant = models.node("Constant", [], ["c"], "constant", value=models.weight("c_value", size))
    inner = models.node("Constant", [], ["k"], "inner", value=models.weight("k_value", size))
    then = models.graph(
        [inner, models.node("ReduceMax", ["k"], ["tm"], "then_max", keepdims=0)], outputs=[models.value("tm", ())]
    )
    other = models.graph(
        [models.node("ReduceMin", ["c"], ["om"], "else_min", keepdims=0)], outputs=[models.value("om", ())]
    )
    nodes = [
        constant,
        models.node("Mul", ["c", "w"], ["p"], "product"),
        models.node("ReduceSum", ["p"], ["s"], "sum", keepdims=0),
        models.node("If", ["flag"], ["f"], "choice", then_branch=then, else_branch=other),
        models.node("Add", ["s", "f"], ["sf"], "add"),
        models.node("Mul", ["x", "sf"], ["a"], "scaled"),
        det("a"),
    ]
    inputs = [models.value("x", SHAPE), models.value("flag", (), TensorProto.BOOL)]
    return models.model(nodes, inputs, [models.value("y", (1,))], [models.weight("w", size)])


def nested_bytes(depth: int) -> bytes:
    """Return a serialized model of Ifs in each other, deeper than protobuf lets anybody write it."""
    graph = models.graph([models.node("Relu", ["x"], ["y"])], outputs=[models.value("y", SHAPE)]).SerializeToString()
    node = onnx.NodeProto(op_type="If", input=["flag"], output=["y"]).SerializeToString()
    attribute = onnx.AttributeProto(name="then_branch", type=onnx.AttributeProto.GRAPH).SerializeToString()
    described = onnx.GraphProto(name="g", output=[models.value("y", SHAPE)]).SerializeToString()
    for _ in range(depth):
        holder = node + field(5, attribute + field(6, graph))
        graph = described + field(1, holder)
    return onnx.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)]).SerializeToString() + field(
        7, graph
    )


def field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field as it stands in a serialized message."""
    size, length = bytearray(), len(content)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + content


def external_weights(folder: Path) -> Path:
    """Write a model whose weights lie in a file beside it; return its path."""
    proto = around(
        models.node("MatMul", ["x", "w"], ["m"], "matmul"), models.node("Add", ["m", "b"], ["a"], "add"), det("a")
    )
    proto.graph.initializer.extend([models.weight("w", 4, 4), models.weight("b", 4)])
    path = folder / "external.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


HOSTILE: dict[str, Make] = {
    "circle": circle, "own circle": own_circle, "same node names": same_node_names, "same tensor names": same_tensor_names,
    "unsorted": unsorted, "missing tensor": missing_tensor, "no names": no_names, "million elements": million_elements,
    "HTML": lambda: named(HTML), "10,000 characters": lambda: named(LONG), "a token": lambda: named("trtlab_n5_"),
    "a line of the log": lambda: named("a -> (1)[FLOAT]], b"), "a begun line": lambda: named("Parsing node: x [Relu]"),
    "a path": lambda: named("if0/then_branch"), "line ends": lambda: named("a\nb\r\nc\x00d\x1b[31m"),
    "a mark of rich": lambda: named("[bold]x[/]"),
    "a right-to-left name": lambda: named("\u202eabc"), "the journal's mark": lambda: named("trtlab.pass parse:1"),
    "a stand-in": lambda: named("trtlab_from_trtlab_n1_0"), "the probe": lambda: named("trtlab_probe"),
    "the stop": lambda: named("trtlab_stop"),
    "nested as deep as can be": lambda: nested(24), "3,000 Ifs": lambda: many_ifs(3000),
    "functions in functions": functions_in_functions, "endless function": endless_function, "endless functions": endless_functions,
    "no operator sets": no_opsets, "sparse weight": sparse_weight, "weights among inputs": weights_among_inputs,
    "left out input": left_out_input, "large weights": large_weights,
}  # fmt: skip
