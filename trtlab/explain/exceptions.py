"""Explain a Python exception: what it says, what those say that it was raised from, and what kind it is."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from trtlab.explain.catalog import Language
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Diagnosis
from trtlab.explain.log.analysis import analyse_log

# Names of modules whose exceptions are TensorRT's business, also where no message is recognised.
CONCERNED_MODULES = ("tensorrt", "tensorrt_rtx", "tensorrt_bindings", "polygraphy", "onnx", "onnxruntime", "torch_tensorrt", "torch2trt",
                     "pycuda", "cuda", "cupy", "trtlab", "tensorrt_llm", "numba.cuda")  # fmt: skip


def diagnoses_of_exception(error: BaseException, *, language: Language = "en", version: str = "") -> list[Diagnosis]:
    """Return the diagnoses of an exception, root cause first; empty if nothing in it or its chain is recognised."""
    for link in chain(error):
        # trtlab's own errors know already; they are made where the log and the model are at hand.
        known = getattr(link, "diagnoses", None)
        if isinstance(known, (tuple, list)) and known and all(isinstance(item, Diagnosis) for item in known):
            return list(known)
    text = exception_text(error)
    found = analyse_log(text, lang=language, version=version, has_driver=driver_is_here())
    return list(found.diagnoses) or _by_class(error, language, version)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the first cause, then what was raised from it, and so on to `error` itself, and the members of groups."""
    links: list[BaseException] = []
    waiting, seen = [error], set()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        links.append(link)
        before = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        waiting += [*getattr(link, "exceptions", ()), *([before] if before else [])]
    yield from reversed(links)


def exception_text(error: BaseException) -> str:
    """Return an exception and its chain as Python prints them, without the lines of code: they can hold words of their own."""
    return "\n".join("".join(traceback.format_exception_only(type(link), link)) for link in chain(error))


def _by_class(error: BaseException, language: Language, version: str) -> list[Diagnosis]:
    for link in chain(error):
        if isinstance(link, MemoryError):
            return [diagnosis_of("build.out_of_memory", language=language, version=version, original=repr(link))]
        if isinstance(link, FileNotFoundError):
            facts = {"path": str(link.filename)} if link.filename else {}
            return [diagnosis_of("file.not_found", facts, language=language, version=version, original=str(link))]
    return []


def concerns_tensorrt(error: BaseException) -> bool:
    """Return whether an exception, one that it was raised from, or a frame that it passed concerns TensorRT, CUDA or ONNX."""
    for link in chain(error):
        modules = [type(link).__module__]
        modules += [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(link.__traceback__)]
        if any(module == name or module.startswith(f"{name}.") for module in modules for name in CONCERNED_MODULES):
            return True
    return False


@cache
def driver_is_here() -> bool:
    """Return whether this machine has an NVIDIA driver, without loading anything: Linux, WSL 2, Jetson and containers."""
    places = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/nvhost-ctrl-gpu", "/dev/nvmap")
    return os.name != "posix" or any(Path(place).exists() for place in places)
