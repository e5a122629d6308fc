"""The facts that a log line or a model can give, by name, and how each is written in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from trtlab._format import format_bytes

# What each holds is text, as it stands in the log. Names that end in `_bytes` hold whole numbers of bytes.
FACTS: Mapping[str, str] = {
    "node": "name of the ONNX node or TensorRT layer",
    "operator": "ONNX operator, without domain",
    "domain": "domain of the operator",
    "scope": "path of the subgraph or function that the node is in",
    "tensor": "name of the tensor, input or output",
    "attribute": "name of an ONNX attribute",
    "dtype": "data type that was found",
    "wanted_dtype": "data type that is needed",
    "shape": "shape that was given",
    "wanted_shape": "shape that was needed",
    "minimum": "smallest shape or size that is allowed",
    "maximum": "largest shape or size that is allowed",
    "profile": "number of the optimization profile",
    "bound": "which of a profile's shapes: MIN, OPT or MAX",
    "axis": "number of the axis",
    "size": "size, count or rank that was found",
    "wanted_size": "size, count or rank that is needed",
    "opset": "opset of the model",
    "highest_opset": "highest opset that the release takes",
    "ir_version": "IR version of the model",
    "version": "version that is running or loaded",
    "wanted_version": "version that it was built, linked or serialized with",
    "version_tag": "serialization tag of the TensorRT that runs",
    "wanted_version_tag": "serialization tag in the engine file",
    "release": "TensorRT release that a serialization tag stands for",
    "magic": "first four bytes of the file, as TensorRT prints them: one number",
    "file_kind": "what the file is by its first bytes: ONNX, HTML and so on",
    "compute_capability": "compute capability of the GPU that is here, like 8.6",
    "wanted_compute_capability": "compute capability that the engine was built for, or that is needed",
    "gpu": "name of the GPU",
    "driver": "driver version",
    "cuda_error": "number of the CUDA error",
    "cuda_error_name": "CUDA's words for it",
    "requested_bytes": "memory that was asked for",
    "limit_bytes": "memory that was allowed",
    "available_bytes": "memory that there was",
    "library": "file name of a library",
    "plugin": "name of a plugin",
    "plugin_version": "version of a plugin",
    "function": "function or method that failed",
    "symbol": "attribute of the Python API that is missing",
    "replacement": "what replaces it",
    "path": "file that it is about",
    "tactic": "tactic",
    "reason": "why, in plain words: the known reason, else TensorRT's own words, cleaned",
    "exception": "class of the Python exception",
}
FACT_NAMES = frozenset(FACTS)


def in_words(name: str, value: str) -> str:
    """Return a fact as a sentence says it."""
    if name.endswith("_bytes") and value.isdigit():
        return format_bytes(int(value))
    return value
