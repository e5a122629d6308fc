"""Profiles that are missing or contradict the model, and options that do not exist or do not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from tests import models
from tests.explain.provoked.case import Case, Inputs, one_node, several_nodes, values_of
from trtlab.build.plan import BuildPlan, ShapeProfile, ShapesArgument, shape_profile

INT64 = TensorProto.INT64


def plan_of(*profiles: ShapesArgument, **options: object) -> BuildPlan:
    return BuildPlan(profiles=tuple(map(shape_profile, profiles)), **options)  # type: ignore[arg-type]


def missing(name: str, make: Callable[[], onnx.ModelProto], plan: BuildPlan | None = None, **options: object) -> Case:
    return Case(name, "profiles", "config.profile_missing", make, plan=plan or BuildPlan(), **options)  # type: ignore[arg-type]


def contradicting(name: str, make: Callable[[], onnx.ModelProto], plan: BuildPlan, **options: object) -> Case:
    return Case(name, "profiles", "config.profile_range", make, plan=plan, **options)  # type: ignore[arg-type]


def two_inputs(
    first: models.Shape = ("batch", 4), second: models.Shape = ("batch", 4)
) -> Callable[[], onnx.ModelProto]:
    return one_node("Add", {"x": first, "w": second})


IMAGE: Inputs = {"x": ("batch", 3, "height", "width")}
MISSING = (
    missing("no profile for a free batch", models.relu),
    missing("no profile for a convolution", models.convolution),
    missing("no profile for two inputs", two_inputs()),
    missing("profile for one of two inputs", two_inputs(), plan_of({"x": ((1, 4), (2, 4), (4, 4))})),
    missing("profile without inputs", models.relu, BuildPlan(profiles=(ShapeProfile({}),))),
    missing("number of best as an input", one_node("TopK", {"x": (2, 6), "k": ((1,), INT64)}, outputs=("y", "i"))),
    missing("shape as an input", one_node("Reshape", {"x": (2, 6), "s": ((2,), INT64)})),
    missing("pads as an input", one_node("Pad", {"x": (2, 4), "p": ((4,), INT64)})),
    missing("repeats as an input", one_node("Tile", {"x": (2, 4), "r": ((2,), INT64)})),
    missing("profile for another input only", models.relu, plan_of({"images": ((1, 4), (2, 4), (4, 4))}), through_trtlab=False),
)  # fmt: skip
CONTRADICTING = (
    contradicting("size of a fixed axis", models.relu, plan_of({"x": (1, 5)})),
    contradicting("channels of an image", models.convolution, plan_of({"x": ((1, 1, 8, 8), (2, 1, 8, 8), (4, 1, 8, 8))})),
    contradicting("other rank", models.relu, plan_of({"x": ((1,), (2,), (4,))})),
    contradicting("image without its batch", models.convolution, plan_of({"x": (3, 8, 8)})),
    contradicting("channels last", models.convolution, plan_of({"x": ((1, 8, 8, 3), (2, 8, 8, 3), (4, 8, 8, 3))})),
    contradicting("static input of another size", lambda: models.relu((2, 4)), plan_of({"x": (3, 4)})),
    contradicting("two inputs that must agree", two_inputs(), plan_of({"x": (2, 4), "w": (3, 4)})),
    contradicting("smallest above the largest", models.relu, plan_of({"x": ((4, 4), (2, 4), (1, 4))}), plain=False),
    contradicting("common outside of the range", models.relu, plan_of({"x": ((1, 4), (9, 4), (4, 4))}), plain=False),
    contradicting("negative size", models.relu, plan_of({"x": ((-1, 4), (1, 4), (4, 4))}), plain=False),
    contradicting("name that the model does not have", models.relu, plan_of({"images": ((1, 4), (2, 4), (4, 4)), "x": (1, 4)}),
              plain=False),
    contradicting("image that a pool does not fit on", one_node("MaxPool", IMAGE, kernel_shape=[7, 7]),
                  plan_of({"x": (1, 3, 4, 4)})),
    contradicting("batch of two billion", one_node("Relu", {"x": ("batch", 3, 224, 224)}),
                  plan_of({"x": ((1, 3, 224, 224), (2**31 - 1, 3, 224, 224), (2**31 - 1, 3, 224, 224))})),
    contradicting("second of two profiles", models.relu, plan_of({"x": (1, 4)}, {"x": (1, 6)})),
)  # fmt: skip


def longer_than_a_table() -> onnx.ModelProto:
    """Return a table of eight positions, read at as many positions as the input is long."""
    nodes = [
        models.node("Shape", ["x"], ["shape"], "shape"),
        models.node("Gather", ["shape", "one"], ["length"], "length"),
        models.node("Sub", ["length", "one"], ["last"], "last"),
        models.node("Gather", ["table", "last"], ["row"], "look_up"),
        models.node("Reshape", ["x", "row"], ["y"], "reshape"),
    ]
    table = numpy_helper.from_array(np.arange(1, 9, dtype=np.int64), "table")
    return models.model(
        nodes, [models.value("x", (1, "n"))], [models.value("y", None)], [table, models.integers("one", 1)]
    )


def longer_than_its_positions() -> onnx.ModelProto:
    """Return learnt positions for sixteen steps, of which as many are taken as the input is long."""
    nodes = [
        models.node("Shape", ["x"], ["shape"], "shape"),
        models.node("Gather", ["shape", "one"], ["length"], "length"),
        models.node("Slice", ["positions", "zero", "length", "zero"], ["p"], "take_positions"),
        models.node("Add", ["x", "p"], ["y"], "embedding"),
    ]
    weights = [models.weight("positions", 16, 8), models.integers("zero", 0), models.integers("one", 0)]
    return models.model(nodes, values_of({"x": ("n", 8)}), [models.value("y", None)], weights)


BY_VALUE = (
    contradicting("longer than a table", longer_than_a_table, plan_of({"x": ((1, 1), (1, 20), (1, 30))})),
    contradicting(
        "longer than the learnt positions", longer_than_its_positions, plan_of({"x": ((1, 8), (32, 8), (64, 8))})
    ),
)
# How people write it without trtlab: the return value of add_optimization_profile is not looked at
REFUSED = tuple(
    Case(
        name, "profiles", "config.profile_range", models.relu, through_trtlab=False,
        settings=f"profile = builder.create_optimization_profile()\n{line}\nconfig.add_optimization_profile(profile)",
    )
    for name, line in (
        ("plain profile with its largest below its smallest", 'profile.set_shape("x", (4, 4), (2, 4), (1, 4))'),
        ("plain profile of another rank", 'profile.set_shape("x", (1, 4, 1), (2, 4, 1), (4, 4, 1))'),
        ("plain profile with its common shape outside", 'profile.set_shape("x", (1, 4), (8, 4), (4, 4))'),
        ("plain profile that changes a fixed axis", 'profile.set_shape("x", (1, 4), (2, 8), (4, 16))'),
    )
)  # fmt: skip


def option(name: str, truth: str, plan: BuildPlan, **options: object) -> Case:
    return Case(name, "options", truth, lambda: models.relu((1, 4)), plan=plan, **options)  # type: ignore[arg-type]


OPTIONS = (
    option("optimization level of nine", "config.option", BuildPlan(optimization_level=9), plain=False),
    option("negative workspace", "config.workspace", BuildPlan(memory_limits={"workspace": -1}), plain=False),
    option("memory pool that does not exist", "config.option", BuildPlan(memory_limits={"video": 1 << 20}), plain=False),
    option("precision by a flag", "config.precision", BuildPlan(precision=("fp16",)), plain=False, same=("config.option",)),
    option("target that it cannot build for", "env.unsupported_gpu", BuildPlan(targets=("sm90",)), plain=False),
    option("Maxwell as the target", "env.unsupported_gpu", BuildPlan(targets=("sm52",)), plain=False),
    Case("version-compatible engine without the lean runtime", "options", "env.library_missing", lambda: models.relu((1, 4)),
         through_trtlab=False,
         settings="config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)"),
)  # fmt: skip
SEVERAL = several_nodes(
    [models.node("Relu", ["x"], ["a"], "one"), models.node("MatMul", ["a", "w"], ["y"], "two")],
    {"x": ("batch", 4), "w": (4, "columns")},
)
MISSING_SECOND = missing("no profile for weights of free size", SEVERAL, plan_of({"x": ((1, 4), (2, 4), (4, 4))}))
CASES = (*MISSING, MISSING_SECOND, *CONTRADICTING, *BY_VALUE, *REFUSED, *OPTIONS)
