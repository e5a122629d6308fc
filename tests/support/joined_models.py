"""Models made by joining good and faulty nodes at random: which nodes are faulty is known by construction.

Each part takes the running tensor `[1, 8, 16, 16]` of floats and gives one of the same shape, so that parts join in any order.
A fault is one node, of a kind that TensorRT-RTX is known to refuse; everything else in its part is good.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = (1, 8, 16, 16)
OPSET = 18
CUSTOM = "acme"


@dataclass
class JoinedModel:
    """A model under construction.

    Attributes:
        faulty: Names of the nodes that TensorRT refuses.
        by_builder: Those of them that the parser takes.
    """

    random: random.Random
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    value_info: list[onnx.ValueInfoProto] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)
    by_builder: set[str] = field(default_factory=set)
    _count: int = 0

    def fresh(self, stem: str) -> str:
        """Return a name that nothing has yet."""
        self._count += 1
        return f"{stem}_{self._count}"

    def node(
        self,
        operator: str,
        inputs: list[str],
        *,
        outputs: int = 1,
        is_faulty: bool = False,
        domain: str = "",
        **attributes: Any,
    ) -> list[str]:
        """Add a node and return its outputs."""
        name = self.fresh(operator.lower())
        made = [f"{name}_out{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, made, name=name, domain=domain, **attributes))
        if is_faulty:
            self.faulty.add(name)
        return made

    def constant(self, values: object, dtype: type = np.float32) -> str:
        """Add an initializer and return its name."""
        name = self.fresh("weight")
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def runtime_input(self, dtype: int, shape: tuple[int, ...]) -> str:
        """Add an input of the model and return its name."""
        name = self.fresh("input")
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def known(self, name: str, shape: tuple[int, ...] = SHAPE, dtype: int = TensorProto.FLOAT) -> str:
        """Note type and shape of a tensor in the model, as many exporters do."""
        self.value_info.append(helper.make_tensor_value_info(name, dtype, shape))
        return name


Part = Callable[[JoinedModel, str], str]


def _convolution(model: JoinedModel, x: str) -> str:
    weights = model.constant(model.random.random() * np.ones((8, 8, 3, 3)))
    return model.node("Relu", model.node("Conv", [x, weights], pads=[1, 1, 1, 1]))[0]


def _residual(model: JoinedModel, x: str) -> str:
    return model.node("Add", [x, model.node(model.random.choice(["Relu", "Sigmoid", "Tanh", "Sin"]), [x])[0]])[0]


def _reshaped(model: JoinedModel, x: str) -> str:
    """A Reshape whose target is computed from a Shape, as exporters write it."""
    shape = model.node("Shape", [x])
    head = model.node("Slice", [shape[0], model.constant([0], np.int64), model.constant([2], np.int64)])
    target = model.node("Concat", [head[0], model.constant([-1], np.int64)], axis=0)
    flat = model.node("Reshape", [x, target[0]])
    return model.node("Reshape", [flat[0], shape[0]])[0]


def _normalized(model: JoinedModel, x: str) -> str:
    scale, bias = model.constant(np.ones(8)), model.constant(np.zeros(8))
    return model.node("InstanceNormalization", [x, scale, bias])[0]


def _branch(model: JoinedModel, x: str) -> str:
    condition = model.runtime_input(TensorProto.BOOL, ())
    graphs = []
    for operator in ("Relu", "Sin"):
        made = model.fresh("branch")
        inner = helper.make_node(operator, [x], [made], name=model.fresh(f"inner_{operator.lower()}"))
        graphs.append(helper.make_graph([inner], "graph", [], [helper.make_tensor_value_info(made, 1, SHAPE)]))
    return model.node("If", [condition], then_branch=graphs[0], else_branch=graphs[1])[0]


GOOD: tuple[Part, ...] = (_convolution, _residual, _reshaped, _normalized, _branch)


def _static(operator: str, **attributes: Any) -> Part:
    """A node that the static checks refuse; ONNX knows what it gives."""

    def part(model: JoinedModel, x: str) -> str:
        return model.node(operator, [x], is_faulty=True, **attributes)[0]

    part.__name__ = operator
    return part


def _determinant(model: JoinedModel, x: str) -> str:
    found = model.node("Det", [x], is_faulty=True)
    axes = model.constant([2, 3], np.int64)
    return model.node("Add", [x, model.node("Unsqueeze", [found[0], axes])[0]])[0]


def _antialias(model: JoinedModel, x: str) -> str:
    scales = model.constant([1, 1, 1, 1])
    return model.known(model.node("Resize", [x, "", scales], is_faulty=True, mode="cubic", antialias=1)[0])


def _runtime_axes(model: JoinedModel, x: str) -> str:
    """An importer failure: axes known only at run time. ONNX does not know what it gives; the model says it."""
    axes = model.runtime_input(TensorProto.INT64, (1,))
    reduced = model.known(model.node("ReduceSum", [x, axes], is_faulty=True, keepdims=1)[0], (1, 8, 16, 1))
    return model.node("Add", [x, reduced])[0]


def _custom(model: JoinedModel, x: str) -> str:
    """An operator of which nobody knows what it gives."""
    return model.node("LearnedGate", [x], is_faulty=True, domain=CUSTOM)[0]


def _wrong_channels(model: JoinedModel, x: str) -> str:
    """Weights for other channels. The model says how many there are: behind an unknown operator nobody could tell."""
    model.known(x)
    weights = model.constant(np.ones((8, 5, 1, 1)))
    return model.known(model.node("Conv", [x, weights], is_faulty=True)[0])


def _integer_sine(model: JoinedModel, x: str) -> str:
    """Bitwise operators on integers, between two casts."""
    whole = model.node("Cast", [x], to=TensorProto.INT32)
    found = model.node("BitwiseNot", [whole[0]], is_faulty=True)
    return model.node("Cast", [found[0]], to=TensorProto.FLOAT)[0]


def _quantized(model: JoinedModel, x: str) -> str:
    """Dynamic quantization, whose outputs are of other types."""
    found = model.node("DynamicQuantizeLinear", [x], outputs=3, is_faulty=True)
    return model.node("Mul", [model.node("Cast", [found[0]], to=TensorProto.FLOAT)[0], found[1]])[0]


def _in_branch(model: JoinedModel, x: str) -> str:
    """A refused node in a branch of an If."""
    condition = model.runtime_input(TensorProto.BOOL, ())
    graphs = []
    for is_faulty in (True, False):
        name, made = model.fresh("inner"), model.fresh("branch")
        if is_faulty:
            scales = model.constant([1, 1, 1, 1])
            inner = helper.make_node("Resize", [x, "", scales], [made], name=name, mode="cubic", antialias=1)
            model.faulty.add(name)
        else:
            inner = helper.make_node("Relu", [x], [made], name=name)
        graphs.append(helper.make_graph([inner], "graph", [], [helper.make_tensor_value_info(made, 1, SHAPE)]))
    model.random.shuffle(graphs)
    return model.known(model.node("If", [condition], then_branch=graphs[0], else_branch=graphs[1])[0])


PARSER_FAULTS: tuple[Part, ...] = (
    _determinant, _antialias, _runtime_axes, _custom, _wrong_channels, _integer_sine, _in_branch,
    _quantized, _static("Bernoulli"),
)  # fmt: skip


def _attention(model: JoinedModel, x: str) -> str:
    """Parses, and the builder has no kernel for it in FP32. The model says that it is FP32."""
    model.known(x)
    key, value = model.node("Sin", [x])[0], model.node("Tanh", [x])[0]
    made = model.node("Attention", [x, key, value], is_faulty=True)[0]
    model.by_builder.add(model.nodes[-1].name)
    return made


BUILDER_FAULTS: tuple[Part, ...] = (_attention,)


def joined_model(
    seed: int, faults: int, *, with_builder_faults: bool = False, good: int | None = None
) -> tuple[onnx.ModelProto, JoinedModel]:
    """Return a model with a number of faulty nodes, and what it was made of.

    Args:
        seed: Decides everything that is random.
        faults: How many faulty nodes.
        with_builder_faults: Whether some of them may be of the kind that parses.
        good: How many good parts; None: between half as many and three times as many as faults.
    """
    model = JoinedModel(random.Random(seed))
    kinds = PARSER_FAULTS + (BUILDER_FAULTS if with_builder_faults else ())
    parts = [model.random.choice(kinds) for _ in range(faults)]
    parts += [
        model.random.choice(GOOD)
        for _ in range(good if good is not None else model.random.randint(faults // 2 + 1, 3 * faults + 1))
    ]
    model.random.shuffle(parts)
    x = "x"
    for part in parts:
        x = part(model, x)
    graph = helper.make_graph(
        model.nodes, "joined", [helper.make_tensor_value_info("x", 1, SHAPE), *model.inputs],
        [helper.make_tensor_value_info(x, 1, SHAPE)], model.initializers, value_info=model.value_info,
    )  # fmt: skip
    opset = 23 if model.by_builder else OPSET
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(CUSTOM, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10), model
