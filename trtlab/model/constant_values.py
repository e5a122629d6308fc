"""The values of a constant: where its bytes lie, and their range. Runs in the worker.

Models are read without the values of large tensors; they are looked at here where they lie, piece by piece, without a copy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtlab._format import format_bytes
from trtlab._results import Result
from trtlab.model.actions import dtype_name
from trtlab.model.skeleton import left_out_part
from trtlab.model.tensor_rules import data_problem, tensor_bits, tensor_bytes
from trtlab.model.value_text import numbers_text

if TYPE_CHECKING:
    from onnx import TensorProto

    from trtlab.model.reading import ModelFile

_MOST_SHOWN = 16
_PIECE = 1 << 20
_BYTE_BITS = 8
# Types that share bytes are unpacked as a whole, so their tensors must not be huge.
_MOST_UNPACKED_BYTES = 1 << 26


@dataclass(frozen=True)
class ConstantFacts(Result):
    """A tensor whose values lie in the model.

    Attributes:
        dtype: NumPy-style type name.
        shape: Its sizes.
        bytes: Size of its values.
        minimum: Smallest finite value, None where there is none or it was not looked at.
        maximum: Largest finite value, likewise.
        nan_count: Values that are not a number.
        infinite_count: Values that are infinite.
        values: The values of a small tensor as text.
        note: Why there is no range.
    """

    dtype: str
    shape: tuple[int, ...]
    bytes: int
    minimum: float | None = None
    maximum: float | None = None
    nan_count: int = 0
    infinite_count: int = 0
    values: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """Values or range, what is odd about them, and the size: `0.013 .. 0.92, 4.62 KiB`."""
        parts = [self.values or self._range]
        parts += [f"{self.nan_count} NaN"] if self.nan_count else []
        parts += [f"{self.infinite_count} infinite"] if self.infinite_count else []
        parts += [self.note, format_bytes(self.bytes)]
        return ", ".join(filter(None, parts))

    @property
    def _range(self) -> str:
        if self.minimum is None or self.maximum is None:
            return ""
        low, high = _number(self.minimum), _number(self.maximum)
        return f"all {low}" if self.minimum == self.maximum and math.prod(self.shape) > 1 else f"{low} .. {high}"


def constant_facts(tensor: TensorProto, file: ModelFile) -> ConstantFacts:
    """Return what can be said of a constant of a model."""
    facts = (dtype_name(tensor.data_type), tuple(tensor.dims), tensor_bytes(tensor))
    problem = data_problem(tensor)
    if problem is not None:
        return ConstantFacts(*facts, note=problem)
    try:
        values = _values(tensor, file)
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as error:
        return ConstantFacts(*facts, note=f"its values cannot be read: {error!s:.100}")
    if values is None:
        return ConstantFacts(*facts, note="its values were not looked at")
    count = math.prod(tensor.dims)
    shown = numbers_text(values.reshape(tuple(tensor.dims)).tolist()) if 0 < count <= _MOST_SHOWN else ""
    if values.dtype.kind in "OcSU":
        return ConstantFacts(*facts, values=shown)
    low, high, nan_count, infinite_count = _finite_range(values)
    return ConstantFacts(*facts, low, high, nan_count, infinite_count, shown)


def _values(tensor: TensorProto, file: ModelFile) -> Any:  # noqa: ANN401 - an array of any dtype
    """Return the values of a tensor as a flat array, None where they are not looked at."""
    import numpy as np
    import onnx

    content = _raw_content(tensor, file)
    if content is None:
        return onnx.numpy_helper.to_array(tensor).reshape(-1)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    if tensor_bits(tensor.data_type) == dtype.itemsize * _BYTE_BITS:
        return content.view(np.dtype(dtype).newbyteorder("<")) if dtype.kind in "fiu" else content.view(dtype)
    if content.size > _MOST_UNPACKED_BYTES:
        return None
    whole = onnx.TensorProto(data_type=tensor.data_type, dims=tensor.dims, raw_data=content.tobytes())
    return onnx.numpy_helper.to_array(whole).reshape(-1)


def _raw_content(tensor: TensorProto, file: ModelFile) -> Any:  # noqa: ANN401 - an array of bytes
    """Return the bytes of a tensor's `raw_data` where they lie, None if its values stand in another field."""
    import numpy as np

    if tensor.data_location == tensor.EXTERNAL:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        size = tensor_bytes(tensor)
        if not size:
            return np.empty(0, np.uint8)
        # Reading the model has checked that the file lies in the model's folder and is long enough.
        path = file.path.parent / entries["location"]
        return np.memmap(path, np.uint8, "r", int(entries.get("offset") or 0), (size,))
    part = left_out_part(tensor)
    if part is not None:
        return np.frombuffer(file.content, np.uint8, part[1], part[0])
    return np.frombuffer(tensor.raw_data, np.uint8) if tensor.raw_data else None


def _finite_range(values: Any) -> tuple[float | None, float | None, int, int]:  # noqa: ANN401
    """Return the smallest and largest finite value, and how many values are no number and infinite."""
    import numpy as np

    lows: list[float] = []
    highs: list[float] = []
    nan_count = infinite_count = 0
    is_whole = values.dtype.kind in "biu"
    for start in range(0, values.size, _PIECE):
        piece = values[start : start + _PIECE]
        if not is_whole:
            # Half precision and narrower are slow or unknown to NumPy's functions.
            piece = piece if piece.dtype.itemsize >= 4 else piece.astype(np.float32)  # noqa: PLR2004
            finite = np.isfinite(piece)
            if not finite.all():
                nan_count += int(np.isnan(piece).sum())
                infinite_count += int(np.isinf(piece).sum())
                piece = piece[finite]
        if piece.size:
            lows.append(float(piece.min()))
            highs.append(float(piece.max()))
    return min(lows, default=None), max(highs, default=None), nan_count, infinite_count


def _number(value: float) -> str:
    is_long = abs(value) < 1e15 and value == int(value)  # noqa: PLR2004 - beyond it floats are no exact integers
    return str(int(value)) if is_long else f"{value:.3g}"
