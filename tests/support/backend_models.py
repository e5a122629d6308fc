"""The models of ONNX's backend tests, and what TensorRT makes of each when it is asked plainly, without a survey.

`python -m tests.support.backend_models FOLDER` asks TensorRT about every model that `write_models` put into a folder, and prints
a line of JSON for each. It shares with the survey the sizes of open dimensions, and nothing else.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test
from google.protobuf.message import DecodeError
from onnx import numpy_helper

_KINDS = ("light", "simple", "pytorch-converted", "pytorch-operator")
_MOST_VALUES = 64
_LIST = "models.json"


@dataclass(frozen=True)
class BackendModel:
    """One model.

    Attributes:
        name: Name of its test.
        path: Its file.
        values: The test's own values of inputs that could be sizes: integers or truth values, one-dimensional or single.
    """

    name: str
    path: Path
    values: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What TensorRT says of a model.

    Attributes:
        name: Name of its test.
        parsed: Whether the parser takes it.
        built: Whether the builder makes an engine of it; None if it was not asked.
        named: Operator and name of the nodes that the parser's errors name.
        takes_sizes: Whether it has inputs whose values are sizes.
    """

    name: str
    parsed: bool
    built: bool | None
    named: list[list[str]]
    takes_sizes: bool


def write_models(folder: Path) -> list[BackendModel]:
    """Write all models into a folder and return them; `read_models` reads the list again."""
    found = []
    for number, (name, content, values) in enumerate(_all_models()):
        path = folder / f"{number}.onnx"
        path.write_bytes(content)
        found.append(BackendModel(name, path, values))
    listed = [{**asdict(model), "path": model.path.name} for model in found]
    (folder / _LIST).write_text(json.dumps(listed))
    return found


def read_models(folder: Path) -> list[BackendModel]:
    """Return the models that were written into a folder."""
    return [
        BackendModel(item["name"], folder / item["path"], item["values"])
        for item in json.loads((folder / _LIST).read_text())
    ]


def _all_models() -> Iterator[tuple[str, bytes, dict[str, list[int]]]]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some tests compute with numbers that overflow
        cases = collect_testcases(None)
    for case in cases:
        if case.model is not None:
            arrays = case.data_sets[0][0] if case.data_sets else ()
            yield case.name, case.model.SerializeToString(), _sizes(case.model, arrays)
    base = Path(onnx.backend.test.__file__).parent / "data"
    for kind in _KINDS:
        for path in sorted((base / kind).rglob("*.onnx")):
            name = path.stem if kind == "light" else path.parent.name
            yield f"{kind}/{name}", path.read_bytes(), _sizes(onnx.load(path), list(_stored_inputs(path.parent)))


def _stored_inputs(folder: Path) -> Iterator[Any]:
    for number in range(len(list(folder.glob("test_data_set_0/input_*.pb")))):
        content = (folder / "test_data_set_0" / f"input_{number}.pb").read_bytes()
        try:
            yield numpy_helper.to_array(onnx.TensorProto.FromString(content))
        except (DecodeError, TypeError, ValueError, KeyError):  # a sequence
            yield None


def _sizes(model: onnx.ModelProto, arrays: Any) -> dict[str, list[int]]:
    weights = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in weights]
    return {
        name: [int(item) for item in array.reshape(-1)]
        for name, array in zip(names, arrays, strict=False)
        if isinstance(array, np.ndarray | np.generic)
        and array.ndim <= 1
        and array.dtype.kind in "iub"
        and array.size <= _MOST_VALUES
    }


class PlainTensorRt:
    """TensorRT, asked as a program of a user asks it."""

    def __init__(self) -> None:
        from trtlab.engine import flavour

        self._chosen = flavour.choose(None, lambda module: module.Logger(module.Logger.INTERNAL_ERROR))

    def ask(self, model: BackendModel, *, builds: bool) -> Answer:
        """Parse a model and, if the parser takes it, build it."""
        from trtlab.engine.parsing import read_errors

        module, logger = self._chosen.module, self._chosen.logger
        builder = module.Builder(logger)
        network = builder.create_network(0)
        parser = module.OnnxParser(network, logger)
        content = model.path.read_bytes()
        parsed = parser.parse(content, str(model.path))
        proto = onnx.ModelProto.FromString(content)
        errors = [] if parsed else list(read_errors(parser, proto.graph))
        named = [[error.operator, error.node_name] for error in errors if error.operator]
        sized = [network.get_input(place) for place in range(network.num_inputs)]
        takes_sizes = any(item.is_shape_tensor for item in sized)
        built = self._build(builder, network, model) if parsed and builds else None
        del parser, network, builder
        return Answer(model.name, parsed, built, named, takes_sizes)

    def _build(self, builder: Any, network: Any, model: BackendModel) -> bool:
        config = builder.create_builder_config()
        inputs = [network.get_input(place) for place in range(network.num_inputs)]
        proposed = proposals(model.path)
        profile = builder.create_optimization_profile()
        for item in inputs:
            if -1 in tuple(item.shape):
                sizes = [[size] * 3 if size >= 0 else proposed[item.name, axis] for axis, size in enumerate(item.shape)]
                profile.set_shape(item.name, *(tuple(size[which] for size in sizes) for which in range(3)))
            if item.is_shape_tensor:
                profile.set_shape_input(item.name, *(model.values[item.name],) * 3)
        config.add_optimization_profile(profile)
        return builder.build_serialized_network(network, config) is not None


def proposals(path: Path) -> dict[tuple[str, int], list[int]]:
    """Return the sizes that trtlab proposes for open dimensions, by input and axis."""
    from trtlab.build.proposals import propose
    from trtlab.model.actions import describe
    from trtlab.model.reading import ModelFile

    return {(item.tensor, item.axis): [item.min, item.opt, item.max] for item in propose(describe(ModelFile(path)))}


def main(folder: str, what: str, every: str, first: str) -> None:
    """Print TensorRT's answers about the models of a folder, or of a part of them."""
    tensorrt = PlainTensorRt()
    for model in read_models(Path(folder))[int(first) :: int(every)]:
        sys.stdout.write(json.dumps(asdict(tensorrt.ask(model, builds=what == "build"))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
