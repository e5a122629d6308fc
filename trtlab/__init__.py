"""trtlab: interactive TensorRT troubleshooting in Jupyter.

Importing this package loads nothing heavy: every public name is imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trtlab._errors import BuildError, TrtlabError
    from trtlab.build.api import build
    from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange
    from trtlab.build.report import BuildReport
    from trtlab.build.session import BuildSession

__version__ = "0.1.0"

__all__ = [
    "BuildError",
    "BuildPlan",
    "BuildReport",
    "BuildSession",
    "ShapeProfile",
    "ShapeRange",
    "TrtlabError",
    "build",
]

_HOME = {
    "BuildError": "trtlab._errors",
    "BuildPlan": "trtlab.build.plan",
    "BuildReport": "trtlab.build.report",
    "BuildSession": "trtlab.build.session",
    "ShapeProfile": "trtlab.build.plan",
    "ShapeRange": "trtlab.build.plan",
    "TrtlabError": "trtlab._errors",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    if name == "build":
        # A package and a function at once: `trtlab.build(model)` and `from trtlab.build import BuildPlan` both work.
        return importlib.import_module("trtlab.build")
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'trtlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
