"""A child process of the tests: takes models through load, check, parse and build, and says where each one stops.

Reads a list of `{"path", "shapes": {input: [min, opt, max]}}` as JSON from standard input and writes one answer for
each to standard output. It uses the plain TensorRT-RTX interface, not trtlab, because it is what trtlab is measured by.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import onnx
from onnx.checker import ValidationError

# Not an import statement: outside of trtlab/engine only this child process may touch TensorRT.
tensorrt = importlib.import_module("tensorrt_rtx")


class ErrorLog(tensorrt.ILogger):  # type: ignore[misc, name-defined]
    """Keeps error messages."""

    def __init__(self) -> None:
        tensorrt.ILogger.__init__(self)
        self.errors: list[str] = []

    def log(self, severity: Any, message: str) -> None:
        """Take one message from TensorRT."""
        if severity in (tensorrt.ILogger.Severity.ERROR, tensorrt.ILogger.Severity.INTERNAL_ERROR):
            self.errors.append(message)


# TensorRT keeps one logger for the process, so there is only this one.
LOG = ErrorLog()


def load(path: str) -> str | None:
    """Return why the file is no model that can be read, or None."""
    try:
        # This also reads external data, and refuses what lies outside of the model's folder.
        model = onnx.load(path)
    except Exception as error:  # noqa: BLE001 - protobuf and onnx raise errors of many unrelated types
        return f"{type(error).__name__}: {error}"
    return None if model.graph.output else "The file holds no graph."


def checker_accepts(path: str) -> bool:
    """Say whether onnx's checker, with strict shape inference, has nothing against the model."""
    try:
        onnx.checker.check_model(path, full_check=True)
    except (ValidationError, onnx.shape_inference.InferenceError):
        return False
    return True


def parse_and_build(path: str, shapes: dict[str, list[list[int]]]) -> dict[str, Any]:
    """Return what TensorRT alone, with nobody looking at the file before, makes of it."""
    LOG.errors.clear()
    builder = tensorrt.Builder(LOG)
    # The parser does not keep the network alive: without this reference parse() would crash.
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, LOG)
    if not parser.parse_from_file(path):
        error = parser.get_error(0)
        return {
            "step": "parse",
            "code": error.code().name,
            "messages": [parser.get_error(index).desc() for index in range(parser.num_errors)],
            "node": error.node_name() or None,
            "layers": network.num_layers,
            "log": list(LOG.errors),
        }
    layers = network.num_layers
    config = builder.create_builder_config()
    if shapes:
        profile = builder.create_optimization_profile()
        for name, (smallest, usual, largest) in shapes.items():
            profile.set_shape(name, smallest, usual, largest)
        config.add_optimization_profile(profile)
    built = builder.build_serialized_network(network, config) is not None
    messages = [] if built else list(LOG.errors)
    return {
        "step": None if built else "build",
        "code": None,
        "messages": messages,
        "node": None,
        "layers": layers,
        "log": list(LOG.errors),
    }


def ask(path: str, shapes: dict[str, list[list[int]]]) -> dict[str, Any]:
    """Take one model through all steps."""
    unreadable = load(path)
    answer = parse_and_build(path, shapes)
    stopped_at = "load" if unreadable else answer["step"]
    return {
        "outcome": "fails" if stopped_at else "builds",
        "step": stopped_at or "build",
        "onnx_checker_accepts": None if unreadable else checker_accepts(path),
        "unreadable": unreadable,
        "tensorrt": answer,
    }


def main() -> None:
    """Answer the requests on standard input."""
    answers = [ask(request["path"], request["shapes"]) for request in json.load(sys.stdin)]
    json.dump({"version": tensorrt.__version__, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
