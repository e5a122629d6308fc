"""Which GPU is here, asked of NVIDIA's management library. No CUDA context is created for it."""

from __future__ import annotations

import ctypes
import os

from trtlab._engine_results import Gpu


def find_gpu() -> Gpu | None:
    """Return the GPU that CUDA would use first, None where there is no GPU or no driver."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")  # the driver's; asked for first, because importing pynvml takes longer
        import pynvml
    except (ImportError, OSError):
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handle = _first_visible(pynvml)
        if handle is None:
            return None
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
        return Gpu(
            name=_text(pynvml.nvmlDeviceGetName(handle)),
            compute_capability=f"{major}.{minor}",
            driver=_text(pynvml.nvmlSystemGetDriverVersion()),
            memory_bytes=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
        )
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _first_visible(pynvml: object) -> object | None:
    """Return the handle of the first device that CUDA_VISIBLE_DEVICES leaves, None if it leaves none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = "0" if visible is None else visible.split(",")[0].strip()
    if first in ("", "-1") or pynvml.nvmlDeviceGetCount() == 0:  # type: ignore[attr-defined]
        return None
    if first.isdigit():
        return pynvml.nvmlDeviceGetHandleByIndex(int(first))  # type: ignore[attr-defined,no-any-return]
    return pynvml.nvmlDeviceGetHandleByUUID(first)  # type: ignore[attr-defined,no-any-return]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
