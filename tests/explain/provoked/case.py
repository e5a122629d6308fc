"""A provoked failure: how it is made, and what it truly is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import onnx
from onnx import TensorProto

from tests import models
from trtlab.build.plan import BuildPlan
from trtlab.explain.diagnosis import Diagnosis
from trtlab.worker import WorkerLimits

Family = Literal[
    "operators", "custom operators", "types", "opsets", "shapes", "constants", "files", "profiles", "options", "memory",
    "implementations", "control flow", "quantization", "Python API", "engines", "processes",
]  # fmt: skip
FAMILIES: tuple[Family, ...] = Family.__args__  # type: ignore[attr-defined]  # a Literal has them, mypy does not know

# The program that people paste from NVIDIA's samples, with TensorRT-RTX's module name.
PROGRAM = """\
import sys
import tensorrt_rtx as trt

logger = trt.Logger(trt.Logger.{severity})
builder = trt.Builder(logger)
network = builder.create_network()
parser = trt.OnnxParser(network, logger)
if not parser.parse_from_file("model.onnx"):
    for index in range(parser.num_errors):
        print(parser.get_error(index))
    sys.exit("Failed to parse the ONNX file")
config = builder.create_builder_config()
{settings}
plan = builder.build_serialized_network(network, config)
if plan is None:
    sys.exit("Failed to build the engine")
with open("model.engine", "wb") as stream:
    stream.write(plan)
print("Saved model.engine")
"""
SUCCEEDED = "Saved model.engine"


@dataclass(frozen=True)
class Case:
    """A failure that can be provoked on any machine.

    `truth` is set by how the case is made and by what a TensorRT expert would call its cause, never by what trtlab says.

    Attributes:
        name: A few words, unique.
        family: What kind of failure it is.
        truth: The diagnosis that is right, by its id in the catalog.
        model: Makes the model; None for cases that need none.
        content: Makes the bytes of the model's file, where they are not simply a model's.
        beside: Puts other files into the model's folder.
        plan: What is built, both in the plain program and through trtlab.
        settings: Lines of the plain program that set the builder's configuration, instead of those that `plan` gives.
        program: The plain program, instead of `PROGRAM`; `{severity}` is the logger's level.
        plain: Whether a plain program can provoke it.
        through_trtlab: Whether `trtlab.build` can.
        limits: Limits of trtlab's worker.
        provoke: What provokes it through trtlab in a folder of its own, where a plain build does not, and returns what was said.
        same: Other ids of the catalog that say the same just as rightly; only where two pages overlap by their own words.
        without_driver: Whether it needs a machine without an NVIDIA driver.
    """

    name: str
    family: Family
    truth: str
    model: Callable[[], onnx.ModelProto] | None = None
    content: Callable[[], bytes] | None = None
    beside: Callable[[Path], object] | None = None
    plan: BuildPlan = field(default_factory=BuildPlan)
    settings: str | None = None
    program: str = ""
    plain: bool = True
    through_trtlab: bool = True
    limits: WorkerLimits | None = None
    provoke: Callable[[Path], Sequence[Diagnosis]] | None = None
    same: tuple[str, ...] = ()
    without_driver: bool = False

    def accepts(self, identifier: str) -> bool:
        """Return whether a diagnosis is right."""
        return identifier == self.truth or identifier in self.same

    def write_files(self, folder: Path) -> None:
        """Write the model and what belongs to it into an empty folder."""
        if self.content is not None:
            (folder / "model.onnx").write_bytes(self.content())
        elif self.model is not None:
            models.save(self.model(), folder / "model.onnx")
        if self.beside is not None:
            self.beside(folder)

    def program_text(self, severity: str) -> str:
        """Return the plain program with a logger of that level."""
        settings = self.settings if self.settings is not None else settings_of(self.plan)
        return (self.program or PROGRAM).replace("{settings}", settings).replace("{severity}", severity)


def settings_of(plan: BuildPlan) -> str:
    """Return the lines of a plain program that say what a plan says."""
    lines = []
    for profile in plan.profiles:
        lines.append("profile = builder.create_optimization_profile()")
        for name, shapes in profile.shapes.items():
            lines.append(f"profile.set_shape({name!r}, {shapes.min!r}, {shapes.opt!r}, {shapes.max!r})")
        for name, values in profile.values.items():
            lines.append(f"profile.set_shape_input({name!r}, {values.min!r}, {values.opt!r}, {values.max!r})")
        lines.append("config.add_optimization_profile(profile)")
    for pool, limit in plan.memory_limits.items():
        lines.append(f"config.set_memory_pool_limit(trt.MemoryPoolType.{pool.upper()}, {limit})")
    if plan.targets:
        lines.append(f"config.num_compute_capabilities = {len(plan.targets)}")
    for index, target in enumerate(plan.targets):
        lines.append(f"config.set_compute_capability(trt.ComputeCapability.{target.upper()}, {index})")
    return "\n".join(lines)


# Small models that many cases are made of

Inputs = dict[str, "models.Shape | tuple[models.Shape, int]"]


def one_node(
    operator: str,
    inputs: Inputs,
    *,
    weights: tuple[TensorProto, ...] = (),
    outputs: tuple[str, ...] = ("y",),
    output_type: int = TensorProto.FLOAT,
    opset: int = 17,
    domain: str = "",
    names: tuple[str, ...] | None = None,
    **attributes: Any,
) -> Callable[[], onnx.ModelProto]:
    """Return what makes a model of one node.

    Args:
        operator: The operator.
        inputs: Inputs of the model and the node, in order: a shape, or a shape and a type.
        weights: Initializers; they are inputs of the node behind the others.
        outputs: Outputs of the node; the first is the model's.
        output_type: Type of the model's output.
        opset: Opset of the default domain.
        domain: Domain of the operator, imported in version 1.
        names: Inputs of the node, where they are not simply all inputs and weights.
        attributes: Attributes of the node.
    """

    def make() -> onnx.ModelProto:
        node_inputs = names if names is not None else (*inputs, *(weight.name for weight in weights))
        node = models.node(operator, node_inputs, outputs, "the_node", domain=domain, **attributes)
        opsets = {"": opset, domain: 1} if domain else {"": opset}
        return models.model(
            [node], values_of(inputs), [models.value(outputs[0], None, output_type)], weights, opsets=opsets
        )

    return make


def values_of(inputs: Inputs) -> list[onnx.ValueInfoProto]:
    """Return descriptions of inputs."""
    values = []
    for name, described in inputs.items():
        if len(described) == 2 and isinstance(described[0], tuple):  # a shape and a type
            values.append(models.value(name, described[0], described[1]))  # type: ignore[arg-type]
        else:
            values.append(models.value(name, described))  # type: ignore[arg-type]
    return values


def several_nodes(
    nodes: list[onnx.NodeProto],
    inputs: Inputs,
    *,
    weights: tuple[TensorProto, ...] = (),
    output: str = "y",
    output_type: int = TensorProto.FLOAT,
    opset: int = 17,
) -> Callable[[], onnx.ModelProto]:
    """Return what makes a model of several nodes."""
    return lambda: models.model(
        nodes, values_of(inputs), [models.value(output, None, output_type)], weights, opsets={"": opset}
    )
