"""What a failure means, and what to do next.

`trtlab.explain` is a package and a function at once: `trtlab.explain("INVALID_ARGUMENT")` explains, and
`from trtlab.explain import Diagnosis` imports. See `trtlab.explain.api.explain` for the function's arguments.

`catalog` holds the pages, `log` reads logs, `diagnosis` holds the results; `building` and `parsing` explain what the steps of a
build meet.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from trtlab.explain.diagnosis import Cause, Diagnoses, Diagnosis, LogAnalysis, Place, Remedy

if TYPE_CHECKING:
    from trtlab.explain.log import analyse_log

__all__ = ["Cause", "Diagnoses", "Diagnosis", "LogAnalysis", "Place", "Remedy", "analyse_log"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    if name == "analyse_log":
        from trtlab.explain.log import analyse_log

        return analyse_log
    raise AttributeError(f"module 'trtlab.explain' has no attribute {name!r}")


class _CallablePackage(types.ModuleType):
    """A package that can be called, like `trtlab.build`."""

    def __call__(self, *arguments: Any, **options: Any) -> Diagnoses:  # noqa: ANN401 - those of explain()
        from trtlab.explain.api import explain

        return explain(*arguments, **options)

    @property
    def __signature__(self) -> Any:  # noqa: ANN401 - inspect.Signature, imported only when asked for
        import inspect

        from trtlab.explain.api import explain

        return inspect.signature(explain)


sys.modules[__name__].__class__ = _CallablePackage
