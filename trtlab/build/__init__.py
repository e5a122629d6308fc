"""Build an engine step by step: load, check, parse, configure, build, save, inspect.

`trtlab.build` is a package and a function at once: `trtlab.build("model.onnx")` builds, and
`from trtlab.build import BuildPlan` imports. See `trtlab.build.api.build` for the function's arguments.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trtlab.build.plan import BuildPlan, ShapeProfile, ShapeRange
    from trtlab.build.report import BuildReport
    from trtlab.build.session import BuildSession

__all__ = ["BuildPlan", "BuildReport", "BuildSession", "ShapeProfile", "ShapeRange"]

_HOME = {
    "BuildPlan": "trtlab.build.plan",
    "BuildReport": "trtlab.build.report",
    "BuildSession": "trtlab.build.session",
    "ShapeProfile": "trtlab.build.plan",
    "ShapeRange": "trtlab.build.plan",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'trtlab.build' has no attribute {name!r}")


class _CallablePackage(types.ModuleType):
    """A package that can be called (https://docs.python.org/3/reference/datamodel.html#customizing-module-attribute-access)."""

    def __call__(self, *arguments: Any, **options: Any) -> BuildReport:  # noqa: ANN401 - those of build()
        if "trtlab.build.api" not in sys.modules and options.get("limits") is None:
            # The first build of this process: its worker starts while this process imports the rest.
            from trtlab.worker.pool import shared_pool

            shared_pool().prepare()
        from trtlab.build.api import build

        return build(*arguments, **options)

    @property
    def __signature__(self) -> Any:  # noqa: ANN401 - inspect.Signature, imported only when asked for
        import inspect

        from trtlab.build.api import build

        return inspect.signature(build)


sys.modules[__name__].__class__ = _CallablePackage
