"""What the worker can do with a model: read it, check it. Called through `trtlab.worker`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtlab._errors import InputError
from trtlab.model.description import Dimension, ModelDescription, TensorDescription
from trtlab.model.skeleton import raw_bytes
from trtlab.model.tensor_rules import data_problem, tensor_bytes

if TYPE_CHECKING:
    from onnx import TensorProto, ValueInfoProto

    from trtlab.model.reading import ModelFile
    from trtlab.worker.context import ActionContext

_STATE_KEY = "model_file"


def load(context: ActionContext, *, path: str, show_path: bool = True) -> dict[str, Any]:
    """Read the model at `path`, keep it for the steps that follow, and describe it.

    Args:
        context: Where the model is kept.
        path: The ONNX file.
        show_path: False for a model that was given as bytes: its temporary file is nobody's business.

    Returns:
        `ModelDescription` as a dictionary.
    """
    from trtlab.model.reading import ModelFile

    context.state.pop(_STATE_KEY, None)
    file = ModelFile(Path(path).absolute())
    context.state[_STATE_KEY] = file
    return describe(file, show_path=show_path).to_dict()


def loaded_model(context: ActionContext) -> ModelFile:
    """Return the model that `load` kept.

    Raises:
        InputError: `load` has not run in this worker.
    """
    file: ModelFile | None = context.state.get(_STATE_KEY)
    if file is None:
        raise InputError("No model is loaded in this worker. Run the step 'load' first.")
    return file


def check(context: ActionContext) -> list[dict[str, Any]]:
    """Check the loaded model; return its findings as dictionaries."""
    from trtlab.model.check import check as check_model

    file = loaded_model(context)
    return [finding.to_dict() for finding in check_model(file.proto, folder=file.path.parent, file=file)]


def refusal_facts(context: ActionContext, *, refused: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the loaded model says about what the parser refused, in the order of `refused`.

    Args:
        context: Where the model is kept.
        refused: For each refusal `node` (a `RefusedNode` as a dictionary, or None) and `tensor` (a name, or empty).

    Returns:
        `RefusalFacts` as dictionaries.
    """
    from trtlab.model.node_facts import collect_facts, requests_from

    file = loaded_model(context)
    return [facts.to_dict() for facts in collect_facts(file.proto, requests_from(refused), folder=file.path.parent)]


def describe(file: ModelFile, *, show_path: bool = True) -> ModelDescription:
    """Return what is in a model that was read."""
    model = file.proto
    counts: Counter[str] = Counter()
    nested = subgraphs = inline = 0
    for scope in file.scopes:
        counts.update(f"{node.domain}.{node.op_type}" if node.domain else node.op_type for node in scope.nodes)
        nested += len(scope.nodes) if scope.path else 0
        subgraphs += scope.depth > 0
        # Exporters keep weights in Constant nodes too, and in the graphs of an If.
        inline += sum(_held_bytes(tensor) for tensor, _ in scope.tensors)
    initializers = {tensor.name for tensor in model.graph.initializer}
    return ModelDescription(
        path=str(file.path) if show_path else "",
        sha256=file.sha256,
        file_bytes=len(file.content),
        ir_version=model.ir_version,
        opsets={entry.domain: entry.version for entry in model.opset_import},
        producer=" ".join(filter(None, map(_text, (model.producer_name, model.producer_version)))),
        inputs=tuple(describe_value(value) for value in model.graph.input if value.name not in initializers),
        outputs=tuple(describe_value(value) for value in model.graph.output),
        node_count=len(model.graph.node),
        nested_node_count=nested,
        operators=dict(counts.most_common()),
        initializer_count=len(model.graph.initializer),
        weights_bytes=inline + file.external_data.tensor_bytes,
        external_files=file.external_data.files,
        subgraph_count=subgraphs,
        functions=tuple(f"{f.domain}.{f.name}" if f.domain else f.name for f in model.functions),
    )


def _held_bytes(tensor: TensorProto) -> int:
    """Return how many bytes of weights the model file itself holds in a tensor, whatever its shape claims."""
    if tensor.data_location == tensor.EXTERNAL:
        return 0
    return raw_bytes(tensor) or (tensor_bytes(tensor) if data_problem(tensor) is None else 0)


def _text(value: str | bytes) -> str:
    """Return a text; protobuf gives one that is not UTF-8 as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def describe_value(value: ValueInfoProto) -> TensorDescription:
    """Return what a model says of an input, an output or a tensor between."""
    kind = value.type.WhichOneof("value")
    if kind not in ("tensor_type", "sparse_tensor_type"):
        return TensorDescription(value.name, (kind or "unknown").removesuffix("_type"), None)
    tensor = getattr(value.type, kind)
    shape = tuple(_dimension(size) for size in tensor.shape.dim) if tensor.HasField("shape") else None
    return TensorDescription(value.name, dtype_name(tensor.elem_type), shape)


def _dimension(size: Any) -> Dimension:  # noqa: ANN401 - TensorShapeProto.Dimension, which onnx does not export
    field = size.WhichOneof("value")
    if field == "dim_value":
        # Some exporters write -1 for an open size.
        return int(size.dim_value) if size.dim_value >= 0 else None
    return str(size.dim_param) or None if field == "dim_param" else None


def dtype_name(data_type: int) -> str:
    """Return the NumPy-style name of an ONNX data type (`float32` for FLOAT)."""
    import onnx

    try:
        name = str(onnx.TensorProto.DataType.Name(data_type)).lower()
    except ValueError:
        return f"unknown type {data_type}"
    return {"float": "float32", "double": "float64", "undefined": "undefined type"}.get(name, name)
