"""Find the pages of a code, a name, a number or an id."""

from __future__ import annotations

import re
from functools import cache

from trtlab._errors import InputError
from trtlab.explain.catalog import Entry, catalog

# How people and libraries call the three enumerations.
_ENUMERATIONS = {
    "nvinfer1.errorcode": "error_code", "errorcodetrt": "error_code", "tensorrt": "error_code", "core": "error_code", "trt": "error_code",
    "nvonnxparser.errorcode": "parser_code", "parser": "parser_code", "onnx": "parser_code", "errorcode": "parser_code",
    "cuda": "cuda_error", "cudaerror": "cuda_error", "cudaerror_t": "cuda_error", "curesult": "cuda_error",
}  # fmt: skip
_KINDS = ("name", "error_code", "parser_code", "cuda_error", "category", "diagnosis")
_NUMBER = re.compile(
    r"^(?:(?P<cuda>cuda(?:\s*error)?|cudaerror(?:_t)?)|(?P<code>error(?:\s*code)?)|\[)?[\s:\[(]*(?P<number>\d{1,4})[\])]*$",
    re.IGNORECASE,
)
_QUALIFIED = re.compile(
    r"^(?:<?(?:tensorrt(?:_rtx|_bindings)?|trt|nvinfer1|nvonnxparser)(?:\.\w+)*?(?:\.|::))?"
    r"(?P<enum>ErrorCode(?:TRT)?|cudaError_t|cudaError|CUresult)(?:\.|::)k?(?P<name>\w+)",
    re.IGNORECASE,
)
_LONGEST_NAME = 80


def pages_for_number(number: int, *, enum: str | None = None) -> tuple[Entry, ...]:
    """Return the pages of a number: TensorRT's own code first, then the parser's, then CUDA's.

    Args:
        number: The number.
        enum: Which enumeration it belongs to, if that is known: `nvinfer1.ErrorCode`, `nvonnxparser.ErrorCode` or `cuda`.

    Raises:
        InputError: There is no such enumeration.
    """
    kinds = _KINDS if enum is None else (_kind(enum),)
    found = [page for page in catalog().values() if page.number == number and page.kind in kinds]
    return tuple(sorted(found, key=lambda page: _KINDS.index(page.kind)))


def _kind(enum: str) -> str:
    kind = _ENUMERATIONS.get(enum.replace("::", ".").lower())
    if kind is None:
        raise InputError(f"enum={enum!r} is none of 'nvinfer1.ErrorCode', 'nvonnxparser.ErrorCode' and 'cuda'.")
    return kind


def pages_for_text(text: str, *, enum: str | None = None) -> tuple[Entry, ...]:
    """Return the pages of an id, a code's name, a category or a number as text; nothing for any other text."""
    text = text.strip().strip("'\"`")
    if not text or len(text) > _LONGEST_NAME or "\n" in text:
        return ()
    qualified = _QUALIFIED.match(text)
    if qualified:
        name, enum = qualified["name"], enum or _enumeration_of(text, qualified["enum"])
        pages = tuple(page for page in _by_name().get(name.lower(), ()) if page.kind == _kind(enum))
        return pages or _by_name().get(name.lower(), ())
    number = _NUMBER.match(text)
    if number:
        wanted = enum or ("cuda" if number["cuda"] else "nvinfer1.ErrorCode" if number["code"] else None)
        return pages_for_number(int(number["number"]), enum=wanted)
    pages = _by_name().get(text.lower(), ())
    return tuple(page for page in pages if page.kind == _kind(enum)) if enum else pages


def _enumeration_of(text: str, name: str) -> str:
    if "cu" in name.lower():
        return "cuda"
    return "nvinfer1.ErrorCode" if name.lower() == "errorcodetrt" or "nvinfer1" in text else "nvonnxparser.ErrorCode"


@cache
def _by_name() -> dict[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = {}
    for page in catalog().values():
        # The last part of an id is the name of a code; that of a diagnosis is no name by itself.
        names = {page.id, *page.aliases} | ({page.id.rpartition(".")[2]} if page.kind != "diagnosis" else set())
        for name in {name.lower() for name in names}:
            found.setdefault(name, []).append(page)
    return {name: tuple(sorted(pages, key=lambda page: _KINDS.index(page.kind))) for name, pages in found.items()}
