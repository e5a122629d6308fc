"""Ask the TensorRT that is installed here which operators it takes, and write the answers as data.

Each standard operator is asked of `OnnxParser.supports_operator`: a False has always meant refusal, a True means little. So each
model of ONNX's own operator tests is also parsed and, if that succeeds, built. These tests give axes, sizes and scales as inputs,
which TensorRT often wants as constants: a model that does not build is tried again with all inputs but the first made constants of
the test's values. The numbers are kept for each operator in the model.

    nice python benchmarks/measure_operators.py [--write]

Takes some minutes on two cores. With `--write` the result goes to trtlab/support/data/measured_operators.json, where it replaces
what was measured with the same flavour and release.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import machine_line

from trtlab.engine import flavour as flavours
from trtlab.engine.parsing import ParsedNetwork

if TYPE_CHECKING:
    import onnx

TARGET = Path(__file__).resolve().parents[1] / "trtlab" / "support" / "data" / "measured_operators.json"
SCHEMA = "trtlab.measured_operators/1"
_KNOWN, _MODELS, _PARSED, _BUILT = range(4)


def standard_operators() -> tuple[str, ...]:
    """Names of all operators that the standard ever had, in order."""
    from onnx import defs

    return tuple(sorted({schema.name for schema in defs.get_all_schemas_with_history() if not schema.domain}))


def operator_tests() -> Iterator[tuple[onnx.ModelProto, onnx.ModelProto | None]]:
    """Yield the models of ONNX's tests of single operators: as they are, and with constants instead of inputs if that differs."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX computes its expected values with overflows
        for case in collect_testcases(None):
            if case.model is not None:
                values = case.data_sets[0][0] if case.data_sets else ()
                yield case.model, with_constants(case.model, values)


def with_constants(model: onnx.ModelProto, values: Sequence[Any]) -> onnx.ModelProto | None:
    """Return the model with all inputs but the first as initializers; None where there are none, or they are no tensors."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    inputs = list(model.graph.input)
    if len(inputs) < 2 or len(values) != len(inputs) or not all(isinstance(value, np.ndarray) for value in values):
        return None
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for value, array in zip(inputs[1:], values[1:], strict=True):
        changed.graph.initializer.append(numpy_helper.from_array(array, value.name))
    del changed.graph.input[1:]
    return changed


def operators_of(graph: onnx.GraphProto) -> set[str]:
    """Return the standard operators of a graph and of the graphs inside it."""
    found = set()
    for node in graph.node:
        if node.domain in {"", "ai.onnx"}:
            found.add(node.op_type)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                found |= operators_of(inner)
    return found


def verdict(flavour: flavours.Flavour, model: onnx.ModelProto) -> tuple[bool, bool]:
    """Return whether the model parses, and whether it builds."""
    network = ParsedNetwork(flavour, strongly_typed=False)
    try:
        if not network.parse_content(model.SerializeToString(), ""):
            return False, False
        config = network.builder.create_builder_config()
        return True, network.builder.build_serialized_network(network.network, config) is not None
    finally:
        network.release()


def measure(flavour: flavours.Flavour) -> tuple[dict[str, list[int]], int]:
    """Return for each operator: known, models with it, parsed, built; and how many models there were."""
    network = ParsedNetwork(flavour, strongly_typed=False)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for name in standard_operators():
        found[name][_KNOWN] = int(network.parser.supports_operator(name))
    network.release()
    count = 0
    for count, (model, other) in enumerate(operator_tests(), start=1):
        parsed, built = verdict(flavour, model)
        if other is not None and not built:
            again = verdict(flavour, other)
            parsed, built = parsed or again[0], again[1]
        for name in operators_of(model.graph):
            for column, counts in ((_MODELS, True), (_PARSED, parsed), (_BUILT, built)):
                found[name][column] += counts
        if count % 200 == 0:
            print(f"{count} models", file=sys.stderr, flush=True)
    return dict(sorted(found.items())), count


def main() -> None:
    """Measure, print what was found, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    arguments = parser.parse_args()
    import onnx

    flavour = flavours.choose(None, lambda module: module.Logger(module.Logger.INTERNAL_ERROR))
    operators, models = measure(flavour)
    version = str(flavour.module.__version__)
    release: dict[str, Any] = {
        "flavour": flavour.name,
        "version": version,
        "onnx": onnx.__version__,
        "measured_on": datetime.now(timezone.utc).date().isoformat(),
        "machine": machine_line(),
        "models": models,
        "operators": operators,
    }
    if arguments.write:
        kept = json.loads(TARGET.read_text())["releases"] if TARGET.exists() else []
        kept = [item for item in kept if (item["flavour"], item["version"]) != (flavour.name, version)]
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(_document([*kept, release]))
    known = [name for name, counts in operators.items() if counts[_KNOWN]]
    print(f"{flavour.name} {version}: {len(known)} of {len(operators)} names known; {models} models")


def _document(releases: list[dict[str, Any]]) -> str:
    """Return the file's text: one operator a line, so that a change can be read."""
    texts = []
    for release in releases:
        head = json.dumps({key: value for key, value in release.items() if key != "operators"})[:-1]
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(counts)}" for name, counts in release["operators"].items())
        texts.append(f'{head}, "operators": {{\n{rows}\n}}}}')
    return f'{{"schema": "{SCHEMA}", "releases": [\n{",".join(texts)}\n]}}\n'


if __name__ == "__main__":
    main()
