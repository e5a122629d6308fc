"""Write the files that are made from YAML, or say that one is out of date: the command line of the `compile_` modules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def write_generated(make: Callable[[], Mapping[Path, bytes]], *, module: str, description: str) -> None:
    """Write what `make` returns; with `--check` on the command line only compare it, and end with 1 if a file differs.

    Args:
        make: Returns the content of each file; raises `ValueError`, which ends the program with its text, if the YAML is wrong.
        module: What makes the files anew, as `python -m` takes it.
        description: For `--help`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a file is out of date")
    arguments = parser.parse_args()
    try:
        files = make()
    except ValueError as error:
        sys.exit(str(error))
    for path, content in files.items():
        if not arguments.check:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            sys.exit(f"{path} is out of date: python -m {module}")
