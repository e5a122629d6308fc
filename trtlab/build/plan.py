"""What to build: shape profiles, targets, limits and options, as one frozen value that can be compared and stored."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from trtlab._errors import InputError
from trtlab._results import Result

Shape = tuple[int, ...]
ShapesArgument = Mapping[str, Sequence[int] | Sequence[Sequence[int]]]
ProfilingVerbosity = Literal["layer_names_only", "detailed", "none"]
HardwareCompatibility = Literal["none", "ampere_plus", "same_compute_capability"]
_RANGE_LENGTH = 3
_UNITS = {
    "": 1,
    "B": 1,
    "K": 2**10,
    "KIB": 2**10,
    "M": 2**20,
    "MIB": 2**20,
    "G": 2**30,
    "GIB": 2**30,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}


@dataclass(frozen=True)
class ShapeRange(Result):
    """The shapes one input may have: smallest, the one to tune for, and largest.

    For a shape tensor (an input whose values are shapes) these are its values instead.
    """

    min: Shape
    opt: Shape
    max: Shape

    def __repr__(self) -> str:
        return "..".join("x".join(map(str, shape)) or "scalar" for shape in (self.min, self.opt, self.max))


@dataclass(frozen=True)
class ShapeProfile(Result):
    """One optimization profile: a range for each input that is dynamic.

    Attributes:
        shapes: Range of each dynamic input, by tensor name. Static inputs may be given too, with their one shape.
        values: Range of the values of each shape tensor, by tensor name.
    """

    shapes: dict[str, ShapeRange]
    values: dict[str, ShapeRange] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildPlan(Result):
    """All that decides what engine comes out, the model aside.

    Attributes:
        profiles: Optimization profiles; empty for a model without dynamic inputs.
        targets: Compute capabilities to build for (`sm86`); empty for TensorRT's default: the GPU that is here, or for
            TensorRT-RTX a portable engine for Ampere and newer.
        memory_limits: Upper limit in bytes of each of TensorRT's memory pools, by the pool's name in lower case (`workspace`).
        optimization_level: 0 (fast build) to 5 (fast engine); None for TensorRT's default, 3.
        profiling_verbosity: How much the engine tells about its layers. `detailed` names the ONNX nodes of each layer.
        precision: Precisions besides FP32 that the builder may choose (`fp16`, `bf16`, `int8`, `fp8`); only weakly typed
            TensorRT (10 and older) has them. In TensorRT 11 and RTX precision is a property of the model.
        strongly_typed: Take every precision from the model. TensorRT 10 has the choice, TensorRT 11 and RTX always do so.
        tf32: Whether FP32 convolutions and matrix products may use TF32 tensor cores; None for TensorRT's default, yes.
        timing_cache: File of a timing cache to read and to write back, where the flavour has one.
        version_compatible: Build an engine that newer TensorRT releases can load.
        hardware_compatibility: Which other GPUs can load the engine.
    """

    profiles: tuple[ShapeProfile, ...] = ()
    targets: tuple[str, ...] = ()
    memory_limits: dict[str, int] = field(default_factory=dict)
    optimization_level: int | None = None
    profiling_verbosity: ProfilingVerbosity = "detailed"
    precision: tuple[str, ...] = ()
    strongly_typed: bool = False
    tf32: bool | None = None
    timing_cache: str | None = None
    version_compatible: bool = False
    hardware_compatibility: HardwareCompatibility = "none"

    def with_profiles(self, *profiles: ShapeProfile) -> BuildPlan:
        """Return the same plan with other profiles."""
        return replace(self, profiles=tuple(profiles))

    def digest(self) -> str:
        """Return a digest of everything in the plan that decides what the engine is (the timing cache's place does not)."""
        data = self.to_dict()
        data.pop("timing_cache")
        data["targets"] = sorted(data["targets"])
        data["precision"] = sorted(data["precision"])
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def shape_profile(shapes: ShapesArgument) -> ShapeProfile:
    """Return the profile that `shapes` describes.

    Args:
        shapes: For each input one fixed shape, `{"x": (1, 3, 224, 224)}`, or three (min, opt, max),
            `{"x": ((1, 3, 224, 224), (8, 3, 224, 224), (16, 3, 224, 224))}`.

    Raises:
        InputError: A value is neither.
    """
    return ShapeProfile({name: _range(name, value) for name, value in shapes.items()})


def _range(name: str, value: Any) -> ShapeRange:  # noqa: ANN401 - what a user gave
    if isinstance(value, ShapeRange):
        return value
    try:
        items = list(value)
        if all(_is_size(item) for item in items):
            fixed = tuple(int(item) for item in items)
            return ShapeRange(fixed, fixed, fixed)
        if len(items) == _RANGE_LENGTH and all(all(_is_size(size) for size in shape) for shape in items):
            smallest, common, largest = (tuple(int(size) for size in shape) for shape in items)
            return ShapeRange(smallest, common, largest)
    except TypeError:
        pass
    raise InputError(
        f"The shapes of '{name}' are {value!r}. Give one shape, (1, 3, 224, 224), "
        "or three: ((1, 3, 224, 224), (8, 3, 224, 224), (16, 3, 224, 224)) for min, opt and max."
    )


def _is_size(value: object) -> bool:
    if isinstance(value, bool):
        return False
    try:
        operator.index(value)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        return False
    return True


def parse_shapes(text: str) -> tuple[str, ShapeRange]:
    """Return the input and range that `--shapes` gives: `x:1x3x8x8`, or `x:1x3x8x8,4x3x8x8,16x3x8x8` (min, opt, max).

    The last colon separates name and shapes, since names of tensors may hold colons (`input:0`).

    Raises:
        InputError: The text has another form.
    """
    name, separator, rest = text.rpartition(":")
    try:
        shapes = [tuple(int(size) for size in part.split("x")) if part != "scalar" else () for part in rest.split(",")]
    except ValueError:
        shapes = []
    if not separator or not name or len(shapes) not in (1, _RANGE_LENGTH):
        raise InputError(
            f"--shapes {text!r} is not of the form NAME:1x3x8x8 or NAME:1x3x8x8,4x3x8x8,16x3x8x8 (min, opt, max)."
        )
    return name, ShapeRange(shapes[0], shapes[len(shapes) // 2], shapes[-1])


def parse_bytes(text: str) -> int | None:
    """Return the bytes that a text like `1 GiB`, `512M` or `1024` means; None for an empty one.

    Raises:
        InputError: The text is no size.
    """
    compact = text.replace(" ", "").replace("_", "").upper()
    if not compact:
        return None
    number = compact.rstrip("KMGIB")
    unit = _UNITS.get(compact[len(number) :])
    try:
        value = float(number)
    except ValueError:
        unit = None
    if unit is None or not 0 <= value < float("inf"):
        raise InputError(f"{text!r} is no size. Write for instance 512 MiB or 1 GiB.")
    return int(value * unit)
