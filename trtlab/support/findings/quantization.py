"""QuantizeLinear and DequantizeLinear that TensorRT does not take.

Asked of TensorRT-RTX 1.7.1. Refused by the parser: a zero point that is not 0; a scale that is 0, negative or not a number (except for
int4); several scales on an axis that the tensor does not have or that has another size; DequantizeLinear of a uint8 input or
constant, or of int32; QuantizeLinear with output_dtype uint8; ConvInteger, DynamicQuantizeLinear, MatMulInteger, QLinearConv and
QLinearMatMul. Refused by the builder: an int8 or uint8 zero point that is an input of the model (of float8e4m3fn it builds). A
uint8 zero point of 0 is taken for an int8 one, with a warning. Taken as they are: a QuantizeLinear without a DequantizeLinear
behind it and the other way round, scales that are inputs or computed, scales for each channel of any axis, also of activations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from trtlab._format import plural
from trtlab.model.actions import dtype_name
from trtlab.model.description import Finding
from trtlab.support.findings.model_facts import ModelFacts, Node
from trtlab.support.findings.wording import SEEN, listed, nodes_listed, quoted

_OPERATORS = frozenset({"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"})
_SCALE, _ZERO_POINT = 1, 2
_Problem = tuple[str, Node, str, str]


def quantization_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return one finding for each kind of problem."""
    operators = [node for node in facts.all_nodes if node.operator in _OPERATORS and not node.domain]
    if operators:
        producer = facts.file.proto.producer_name[:60]
        kinds = listed(sorted({node.operator for node in operators}), quote=False)
        text = (
            f"{plural(len(operators), 'node')} that {'computes' if len(operators) == 1 else 'compute'} in integers: "
            f"{nodes_listed(operators)}. {SEEN} refuses {kinds}: "
            "TensorRT wants QuantizeLinear and DequantizeLinear around the float operators. Quantize the float model again in "
            f"that format (QuantFormat.QDQ in ONNX Runtime){f'; this file was written by {producer}' if producer else ''}."
        )
        yield Finding("support.integer_operator", "warning", text, operators[0].reference)
    found: dict[str, list[_Problem]] = defaultdict(list)
    for node in facts.all_nodes:
        if node.operator in ("QuantizeLinear", "DequantizeLinear") and not node.domain:
            for problem in (*_zero_point(facts, node), *_scale(facts, node), *_type(facts, node)):
                found[problem[0]].append(problem)
    for kind, problems in found.items():
        _, node, tensor, text = problems[0]
        others = [item[1].label for item in problems[1:]]
        more = f" So {'does' if len(others) == 1 else 'do'} {listed(others, quote=False)}." if others else ""
        yield Finding(kind, "warning", f"Node {node.label} {text}{more}", node.reference, tensor)


def _zero_point(facts: ModelFacts, node: Node) -> Iterator[_Problem]:
    name = node.input(_ZERO_POINT)
    if not name:
        return
    constant = facts.constant(name, node.scope)
    if constant is None:
        is_input = not node.scope.path and any(value.name == name for value in facts.inputs)
        if is_input and dtype_name(facts.element_type(name, node.scope)) in ("int8", "uint8"):
            text = f"reads its zero point {quoted(name)} from an input of the model, which {SEEN} does not build. Make it an initializer."
            yield "support.zero_point", node, name, text
        return
    values = facts.values.read(constant)
    if values is None or not values.size:
        return
    first = next((value for value in values.tolist() if value != 0), 0)
    if first != 0:
        text = (
            f"has the zero point {float(first):g} ({quoted(name)}, {dtype_name(constant.data_type)}), and {SEEN} refuses any "
            "but 0. Quantize again, symmetrically (in ONNX Runtime: ActivationSymmetric and WeightSymmetric, int8)."
        )
        yield "support.zero_point", node, name, text
    elif dtype_name(constant.data_type) == "uint8" and node.operator == "QuantizeLinear":
        text = (
            f"has the uint8 zero point {quoted(name)}, which {SEEN} takes for int8: values above 127 times the scale are cut off. "
            "Quantize again to int8."
        )
        yield "support.uint8_quantization", node, name, text


def _scale(facts: ModelFacts, node: Node) -> Iterator[_Problem]:
    name = node.input(_SCALE)
    constant = facts.constant(name, node.scope)
    if constant is None:
        return
    values = facts.values.read(constant)
    if values is None or not values.size:
        return
    numbers = values.astype("float64", copy=False)
    wrong = numbers[~(numbers > 0)]
    if wrong.size and not _is_int4(facts, node):
        share = f", {wrong.size} of {values.size} values" if values.size > 1 else ""
        text = (
            f"has the scale {float(wrong[0]):g} ({quoted(name)}{share}), "
            f"and {SEEN} refuses any that is not above 0. A scale of 0 comes from a tensor that was 0 throughout: put a small one in."
        )
        yield "support.scale", node, name, text
    if len(constant.dims) == 1 and constant.dims[0] > 1 and not node.integer("block_size", 0):
        yield from _axis(facts, node, int(constant.dims[0]))


def _axis(facts: ModelFacts, node: Node, count: int) -> Iterator[_Problem]:
    shape = facts.shape(node.input(0), node.scope)
    if shape is None:
        return
    axis = node.integer("axis", 1)
    position = axis + len(shape) if axis < 0 else axis
    if not 0 <= position < len(shape):
        text = (
            f"has {count} scales along axis {axis}, which {quoted(node.input(0))} with {plural(len(shape), 'axis', 'axes')} has not. "
            "Correct `axis`."
        )
        yield "support.quantization_axis", node, node.input(_SCALE), text
        return
    size = shape[position]
    if isinstance(size, int) and size != count:
        text = (
            f"has {count} scales for axis {axis} of {quoted(node.input(0))}, which has {size} elements there, and {SEEN} refuses it. "
            "Correct `axis` or the scales."
        )
        yield "support.quantization_axis", node, node.input(_SCALE), text


def _type(facts: ModelFacts, node: Node) -> Iterator[_Problem]:
    name = node.input(0)
    if node.operator == "QuantizeLinear":
        wanted = dtype_name(node.integer("output_dtype", 0))
        if wanted == "uint8":
            text = f"quantizes to uint8 (output_dtype), which {SEEN} refuses. Quantize to int8."
            yield "support.quantized_type", node, name, text
        return
    given = facts.constant(name, node.scope) is not None or (
        not node.scope.path and any(value.name == name for value in facts.inputs)
    )
    dtype = dtype_name(facts.element_type(name, node.scope))
    if dtype == "int32" or (dtype == "uint8" and given):
        instead = "Store the float values instead (a bias is small)." if dtype == "int32" else "Quantize to int8."
        yield (
            "support.quantized_type",
            node,
            name,
            f"reads {quoted(name)} of type {dtype}, which {SEEN} refuses. {instead}",
        )


def _is_int4(facts: ModelFacts, node: Node) -> bool:
    quantized = node.input(0) if node.operator == "DequantizeLinear" else (node.outputs or ("",))[0]
    return dtype_name(facts.element_type(quantized, node.scope)) == "int4"
