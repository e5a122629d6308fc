"""Recognise what a script does for several releases at once, so that a name stands there which one of them lacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache

from trtlab.explain.code import api_types
from trtlab.explain.code.api_types import Types

# Names that people give to the answer of "which TensorRT is this?".
_RELEASE_NAME = re.compile(r"(?i)(?:trt|tensorrt)_?(?:ver(?:sion)?(?![a-z])|major|minor|\d)|(?:^|_)rtx|v3_api")
_MISSING = ("AttributeError", "ImportError", "ModuleNotFoundError")
_ANYTHING = ("Exception", "BaseException")
_ENDS = ("exit", "quit", "_exit", "skip", "abort", "fail")
_VERSION_CALLS = ("version", "distribution", "get_distribution")
_TENSORRT = ("module", "object", "class")


def asks_release(test: ast.expr, types: Types) -> bool:
    """Return whether a test asks which TensorRT this is: by its version, by what it has, or by a name that says so."""
    if ("release",) in types:
        return True
    names = (last_name(part) for part in ast.walk(test) if isinstance(part, (ast.Name, ast.Attribute)))
    return any(_RELEASE_NAME.search(name) for name in names)


def asks_for_name(node: ast.Call, subject: Types) -> bool:
    """Return whether `hasattr`, or `getattr` with a default, asks TensorRT what it has."""
    if any(kind[0] in _TENSORRT for kind in subject):
        return True
    name = node.args[1] if len(node.args) > 1 else None
    unknown = any(kind[0] == "unknown" for kind in subject)
    return unknown and isinstance(name, ast.Constant) and name.value in known_names()


def asks_version(node: ast.Call) -> bool:
    """Return whether a call asks for the version of an installed package that is TensorRT, as `importlib.metadata` does."""
    name = node.args[0] if node.args else None
    if last_name(node.func) not in _VERSION_CALLS or not isinstance(name, ast.Constant):
        return False
    return isinstance(name.value, str) and name.value.lower().replace("_", "-").startswith(
        ("tensorrt", "nvidia-tensorrt")
    )


def expects_missing(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Return whether one of the `except` is there for names that are missing, or does the same in another way."""
    return any(_names(handler.type, _MISSING) or _is_second_try(handler) for handler in handlers)


def suppresses_missing(node: ast.expr) -> bool:
    """Return whether it is `contextlib.suppress(AttributeError)`."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "suppress":
        return False
    return any(_names(argument, _MISSING) for argument in node.args)


def leaves(statements: Sequence[ast.stmt]) -> bool:
    """Return whether a block does not come to its end."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return last_name(last.value.func) in _ENDS
    return isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def last_name(node: ast.AST) -> str:
    """Return the last name of a variable or attribute, empty for anything else."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@cache
def known_names() -> frozenset[str]:
    """Return the names of all methods and properties of TensorRT that are long enough to be nobody else's."""
    return frozenset(name.rpartition(".")[2] for name in api_types.names() if "_" in name.rpartition(".")[2])


def _names(node: ast.expr | None, wanted: tuple[str, ...]) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple) else [node] if node is not None else []
    return any(last_name(part) in wanted for part in parts)


def _is_second_try(handler: ast.ExceptHandler) -> bool:
    """Return whether `except Exception` uses TensorRT itself, instead of reporting what went wrong."""
    if handler.type is not None and not _names(handler.type, _ANYTHING):
        return False
    parts = (part for statement in handler.body for part in ast.walk(statement))
    return any(
        isinstance(part, ast.Attribute) and part.attr in known_names() - {"num_errors", "get_error"} for part in parts
    )
