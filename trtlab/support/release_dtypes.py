"""The verdict of one release on one data type.

From the text above each release's operator table, the parser's changelog (uint8 from 8.5, int64 and its buffers from 9.0), and for
TensorRT-RTX 1.7 from what was asked of it (`trtlab.support.findings.dtypes`).
"""

from __future__ import annotations

from trtlab.support.release_names import ReleaseName
from trtlab.support.release_operators import TableSource, table_source
from trtlab.support.releases import ReleaseCell

# NumPy-style names and the words of the tables.
_WORDS = {
    "float64": "DOUBLE",
    "float32": "FLOAT32",
    "float16": "FLOAT16",
    "bfloat16": "BFLOAT16",
    "float8e4m3fn": "FP8",
    "float4e2m1": "FP4",
    "int64": "INT64",
    "int32": "INT32",
    "int8": "INT8",
    "int4": "INT4",
    "uint8": "UINT8",
    "bool": "BOOL",
}
_QUANTIZED = frozenset({"float8e4m3fn", "float4e2m1", "int8", "int4"})
_NATIVE_INT64 = (9, 0)
_FIRST_UINT8 = (8, 5)
_UINT8_NOTE = "as network input and output only"
_QUANTIZED_NOTE = "for quantized values only (QuantizeLinear, DequantizeLinear)"
_DOUBLE_NOTE = "it becomes float32"
_MEASURED = ReleaseName("tensorrt_rtx", "1.7")
_MEASURED_NOTES = {
    "float64": _DOUBLE_NOTE,
    "uint8": "as network input and output, and as a constant, which becomes int32",
    **dict.fromkeys(_QUANTIZED, _QUANTIZED_NOTE),
}


def dtype_cell(dtype: str, name: ReleaseName) -> ReleaseCell:
    """Return what a release says of a data type.

    Args:
        dtype: NumPy-style name, such as `int64` or `float8e4m3fn`.
        name: The release.
    """
    if name == _MEASURED:
        known = dtype in _WORDS
        return ReleaseCell("yes" if known else "no", "measured", _MEASURED_NOTES.get(dtype, ""))
    source = table_source(name)
    if source is None:
        return ReleaseCell("unknown", "unknown", "its types were not found")
    if dtype.startswith("float8") and dtype not in _WORDS and "FP8" in source.types:
        return ReleaseCell("unknown", "unknown", "its text says FP8, not which kind")
    if name.numbers < _NATIVE_INT64:
        return _before_int64(dtype, source)
    return _listed(dtype, source)


def _before_int64(dtype: str, source: TableSource) -> ReleaseCell:
    if dtype == "int64":
        return ReleaseCell(
            "yes", "documented", "it becomes int32, values outside are clamped; inputs and outputs take int32 buffers"
        )
    if dtype == "int32":
        return ReleaseCell("yes", "documented", "in some operators only")
    if dtype == "uint8" and source.release.numbers >= _FIRST_UINT8:
        return ReleaseCell("yes", "documented", _UINT8_NOTE)
    if dtype == "float64":
        return ReleaseCell("yes", "documented", f"{_DOUBLE_NOTE}, values outside are clamped")
    return _listed(dtype, source)


def _listed(dtype: str, source: TableSource) -> ReleaseCell:
    if _WORDS.get(dtype) not in source.types:
        return ReleaseCell("no", "documented", "not among its types")
    notes = {"float64": f"{_DOUBLE_NOTE}, values outside are clamped", "uint8": _UINT8_NOTE}
    if source.release.numbers >= _NATIVE_INT64:
        notes |= {"int64": "inputs and outputs take int64 buffers", **dict.fromkeys(_QUANTIZED, _QUANTIZED_NOTE)}
    return ReleaseCell("yes", "documented", notes.get(dtype, ""))
