"""Print every public dotted name of a module as JSON: `dir()` and nothing else, to check the data against.

Run by path in a child process (`python -I list_public_names.py tensorrt_rtx`). It shares no code with the reader that
made the data, on purpose.
"""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType


def public_names(holder: object, prefix: str = "") -> set[str]:
    """Return the public names in `holder`, and in the classes in it, below `prefix`."""
    found: set[str] = set()
    for name in dir(holder):
        value = getattr(holder, name)
        if name.startswith("_") or isinstance(value, ModuleType):
            continue
        found.add(prefix + name)
        if isinstance(value, type):
            found |= public_names(value, f"{prefix}{name}.")
    return found


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    json.dump({"version": module.__version__, "names": sorted(public_names(module))}, sys.stdout)
