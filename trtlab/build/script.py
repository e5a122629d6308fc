"""Write the Python program that repeats a build with the plain TensorRT API, without trtlab.

Every value is written with `repr`, so that no name of a model can become code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trtlab.build.plan import BuildPlan

if TYPE_CHECKING:
    from trtlab.build.report import BuildReport

_BEGIN = '''\
"""Build a TensorRT engine from an ONNX model. Written by trtlab; needs only {module}.

Run with: python {name} [MODEL] [ENGINE]
"""

import sys

import {module} as trt

model_path = sys.argv[1] if len(sys.argv) > 1 else {model!r}
engine_path = sys.argv[2] if len(sys.argv) > 2 else {engine!r}

logger = trt.Logger(trt.Logger.INFO)
builder = trt.Builder(logger)
network = builder.create_network({flags})  # explicit batch is the only kind since TensorRT 10
parser = trt.OnnxParser(network, logger)
with open(model_path, "rb") as stream:
    accepted = parser.parse(stream.read(), model_path)  # the path tells the parser where external weights lie
if not accepted:
    for index in range(parser.num_errors):
        print(parser.get_error(index))
    sys.exit("The parser refused the model.")

config = builder.create_builder_config()
'''
_END = """
serialized_engine = builder.build_serialized_network(network, config)
if serialized_engine is None:
    sys.exit("The builder returned no engine; its messages are above.")
with open(engine_path, "wb") as stream:
    stream.write(serialized_engine)
print(f"{engine_path}: {serialized_engine.nbytes} bytes")
"""


def build_script(report: BuildReport) -> str:
    """Return the program for `report`: same flavour, same model, same plan."""
    module = report.installation.flavour if report.installation else "tensorrt_rtx"
    model = report.model.path if report.model and report.model.path else "model.onnx"
    engine = str(Path(model).with_suffix(".engine").name)
    flags = "1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)" if report.plan.strongly_typed else "0"
    if report.installation and report.installation.version.startswith("8."):
        flags = "1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)"
    begin = _BEGIN.format(module=module, model=model, engine=engine, name="build_engine.py", flags=flags)
    return begin + "\n".join(_configuration(report.plan)) + "\n" + _END


def _configuration(plan: BuildPlan) -> list[str]:
    lines = [f"config.profiling_verbosity = trt.ProfilingVerbosity.{plan.profiling_verbosity.upper()}"]
    if plan.optimization_level is not None:
        lines.append(f"config.builder_optimization_level = {plan.optimization_level!r}")
    for pool, limit in sorted(plan.memory_limits.items()):
        lines.append(f"config.set_memory_pool_limit(getattr(trt.MemoryPoolType, {pool.upper()!r}), {limit!r})")
    lines += [f"config.set_flag(getattr(trt.BuilderFlag, {name.upper()!r}))" for name in plan.precision]
    if plan.tf32 is not None:
        lines.append(f"config.{'set' if plan.tf32 else 'clear'}_flag(trt.BuilderFlag.TF32)")
    if plan.version_compatible:
        lines.append("config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)")
    if plan.hardware_compatibility != "none":
        lines.append(
            f"config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.{plan.hardware_compatibility.upper()}"
        )
    if plan.targets:
        lines.append(f"config.num_compute_capabilities = {len(plan.targets)}")
        lines += [
            f"config.set_compute_capability(getattr(trt.ComputeCapability, {target.upper()!r}), {index})"
            for index, target in enumerate(plan.targets)
        ]
    for profile in plan.profiles:
        lines.append("profile = builder.create_optimization_profile()")
        lines += [f"profile.set_shape({name!r}, {s.min!r}, {s.opt!r}, {s.max!r})" for name, s in profile.shapes.items()]
        lines += [
            f"profile.set_shape_input({name!r}, {s.min!r}, {s.opt!r}, {s.max!r})" for name, s in profile.values.items()
        ]
        lines.append("config.add_optimization_profile(profile)")
    return lines
