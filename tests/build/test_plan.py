"""Plans and shapes: what a user may write, and a digest that changes exactly when the engine would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab._errors import InputError
from trtlab._results import from_dict
from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange, parse_bytes, parse_shapes, shape_profile

shapes = st.lists(st.integers(0, 2**31 - 1), max_size=5).map(tuple)
names = st.text(min_size=1, max_size=12)


def test_one_shape_stands_for_all_three() -> None:
    assert shape_profile({"x": (1, 3)}) == ShapeProfile({"x": ShapeRange((1, 3), (1, 3), (1, 3))})
    assert shape_profile({"x": []}) == ShapeProfile({"x": ShapeRange((), (), ())})


@pytest.mark.parametrize(
    "value",
    [
        ((1, 3), (2, 3), (4, 3)),
        [[1, 3], [2, 3], [4, 3]],
        ShapeRange((1, 3), (2, 3), (4, 3)),
        np.array([[1, 3], [2, 3], [4, 3]]),
        [np.array([1, 3]), (np.int64(2), 3), [4, np.int32(3)]],
    ],
)
def test_three_shapes_in_any_container(value: object) -> None:
    profile = shape_profile({"x": value})  # type: ignore[dict-item]
    assert profile == ShapeProfile({"x": ShapeRange((1, 3), (2, 3), (4, 3))})
    assert all(type(size) is int for size in profile.shapes["x"].max)


@pytest.mark.parametrize(
    "value",
    [
        "1x3",
        5,
        None,
        (1, "a"),
        (1.5, 2),
        ((1, 2), (2, 2)),
        ((1,), (2,), (3,), (4,)),
        (True, 2),
        ((1,), 2, (3,)),
        {"min": (1,)},
    ],
)
def test_anything_else_is_refused_with_the_name_and_an_example(value: object) -> None:
    with pytest.raises(InputError, match=r"The shapes of 'image' are .*\(1, 3, 224, 224\)"):
        shape_profile({"image": value})  # type: ignore[dict-item]


@given(st.dictionaries(names, st.tuples(shapes, shapes, shapes), max_size=4))
def test_profiles_hold_what_was_given_and_survive_json(given_shapes: dict[str, tuple[tuple[int, ...], ...]]) -> None:
    profile = ShapeProfile({name: ShapeRange(*three) for name, three in given_shapes.items()})
    assert shape_profile(given_shapes) == profile
    assert {name: (item.min, item.opt, item.max) for name, item in profile.shapes.items()} == given_shapes
    plan = BuildPlan(profiles=(profile,))
    assert from_dict(BuildPlan, plan.to_dict()) == plan
    assert from_dict(BuildPlan, plan.to_dict()).digest() == plan.digest()


def text_of(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


@given(names, shapes, shapes, shapes)
def test_shapes_of_the_command_line_mean_what_they_say(
    name: str, low: tuple[int, ...], common: tuple[int, ...], high: tuple[int, ...]
) -> None:
    assert parse_shapes(f"{name}:{text_of(common)}") == (name, ShapeRange(common, common, common))
    assert parse_shapes(f"{name}:{','.join(map(text_of, (low, common, high)))}") == (
        name,
        ShapeRange(low, common, high),
    )


@given(st.text())
def test_any_other_text_is_an_input_error_or_a_range(text: str) -> None:
    try:
        name, found = parse_shapes(text)
    except InputError as error:
        assert "NAME:1x3x8x8" in str(error)  # noqa: PT017 - both endings are right, a third one is not
    else:
        assert text.startswith(f"{name}:")
        assert isinstance(found, ShapeRange)


@pytest.mark.parametrize("text", ["", "x", "x:", ":1x3", "x:1x3,2x3", "x:1x3,2x3,3x3,4x3", "x:axb", "x:1x", "x:1,,2"])
def test_malformed_shapes_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_shapes(text)


def test_a_name_may_hold_colons() -> None:
    assert parse_shapes("input:0:1x3")[0] == "input:0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("1024", 1024),
        ("1 KiB", 1024),
        ("512M", 512 * 2**20),
        ("1.5 GiB", 3 * 2**29),
        ("2 GB", 2 * 10**9),
        ("1_000", 1000),
    ],
)
def test_sizes(text: str, expected: int | None) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["x", "-1", "1 TiBs", "nan", "inf", "1e999", "GiB", "1 G G"])
def test_malformed_sizes_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no size"):
        parse_bytes(text)


CHANGED: dict[str, object] = {
    "profiles": (shape_profile({"x": (1, 3)}),),
    "targets": ("sm86",),
    "memory_limits": {"workspace": 1024},
    "optimization_level": 2,
    "profiling_verbosity": "none",
    "precision": ("fp16",),
    "strongly_typed": True,
    "tf32": False,
    "version_compatible": True,
    "hardware_compatibility": "ampere_plus",
}


def test_every_field_that_decides_the_engine_changes_the_digest() -> None:
    plain = BuildPlan()
    digests = {name: replace(plain, **{name: value}).digest() for name, value in CHANGED.items()}  # type: ignore[arg-type]
    assert len({plain.digest(), *digests.values()}) == len(CHANGED) + 1
    assert {field.name for field in fields(BuildPlan)} == {*CHANGED, "timing_cache"}, (
        "a new field must be in the digest"
    )


def test_what_does_not_decide_the_engine_does_not_change_the_digest() -> None:
    two = (shape_profile({"x": (1,), "y": (2,)}), shape_profile({"y": (2,), "x": (1,)}))
    assert BuildPlan(profiles=two[:1]).digest() == BuildPlan(profiles=two[1:]).digest(), "the order of names"
    assert BuildPlan(targets=("sm86", "sm89")).digest() == BuildPlan(targets=("sm89", "sm86")).digest()
    assert BuildPlan(timing_cache="a").digest() == BuildPlan(timing_cache="b").digest()
    first, second = shape_profile({"x": (1,)}), shape_profile({"x": (2,)})
    assert BuildPlan(profiles=(first, second)).digest() != BuildPlan(profiles=(second, first)).digest(), (
        "profiles have numbers"
    )


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_digest_is_the_same_in_every_process(seed: str) -> None:
    code = (
        "from trtlab.build.plan import *; print(BuildPlan(profiles=(shape_profile({'x': (1,), 'y': (2,)}),)).digest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert printed.stdout.strip() == BuildPlan(profiles=(shape_profile({"x": (1,), "y": (2,)}),)).digest()


def test_repr_of_a_range() -> None:
    assert repr(ShapeRange((1, 3), (2, 3), (4, 3))) == "1x3..2x3..4x3"
    assert repr(ShapeRange((), (), ())) == "scalar..scalar..scalar"
