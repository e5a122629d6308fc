"""Constant shapes that fix a batch are found, with the only size they allow; those that leave it open are not."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import pytest

from tests import models
from tests.models import Shape
from tests.support.findings.looking import findings_of, found


def shaped(operator: str, shape: Shape, target: Sequence[int], **attributes: int) -> onnx.ModelProto:
    nodes = [
        models.node("Relu", ["x"], ["r"], "relu"),
        models.node(operator, ["r", "target"], ["y"], "shape", **attributes),
    ]
    return models.model(
        nodes, [models.value("x", shape)], [models.value("y", None)], [models.integers("target", *target)]
    )


@pytest.mark.parametrize("batch", ["batch", None])
@pytest.mark.parametrize(
    ("operator", "rest", "target", "words"),
    [
        ("Reshape", (4,), (1, 4), "axis 0 of the input 'x' can only be 1"),
        ("Reshape", (4, 6), (8, 12), "axis 0 of the input 'x' can only be 4"),
        ("Reshape", (4, 6), (12, 0), "axis 0 of the input 'x' can only be 2"),  # the zero copies 4
        ("Reshape", (4, 6), (5, 5), "axis 0 of the input 'x' can have no size at all"),
        ("Expand", (1,), (3, 4), "axis 0 of the input 'x' can only be 3 or 1"),
    ],
)
def test_a_fixed_batch(batch: str | None, operator: str, rest: Shape, target: Sequence[int], words: str) -> None:
    (finding,) = findings_of(shaped(operator, (batch, *rest), target))
    assert (finding.severity, finding.id, finding.tensor) == ("warning", "support.baked_batch", "target")
    assert words in finding.text


@pytest.mark.parametrize(
    ("operator", "shape", "target"),
    [
        ("Reshape", ("batch", 4, 4), (-1, 16)),
        ("Reshape", ("batch", 4, 4), (0, 16)),
        ("Reshape", ("batch", 4), (1, -1, 4)),  # an Unsqueeze: the batch keeps an axis of its own
        ("Expand", ("batch", 1), (1, 8)),
        ("Reshape", (2, 4), (4, 2)),
    ],
)
def test_what_leaves_the_batch_open(operator: str, shape: Shape, target: Sequence[int]) -> None:
    assert found(shaped(operator, shape, target)) == []


def test_samples_that_end_up_in_one() -> None:
    assert found(shaped("Reshape", ("batch", 4, 4), (1, -1))) == [("info", "merged_batch", "target")]


def test_a_batch_of_one_that_the_whole_model_shares() -> None:
    assert found(shaped("Reshape", (1, 4, 4), (1, 16))) == [("info", "fixed_batch", "target")]


def test_several_are_told_in_one_finding() -> None:
    nodes = [models.node("Reshape", ["x", "target"], [f"y{index}"], f"shape{index}") for index in range(9)]
    outputs = [models.value(f"y{index}", None) for index in range(9)]
    (finding,) = findings_of(models.model(nodes, outputs=outputs, initializers=[models.integers("target", 1, 4)]))
    assert "'shape2' (Reshape) and 6 more" in finding.text
