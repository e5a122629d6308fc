"""Constants whose numbers TensorRT narrows.

Asked of TensorRT-RTX 1.7.1: int64 is kept (TensorRT up to 9 made int32 of it, cutting what lay outside, and said so in a warning);
float64 becomes float32, and what lies outside its range becomes its largest number, with a warning for each value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trtlab._format import plural
from trtlab.model.description import Finding
from trtlab.support.findings.model_facts import ModelFacts
from trtlab.support.findings.wording import SEEN, listed

if TYPE_CHECKING:
    import numpy as np

# Looking at 128 MiB of numbers takes less than 0.1 s.
_MOST_BYTES = 1 << 27
_INT32_LOWEST, _INT32_HIGHEST = -(2**31), 2**31 - 1
# Exporters write these for "to the end" of a Slice; cut off at int32's limits they still mean that.
_TO_THE_END = frozenset({2**63 - 1, -(2**63), 2**63 - 2, -(2**63) + 1})
_SMALL = 64
_Named = list[tuple[str, "np.ndarray[Any, Any]"]]


def narrowing_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return the int64 constants that do not fit int32, and the float64 ones that do not fit float32."""
    integers, doubles = _numbers(facts)
    wide = (
        [(name, value) for name, values in integers for value in _outside_int32(values)] if _any_wide(integers) else []
    )
    clamped = [(name, value) for name, values in doubles for value in _outside_float32(values)]
    if wide:
        name, value = wide[0]
        text = (
            f"{plural(len(wide), 'int64 constant')} with values outside int32: {listed([item[0] for item in wide])}, here {value}. "
            f"{SEEN} keeps int64; releases before 10 narrow to int32 and cut such a value off. Only matters if you build with one of those."
        )
        yield Finding("support.int64_range", "info", text, tensor=name)
    if clamped:
        name, number = clamped[0]
        text = (
            f"{plural(len(clamped), 'float64 constant')} with values that float32 does not reach: {listed([item[0] for item in clamped])}, "
            f"here {number:g}. {SEEN} puts float32's largest number (3.4e38) in their place. Export in float32 with values that fit."
        )
        yield Finding("support.float64_range", "warning", text, tensor=name)


def _numbers(facts: ModelFacts) -> tuple[_Named, _Named]:
    """Return the int64 and the float64 constants that can be looked at in good time, by name."""
    from onnx import TensorProto

    found: dict[int, _Named] = {TensorProto.INT64: [], TensorProto.DOUBLE: []}
    budget = _MOST_BYTES
    for name, _, tensor, _ in facts.constants:
        named = found.get(tensor.data_type)
        values = facts.values.read(tensor, most_bytes=budget) if named is not None and budget > 0 else None
        if named is not None and values is not None and values.size:
            budget -= values.nbytes
            named.append((name, values))
    return found[TensorProto.INT64], found[TensorProto.DOUBLE]


def _any_wide(integers: _Named) -> bool:
    """Whether any value lies outside int32. Exporters make thousands of constants with one number: these are joined first."""
    import numpy as np

    small = [values for _, values in integers if values.size <= _SMALL]
    joined = [np.concatenate(small)] if small else []
    return any(
        values.min() < _INT32_LOWEST or values.max() > _INT32_HIGHEST
        for values in (*joined, *(values for _, values in integers if values.size > _SMALL))
    )


def _outside_int32(values: np.ndarray[Any, Any]) -> list[int]:
    """Return the value that lies farthest outside int32, if one does that is no mark for "to the end"."""
    outside = values[(values < _INT32_LOWEST) | (values > _INT32_HIGHEST)]
    meant = [value for value in outside.tolist() if value not in _TO_THE_END]
    return [max(meant, key=abs)] if meant else []


def _outside_float32(values: np.ndarray[Any, Any]) -> list[float]:
    """Return the finite value that lies farthest outside float32, if one does."""
    import numpy as np

    limit = float(np.finfo(np.float32).max)
    outside = values[np.isfinite(values) & (np.abs(values) > limit)]
    return [float(outside[np.argmax(np.abs(outside))])] if outside.size else []
