"""Data types that TensorRT does not have, or has in some places only.

Asked of TensorRT-RTX 1.7.1 for each of ONNX's types, as input, initializer (read or not), Constant, target of a Cast and output:
int16, uint16, uint32, uint64, string, complex, uint4, int2, uint2 and all of float8 and float6 but float8e4m3fn are refused by the
parser everywhere. float64 is taken and becomes float32. uint8 is taken as an input that Cast, CastLike, Identity, Equal or Shape
read (Add, Gather, Reshape, Resize, Slice, Squeeze and Transpose of it were refused), as an output, and as an initializer, which
becomes int32; a Cast to uint8 whose result is no output is refused. A constant of a quantized type (int8, int4, float8e4m3fn,
float4e2m1) that anything but DequantizeLinear reads stops the builder, Identity, Reshape and Transpose in front of it included.
float8e4m3fn, int4 and float4e2m1 tensors that are no constants must be made by QuantizeLinear or be inputs, and be read by
DequantizeLinear, with nothing between but Concat, Reshape, Transpose and Identity.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator

from trtlab._format import plural
from trtlab.model.actions import dtype_name
from trtlab.model.description import Finding
from trtlab.model.walk import Scope
from trtlab.support.findings.model_facts import ModelFacts, Node
from trtlab.support.findings.wording import SEEN, listed, nodes_listed, quoted

_MISSING = frozenset(
    {
        "int16", "uint16", "uint32", "uint64", "string", "complex64", "complex128", "uint4", "int2", "uint2",
        "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float8e8m0", "float6e2m3", "float6e3m2",
    }
)  # fmt: skip
_NARROW = frozenset({"float8e4m3fn", "int4", "float4e2m1"})
_QUANTIZED = _NARROW | {"int8"}
_READ_UINT8 = frozenset({"Cast", "CastLike", "Identity", "Equal", "Shape", "Size"})
_READ_CONSTANT = frozenset({"DequantizeLinear", "QuantizeLinear", "Shape", "Size"})
_READ_NARROW = frozenset(
    {
        "DequantizeLinear", "QuantizeLinear", "Concat", "Reshape", "Transpose", "Identity", "Shape", "Squeeze", "Unsqueeze",
        "Flatten",
    }
)  # fmt: skip
_STEPS = {
    "int16": "Use int32.",
    "uint16": "Use int32.",
    "uint32": "Use int64.",
    "uint64": "Use int64.",
    "string": "Leave the text to the program around the model: cut it off in front of TensorRT.",
    "complex64": "Keep real and imaginary parts in two float32 tensors.",
    "complex128": "Keep real and imaginary parts in two float32 tensors.",
}
_Place = tuple[str, Scope, "Node | None"]
_NO_TENSOR = {"sequence_type": "sequence", "optional_type": "optional", "map_type": "map"}


def dtype_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return one finding for each kind of place and data type."""
    yield from _no_tensors(facts)
    yield from _missing_types(facts)
    yield from _double(facts)
    yield from _uint8(facts)
    yield from _quantized_constants(facts)
    yield from _narrow_tensors(facts)


def _no_tensors(facts: ModelFacts) -> Iterator[Finding]:
    for value in facts.inputs:
        kind = _NO_TENSOR.get(value.type.WhichOneof("value") or "")
        if kind:
            text = f"The input {quoted(value.name)} is no tensor but a {kind}, which {SEEN} refuses. Give its tensors as inputs."
            yield Finding("support.dtype_missing", "warning", text, tensor=value.name)


def _missing_types(facts: ModelFacts) -> Iterator[Finding]:
    """Report each type TensorRT has not once for each kind of place, with what reads or makes the first tensor of it."""
    found: dict[tuple[str, str], list[_Place]] = defaultdict(list)
    for name, scope, tensor, node in facts.constants:
        dtype = dtype_name(tensor.data_type)
        if dtype in _MISSING:
            found["initializer" if node is None else "constant", dtype].append((name, scope, node))
    inputs = {value.name for value in facts.inputs}
    for scope in facts.file.scopes:
        for name, value in facts.types(scope).items():
            number = value.type.tensor_type.elem_type
            if number in _usual() or (dtype := dtype_name(number)) not in _MISSING:
                continue
            node = facts.maker(name, scope)
            if node is not None and node.operator != "Constant":
                found["tensor", dtype].append((name, scope, node))
            elif scope is facts.main and name in inputs:
                found["input", dtype].append((name, scope, None))
    for (kind, dtype), places in found.items():
        yield _missing_type(facts, kind, dtype, places)


@functools.cache
def _usual() -> frozenset[int]:
    """Numbers of the types that nearly all tensors have, and of no type: nobody needs their names."""
    from onnx import TensorProto

    return frozenset(
        {0, TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL}
    )


def _missing_type(facts: ModelFacts, kind: str, dtype: str, places: list[_Place]) -> Finding:
    first, scope, node = places[0]
    readers = facts.read_by(first, scope)
    subject = f"{quoted(first)} is" if len(places) > 1 else "It is"
    if kind == "tensor" and node is not None:
        use = f" {subject} made by node {node.label}."
    elif readers:
        use = f" {subject} read by node {readers[0].label}."
    else:
        use = f" {subject} read by no node, and refused all the same."
    text = (
        f"{plural(len(places), kind)} of type {dtype}: {listed([place[0] for place in places])}. TensorRT has no such type, and "
        f"{SEEN} refuses the model.{use} {_STEPS.get(dtype, 'Export the model with another type.')}"
    )
    return Finding("support.dtype_missing", "warning", text, node.reference if node else None, first)


def _double(facts: ModelFacts) -> Iterator[Finding]:
    from onnx import TensorProto

    double = TensorProto.DOUBLE
    found = [name for name, _, tensor, _ in facts.constants if tensor.data_type == double]
    for scope in facts.file.scopes:
        found += [name for name, value in facts.types(scope).items() if value.type.tensor_type.elem_type == double]
    found = list(dict.fromkeys(found))
    if found:
        ends = [value.name for value in (*facts.inputs, *facts.file.proto.graph.output) if value.name in set(found)]
        bound = f" The engine's {listed(ends)} will be float32 too: give and expect that." if ends else ""
        text = (
            f"{plural(len(found), 'tensor')} of type float64: {listed(found)}. TensorRT computes in float32 instead and does not say "
            f"so, about 7 digits instead of 16.{bound} Export in float32 to see the difference before TensorRT does."
        )
        yield Finding("support.float64", "info", text, tensor=found[0])


def _uint8(facts: ModelFacts) -> Iterator[Finding]:
    from onnx import TensorProto

    uint8, main = TensorProto.UINT8, facts.main
    for value in facts.inputs:
        if value.type.tensor_type.elem_type != uint8:
            continue
        readers = [node for node in facts.read_by(value.name, main) if not _may_read_uint8(node)]
        if readers:
            text = (
                f"The input {quoted(value.name)} is uint8 and read by {nodes_listed(readers)}. "
                f"{SEEN} takes a uint8 input only if a Cast reads it first. Put a Cast to float32 behind the input."
            )
            yield Finding("support.uint8", "warning", text, readers[0].reference, value.name)
    outputs = {value.name for value in main.body.output if not isinstance(value, str)}
    casts = [
        node
        for node in facts.all_nodes
        if node.operator == "Cast" and not node.domain and node.integer("to", 0) == uint8
        and node.outputs and not (node.scope is main and node.outputs[0] in outputs)
        and facts.read_by(node.outputs[0], node.scope)
    ]  # fmt: skip
    if casts:
        text = (
            f"{plural(len(casts), 'Cast')} to uint8 inside the model: {nodes_listed(casts)}. {SEEN} "
            "refuses uint8 between nodes. Use int32 there, or leave the Cast out."
        )
        yield Finding("support.uint8", "warning", text, casts[0].reference, casts[0].outputs[0])


def _may_read_uint8(node: Node) -> bool:
    # What DequantizeLinear makes of it is told by the rules about quantization; foreign operators may be plugins.
    return bool(node.domain) or node.operator in _READ_UINT8 or node.operator == "DequantizeLinear"


def _quantized_constants(facts: ModelFacts) -> Iterator[Finding]:
    found: dict[str, list[tuple[str, Node]]] = defaultdict(list)
    for name, scope, tensor, holder in facts.constants:
        dtype = dtype_name(tensor.data_type)
        if dtype not in _QUANTIZED or (holder is not None and holder.operator not in ("Constant", "ConstantOfShape")):
            continue
        for node in facts.read_by(name, scope):
            foreign = node.domain or node.operator.startswith("TRT_")
            if not foreign and node.operator not in _READ_CONSTANT and not _hands_on_zero_points(facts, node):
                found[dtype].append((name, node))
    for dtype, places in found.items():
        name, node = places[0]
        text = (
            f"{plural(len({place[0] for place in places}), 'constant')} of type {dtype}, read by other nodes than DequantizeLinear: "
            f"{listed([place[0] for place in places])}, here by {node.label}. {SEEN} takes such a constant for a quantized one and does "
            f"not build. {_constant_step(node, dtype)}"
        )
        yield Finding("support.quantized_constant", "warning", text, node.reference, name)


def _hands_on_zero_points(facts: ModelFacts, node: Node) -> bool:
    """Whether a node is an Identity in front of zero points, which is taken."""
    readers = facts.read_by(node.outputs[0], node.scope) if node.operator == "Identity" and node.outputs else []
    return bool(readers) and all(node.outputs[0] == reader.input(2) != reader.input(0) for reader in readers)


def _constant_step(node: Node, dtype: str) -> str:
    if node.operator in ("Transpose", "Reshape", "Identity", "Concat", "Gather"):
        return f"Apply the {node.operator} to the stored values, or behind the DequantizeLinear."
    return "Store it as int32." if dtype == "int8" else "Put a DequantizeLinear behind it."


def _narrow_tensors(facts: ModelFacts) -> Iterator[Finding]:
    """Report float8e4m3fn, int4 and float4e2m1 tensors that others than the quantizing operators make or read."""
    places: dict[tuple[str, str], list[tuple[str, Node]]] = defaultdict(list)
    for value in facts.inputs:
        dtype = dtype_name(value.type.tensor_type.elem_type)
        if dtype in _NARROW:
            _add_readers(places, facts, value.name, facts.main, dtype)
    for node in facts.all_nodes:
        if node.domain or not node.outputs:
            continue
        if node.operator == "Cast":
            dtype = dtype_name(node.integer("to", 0))
            if dtype in _NARROW:
                places["made", dtype].append((node.outputs[0], node))
        elif node.operator == "QuantizeLinear":
            dtype = dtype_name(facts.element_type(node.outputs[0], node.scope) or 1)
            if dtype in _NARROW:
                _add_readers(places, facts, node.outputs[0], node.scope, dtype)
    for (how, dtype), found in places.items():
        name, node = found[0]
        instead = "QuantizeLinear" if how == "made" else "DequantizeLinear"
        text = (
            f"{plural(len(found), f'{dtype} tensor')} {how} by other nodes than {instead}: {listed([place[0] for place in found])}, here "
            f"by {node.label}. {SEEN} takes {dtype} only between QuantizeLinear and DequantizeLinear and does not build this. "
            f"Use {instead} there."
        )
        yield Finding("support.quantized_tensor", "warning", text, node.reference, name)


def _add_readers(
    places: dict[tuple[str, str], list[tuple[str, Node]]], facts: ModelFacts, name: str, scope: Scope, dtype: str
) -> None:
    for reader in facts.read_by(name, scope):
        if not reader.domain and not reader.operator.startswith("TRT_") and reader.operator not in _READ_NARROW:
            places["read", dtype].append((name, reader))
