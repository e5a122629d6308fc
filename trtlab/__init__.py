"""trtlab: interactive TensorRT troubleshooting in Jupyter.

Importing this package loads nothing heavy: every public name is imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trtlab._errors import BuildError, CheckError, TrtlabError
    from trtlab.build.api import build
    from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange
    from trtlab.build.report import BuildReport
    from trtlab.build.session import BuildSession
    from trtlab.explain.api import explain
    from trtlab.explain.recording_logger import make_logger
    from trtlab.support.api import check
    from trtlab.support.report import SupportReport

__version__ = "0.1.0"

__all__ = [
    "BuildError",
    "BuildPlan",
    "BuildReport",
    "BuildSession",
    "CheckError",
    "ShapeProfile",
    "ShapeRange",
    "SupportReport",
    "TrtlabError",
    "build",
    "check",
    "explain",
    "make_logger",
]

_HOME = {
    "BuildError": "trtlab._errors",
    "BuildPlan": "trtlab.build.plan",
    "BuildReport": "trtlab.build.report",
    "BuildSession": "trtlab.build.session",
    "CheckError": "trtlab._errors",
    "ShapeProfile": "trtlab.build.plan",
    "ShapeRange": "trtlab.build.plan",
    "SupportReport": "trtlab.support.report",
    "check": "trtlab.support.api",
    "TrtlabError": "trtlab._errors",
    "make_logger": "trtlab.explain.recording_logger",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    if name in ("build", "explain"):
        # Packages and functions at once: `trtlab.build(model)` and `from trtlab.build import BuildPlan` both work.
        return importlib.import_module(f"trtlab.{name}")
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'trtlab' has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:  # noqa: ANN401 - IPython's shell, which is not imported here
    """Register the magics; called by `%load_ext trtlab`."""
    importlib.import_module("trtlab.magics").load(ipython)


def unload_ipython_extension(ipython: Any) -> None:  # noqa: ANN401
    """Take the magics back; called by `%unload_ext trtlab`."""
    importlib.import_module("trtlab.magics").unload(ipython)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
