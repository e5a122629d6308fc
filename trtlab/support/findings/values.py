"""Read the numbers of a tensor, wherever the file keeps them. Runs in the worker.

Large values are left out of the message that trtlab works with (`trtlab.model.skeleton`); they are read from where they lie.
"""

from __future__ import annotations

import contextlib
import functools
import math
from typing import TYPE_CHECKING, Any

from trtlab.model.skeleton import KEPT_TENSOR_BYTES, raw_bytes
from trtlab.model.tensor_rules import data_problem

if TYPE_CHECKING:
    import mmap

    import numpy as np
    from onnx import TensorProto

    from trtlab.model.reading import ModelFile

# onnx.proto: ModelProto.graph, GraphProto.initializer, and of TensorProto the name and the raw data.
_GRAPH, _INITIALIZER, _NAME, _RAW_DATA = 7, 5, 8, 9
_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
_FIXED_BYTES = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


class TensorValues:
    """Reads the values of the tensors of one model.

    What a file of more than 4 MiB keeps in large tensors elsewhere than among the initializers of its main graph (in Constant
    nodes, in branches) is not read.
    """

    def __init__(self, file: ModelFile) -> None:
        self._file = file
        self._places: dict[str, tuple[int, int]] | None = None
        # A thousand nodes can share one scale. The tensors are kept too: an identity lasts as long as its object.
        self._small: dict[int, tuple[TensorProto, np.ndarray[Any, Any] | None]] = {}

    def read(self, tensor: TensorProto, *, most_bytes: int = 1 << 20) -> np.ndarray[Any, Any] | None:
        """Return the first values of a tensor in one dimension, None where they cannot be had.

        Args:
            tensor: The tensor, as it stands in the message.
            most_bytes: No more than this is read; a tensor of less than that is read whole.
        """
        kept = self._small.get(id(tensor))
        if kept is not None:
            return kept[1]
        values = _inline(tensor)
        if values is None:
            values = self._read(tensor, most_bytes)
        if values is None or values.nbytes <= KEPT_TENSOR_BYTES:
            self._small[id(tensor)] = tensor, values
        return values

    def _read(self, tensor: TensorProto, most_bytes: int) -> np.ndarray[Any, Any] | None:
        import onnx

        if data_problem(tensor) is not None or tensor.data_type == tensor.STRING:
            return None
        external = tensor.data_location == tensor.EXTERNAL
        with contextlib.suppress(ValueError, RuntimeError, TypeError, OSError, KeyError, IndexError):
            if not external and (tensor.HasField("raw_data") or not raw_bytes(tensor)):
                return onnx.numpy_helper.to_array(tensor).reshape(-1)
            source, offset = self._external(tensor) if external else self._left_out(tensor)
            return _from_bytes(tensor, source, offset, most_bytes)
        return None

    def _external(self, tensor: TensorProto) -> tuple[mmap.mmap, int]:
        """Map the file that holds a tensor; reading the model has checked that it lies in the model's folder."""
        import mmap

        entries = {entry.key: entry.value for entry in tensor.external_data}
        with (self._file.path.parent / entries["location"]).open("rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), int(entries.get("offset") or 0)

    def _left_out(self, tensor: TensorProto) -> tuple[bytes | mmap.mmap, int]:
        if self._places is None:
            with memoryview(self._file.content) as view:
                self._places = dict(_initializer_places(view))
        offset, length = self._places[tensor.name]
        if length != raw_bytes(tensor):  # two of one name
            raise KeyError(tensor.name)
        return self._file.content, offset


def _inline(tensor: TensorProto) -> np.ndarray[Any, Any] | None:
    """Return the values of a tensor of a common type that stand in the message as raw data: nearly all do."""
    import numpy as np

    dtype = _common_types().get(tensor.data_type)
    if dtype is None or not tensor.HasField("raw_data") or tensor.data_location == tensor.EXTERNAL:
        return None
    raw = tensor.raw_data
    return np.frombuffer(raw, dtype) if len(raw) == math.prod(tensor.dims) * dtype.itemsize else None


@functools.cache
def _common_types() -> dict[int, np.dtype[Any]]:
    import numpy as np
    from onnx import TensorProto

    return {
        TensorProto.INT64: np.dtype("<i8"),
        TensorProto.FLOAT: np.dtype("<f4"),
        TensorProto.INT8: np.dtype("i1"),
        TensorProto.UINT8: np.dtype("u1"),
        TensorProto.DOUBLE: np.dtype("<f8"),
    }


def _from_bytes(
    tensor: TensorProto, source: bytes | mmap.mmap, offset: int, most_bytes: int
) -> np.ndarray[Any, Any] | None:
    import numpy as np
    import onnx

    names = onnx.TensorProto
    packed = (names.INT4, names.UINT4, getattr(names, "FLOAT4E2M1", -1))
    if tensor.data_type in packed:
        return None
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    count = min(math.prod(tensor.dims), most_bytes // dtype.itemsize)
    return np.frombuffer(source, dtype, count, offset)


def _initializer_places(view: memoryview) -> list[tuple[str, tuple[int, int]]]:
    """Return name, offset and length of the raw data of each initializer of the main graph."""
    places = []
    for graph_start, graph_end in _fields(view, 0, len(view), _GRAPH):
        for start, end in _fields(view, graph_start, graph_end, _INITIALIZER):
            names = list(_fields(view, start, end, _NAME))
            data = list(_fields(view, start, end, _RAW_DATA))
            if len(names) == 1 and len(data) == 1:
                name = bytes(view[slice(*names[0])]).decode("utf-8", "replace")
                places.append((name, (data[0][0], data[0][1] - data[0][0])))
    return places


def _fields(view: memoryview, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
    """Return where the contents of a message's fields with one number begin and end."""
    found = []
    position = start
    while position < end:
        tag, position = _varint(view, position)
        wire_type = tag & 7
        if wire_type == _LENGTH_DELIMITED:
            length, position = _varint(view, position)
            if tag >> 3 == wanted:
                found.append((position, position + length))
            position += length
        elif wire_type == _VARINT:
            _, position = _varint(view, position)
        else:
            position += _FIXED_BYTES[wire_type]  # KeyError for groups, which ONNX has none of
    return found


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    """Return the number at `position` and where it ends: https://protobuf.dev/programming-guides/encoding/."""
    value = shift = 0
    while True:
        byte = view[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
            return value, position
        shift += 7
