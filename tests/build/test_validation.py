"""A plan is checked before TensorRT sees it: every problem at once, and no verdict that TensorRT would contradict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from tests import models
from trtlab._engine_results import Installation, NetworkTensor, Option, ParseResult
from trtlab._results import from_dict
from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange, shape_profile
from trtlab.build.session import BuildSession
from trtlab.build.validation import PlanProblem, validate
from trtlab.model.actions import describe_value
from trtlab.model.description import ModelDescription, TensorDescription
from trtlab.worker import Worker, shared_pool


def description(**inputs: tuple[int | str | None, ...] | None) -> ModelDescription:
    """Return the description of a model with these inputs."""
    tensors = tuple(TensorDescription(name, "float32", shape) for name, shape in inputs.items())
    return ModelDescription("", "", 0, 8, {"": 17}, "", tensors, (), 1, 0, {}, 0, 0)


IMAGE = description(image=("batch", 3, "h", "h"), mask=("batch",), scale=())
GOOD = shape_profile({"image": ((1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8)), "mask": ((1,), (2,), (4,))})


def problems(
    profile: ShapeProfile, model: ModelDescription = IMAGE, **arguments: Any
) -> list[tuple[str, str, int | None]]:
    found = validate(BuildPlan(profiles=(profile,)), model, **arguments)
    assert all(problem.text and problem.profile == 0 for problem in found)
    return [(problem.id, problem.tensor, problem.axis) for problem in found]


def with_range(**changed: ShapeRange) -> ShapeProfile:
    return ShapeProfile({**GOOD.shapes, **changed})


def test_a_fitting_plan_has_no_problems() -> None:
    assert validate(BuildPlan(profiles=(GOOD, GOOD)), IMAGE) == ()
    assert validate(BuildPlan(), description(x=(1, 2))) == ()
    assert problems(with_range(scale=ShapeRange((), (), ()))) == [], "a static input may be given too"


def test_no_profile_for_dynamic_inputs() -> None:
    [problem] = validate(BuildPlan(), IMAGE)
    assert problem.id == "missing_input"
    assert "'image', 'mask'" in problem.text


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (ShapeProfile({"image": GOOD.shapes["image"]}), ("missing_input", "mask", None)),
        (with_range(maks=ShapeRange((1,), (1,), (1,))), ("unknown_tensor", "maks", None)),
        (with_range(mask=ShapeRange((1, 1), (2, 1), (4, 1))), ("wrong_rank", "mask", None)),
        (with_range(mask=ShapeRange((1,), (2,), (4, 1))), ("wrong_rank", "mask", None)),
        (with_range(mask=ShapeRange((3,), (2,), (4,))), ("order", "mask", 0)),
        (with_range(mask=ShapeRange((-1,), (2,), (4,))), ("size", "mask", 0)),
        (with_range(mask=ShapeRange((1,), (2,), (2**31,))), ("size", "mask", 0)),
        (
            with_range(image=ShapeRange((1, 3, 8, 8), (2, 3, 2**20, 2**20), (4, 3, 2**21, 2**21))),
            ("size", "image", None),
        ),
        (with_range(mask=ShapeRange((1,), (3,), (4,))), ("clashing_dimension", "mask", 0)),
        (with_range(image=ShapeRange((1, 4, 8, 8), (2, 4, 8, 8), (4, 4, 8, 8))), ("static_axis", "image", 1)),
        (with_range(image=ShapeRange((1, 3, 8, 8), (2, 3, 8, 9), (4, 3, 8, 9))), ("clashing_dimension", "image", 3)),
        (with_range(scale=ShapeRange((1,), (1,), (1,))), ("wrong_rank", "scale", None)),
    ],
)
def test_each_kind_of_problem(profile: ShapeProfile, expected: tuple[str, str, int | None]) -> None:
    assert problems(profile) == [expected]


def test_a_misspelt_name_is_corrected() -> None:
    [problem] = validate(BuildPlan(profiles=(with_range(maks=ShapeRange((1,), (1,), (1,))),)), IMAGE)
    assert "Did you mean 'mask'?" in problem.text


def test_unknown_ranks() -> None:
    model = description(x=None)
    assert problems(shape_profile({"x": ((1,), (2,), (3,))}), model) == []
    assert problems(ShapeProfile({"x": ShapeRange((1,), (2, 2), (3,))}), model) == [("wrong_rank", "x", None)]
    assert problems(ShapeProfile({}), model) == [("missing_input", "x", None)]


SHAPE_MODEL = description(x=(2, 6), target=(2,))
SHAPE_INPUTS = (NetworkTensor("x", "float", (2, 6)), NetworkTensor("target", "int64", (2,), is_shape_tensor=True))


def test_shape_tensors_need_values() -> None:
    def found(**values: ShapeRange) -> list[tuple[str, str, int | None]]:
        return problems(ShapeProfile({}, values), SHAPE_MODEL, network_inputs=SHAPE_INPUTS)

    assert found(target=ShapeRange((2, 6), (3, 4), (12, 12))) == [("order", "target", 1)]
    assert found(target=ShapeRange((1, 1), (3, 4), (12, 12))) == []
    assert found() == [("missing_input", "target", None)]
    assert found(target=ShapeRange((1,), (3,), (12,))) == [("wrong_rank", "target", None)]
    assert found(target=ShapeRange((1, 1), (3, 4), (9, 9)), x=ShapeRange((1,), (1,), (1,))) == [
        ("not_shape_tensor", "x", None)
    ]
    [problem] = validate(BuildPlan(), SHAPE_MODEL, network_inputs=SHAPE_INPUTS)
    assert (problem.id, "'target'" in problem.text) == ("missing_input", True)


INSTALLATION = Installation(
    "tensorrt_rtx",
    "1.0",
    "",
    None,
    (Option("targets", offered=True), Option("memory.workspace", offered=True)),
    ("75", "86"),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"optimization_level": 6}, "option"),
        ({"optimization_level": -1}, "option"),
        ({"memory_limits": {"workspace": -1}}, "memory_limit"),
        ({"memory_limits": {"workspace": 0}}, "memory_limit"),
        ({"memory_limits": {"workspace": 2**63}}, "memory_limit"),
        ({"memory_limits": {"nonsense": 1}}, "option"),
        ({"targets": ("sm90",)}, "target"),
        ({"targets": ("86",)}, "target"),
        ({"targets": "sm86"}, "option"),
        ({"profiling_verbosity": "loud"}, "option"),
        ({"precision": ("fp16",)}, "option"),
        ({"tf32": True}, "option"),
        ({"timing_cache": "file"}, "option"),
        ({"version_compatible": True}, "option"),
        ({"hardware_compatibility": "ampere_plus"}, "option"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, Any], expected: str) -> None:
    found = validate(replace(BuildPlan(), **changes), description(x=(1,)), INSTALLATION)
    assert expected in {problem.id for problem in found}
    assert all(problem.text for problem in found)


def test_options_that_can_be() -> None:
    plan = BuildPlan(targets=("sm86", "SM75"), memory_limits={"WORKSPACE": 1})
    assert validate(plan, description(x=(1,)), INSTALLATION) == ()


def test_all_problems_come_at_once_and_become_one_diagnosis_each() -> None:
    profile = shape_profile({"z": ((3, 5), (2, 5), (1, 5)), "zz": (1,)})
    plan = BuildPlan(profiles=(profile,), optimization_level=9, targets=("sm1",), memory_limits={"workspace": -5})
    proto = models.model([models.node("Add", ["z", "w"], ["y"])], [models.value("z"), models.value("w")])
    with BuildSession(proto, plan=plan) as session:
        report = session.run_all()
    assert report.step("configure").state == "failed"
    assert [diagnosis.id for diagnosis in report.diagnoses] == [
        "config.profile_range",  # zz is unknown
        "config.profile_missing",  # w
        "config.profile_range",  # the order on axis 0
        "config.profile_range",  # axis 1 is 4
        "config.option",  # the level
        "config.workspace",
        "env.unsupported_gpu",
    ]
    assert {diagnosis.place.step for diagnosis in report.diagnoses} == {"configure"}


# Against TensorRT itself

dimension = st.sampled_from(["batch", "batch", "n", None, 3, 8])
size = st.sampled_from([0, 1, 2, 3, 8, 64, 1000, 2**31 - 1])


@st.composite
def models_and_profiles(draw: st.DrawFn) -> tuple[dict[str, tuple[int | str | None, ...]], tuple[ShapeProfile, ...]]:
    """Draw inputs, and profiles that mostly fit them: what is wrong with them is wrong in one or two places."""
    inputs = {
        f"x{number}": tuple(draw(st.lists(dimension, min_size=1, max_size=3)))
        for number in range(draw(st.integers(1, 3)))
    }
    profiles = []
    for _ in range(draw(st.integers(0, 2))):
        common: dict[str, list[int]] = {}
        ranges = {}
        for name, shape in inputs.items():
            if draw(st.integers(0, 19)) == 0:
                continue
            axes = []
            for fixed in shape:
                sizes = (
                    sorted(draw(size) for _ in range(3)) if draw(st.integers(0, 19)) else [draw(size) for _ in range(3)]
                )
                if isinstance(fixed, str) and draw(st.integers(0, 9)):
                    sizes = common.setdefault(fixed, sizes)
                if isinstance(fixed, int) and draw(st.integers(0, 19)):
                    sizes = [fixed] * 3
                axes.append(sizes)
            ranges[name] = ShapeRange(*(tuple(sizes[bound] for sizes in axes) for bound in range(3)))
        profiles.append(ShapeProfile(ranges))
    return inputs, tuple(profiles)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    borrowed = shared_pool().acquire()
    yield borrowed
    shared_pool().release(borrowed)


def builds(
    worker: Worker, folder: Any, inputs: dict[str, Any], plan: BuildPlan
) -> tuple[bool, tuple[PlanProblem, ...]]:
    """Return whether TensorRT itself builds, asked without our validation, and what validation says."""
    nodes = [models.node("Relu", [name], [f"{name}_out"], name) for name in inputs]
    values = [models.value(name, shape) for name, shape in inputs.items()]
    outputs = [models.value(f"{name}_out", shape) for name, shape in inputs.items()]
    path = models.save(models.model(nodes, values, outputs), folder / "model.onnx")
    loaded = from_dict(ModelDescription, worker.call("trtlab.model.actions:load", {"path": str(path)}))
    assert loaded.inputs == tuple(map(describe_value, values))
    parsed = from_dict(ParseResult, worker.call("trtlab.engine.actions:parse", {}))
    found = validate(plan, loaded, parsed.installation, parsed.inputs)
    from trtlab._errors import TrtlabError

    try:
        worker.call("trtlab.engine.actions:configure", {"plan": plan.to_dict()})
        worker.call("trtlab.engine.actions:build", {})
    except TrtlabError:
        return False, found
    return True, found


@settings(max_examples=60, deadline=None)
@given(models_and_profiles())
def test_tensorrt_agrees(worker: Worker, tmp_path_factory: pytest.TempPathFactory, drawn: tuple[Any, Any]) -> None:
    inputs, profiles = drawn
    plan = BuildPlan(profiles=profiles, profiling_verbosity="none")
    built, found = builds(worker, tmp_path_factory.getbasetemp(), inputs, plan)
    if not found:
        assert built, "validation took what TensorRT refuses"
    elif built:
        # Where one input pins a shared dimension to one size, TensorRT takes other sizes of the others and ignores them.
        assert {problem.id for problem in found} == {"clashing_dimension"}, found


def test_tensorrt_agrees_about_shape_tensors() -> None:
    nodes = [models.node("Reshape", ["x", "target"], ["y"], "reshape")]
    inputs = [models.value("x", (2, 6)), models.value("target", (2,), TensorProto.INT64)]
    proto = models.model(nodes, inputs, [models.value("y", ("a", "b"))])
    for values, fine in ((((1, 1), (3, 4), (12, 12)), True), (((1,), (3,), (12,)), False), (None, False)):
        given_values = {"target": ShapeRange(*values)} if values else {}
        with BuildSession(proto, plan=BuildPlan(profiles=(ShapeProfile({}, given_values),))) as session:
            report = session.run_all()
        assert report.ok == fine, report
    with BuildSession(proto) as session:
        report = session.run_all()
    assert report.step("configure").state == "failed", "not only the build finds that values are missing"
    assert report.diagnoses[0].id == "config.profile_missing"
