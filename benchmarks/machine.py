"""What the figures were measured on, in one line: without it they mean nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path

# Cores that everything else may use while the machine counts as quiet.
QUIET_CORES = 0.2
_PACKAGES = ("tensorrt-rtx", "onnx", "protobuf", "msgspec", "ipykernel")


def machine_line() -> str:
    """Return date, processor, core count, load and versions."""
    versions = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    load = os.getloadavg()[0]
    return (
        f"{time.strftime('%Y-%m-%d')}, {_processor()}, {len(os.sched_getaffinity(0))} cores, load {load:.1f}, "
        f"Python {platform.python_version()}, {versions}"
    )


def busy_seconds() -> float:
    """Return how long all processor cores together have been busy since the machine started, or were taken by its host."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = map(int, fields)
    return (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )
