"""Describe the public names of a TensorRT module as JSON, on standard output.

This file is run by its path in a child process (`python -I _describe_module.py tensorrt_rtx`), never imported beside a
TensorRT: importing one loads native code, and two releases cannot be loaded into one process. It therefore uses
nothing but the standard library.

With `--folder FOLDER` the module is taken from that folder, for wheels that are unpacked but not installed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
from types import ModuleType
from typing import Any, TypeAlias

Fact: TypeAlias = "dict[str, Any]"

# The docstrings mark a deprecated thing in one of three ways. A mark straight after an opening bracket, or the word in
# lower case, is a remark about some other thing ("use the IAlgorithmSelector interface ([DEPRECATED] ...)").
_DEPRECATION = re.compile(
    r"(?<!\()\[DEPRECATED[^\]]*\]|\(Deprecated\)|(?<!\(\[DEPRECATED\] )\bDeprecated(?=,| in TensorRT)"
)
_SENTENCE_END = re.compile(r"(?<=[.;])\)?\s+")
# After the sentence that says since when, these begin the sentence that says what to use instead.
_ADVICE = ("Always", "Deprecated", "Equivalent", "Please", "Same", "See", "Strongly", "Superceded", "Superseded", "Use")
_FIELD = re.compile(r"^\s*:ivar\s+(\w+):", re.MULTILINE)
_SIGNATURE = re.compile(r"^(?:\d+\. )?\w*(\(.*\)(?: -> .*)?)$")
_OBJECT_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_INHERITED_CONSTRUCTOR = "Initialize self."
# pybind11 2 and 3 spell one C++ type differently, the latter also by the Python it is built for, and NVIDIA's builds
# went back and forth between the two. All are brought to one spelling, so that a different signature means a
# different function.
_SPELLINGS = {
    "typing_extensions.Buffer": "buffer",
    "collections.abc.Buffer": "buffer",
    "typing_extensions.CapsuleType": "capsule",
    "types.CapsuleType": "capsule",
    "typing.SupportsInt": "int",
    "typing.SupportsFloat": "float",
    "collections.abc.Sequence": "list",
    "collections.abc.Callable": "function",
    "collections.abc.Iterable": "Iterable",
    "List": "list",
    "Tuple": "tuple",
    "Dict": "dict",
}
_SPELLING = re.compile(rf"\b(?:{'|'.join(map(re.escape, _SPELLINGS))})\b")


def describe_module(module: ModuleType) -> dict[str, Fact]:
    """Return one fact for every public name of `module` and of its classes, under its dotted path.

    Names that begin with an underscore are left out, and so are modules: the bindings leak `os`, `sys` and others.
    A class lists only what it defines itself, and names its bases for the rest.
    """
    facts: dict[str, Fact] = {}
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, ModuleType):
            continue
        if isinstance(value, type):
            _describe_class(name, value, facts)
        elif callable(value) and not _is_enum(type(value)):
            facts[name] = _describe_callable("function", value)
        else:
            facts[name] = _describe_value(value, name, owner=None)
    return facts


def _describe_class(path: str, described: type, facts: dict[str, Fact]) -> None:
    """Add the fact of a class and of each public name that it defines."""
    documentation = described.__doc__ or ""
    preamble = documentation.split("\nMembers:\n")[0]
    fields = _documented_fields(preamble)
    fact: Fact = {"kind": "enum" if _is_enum(described) else "class"}
    bases = [
        base.__qualname__ for base in described.__bases__ if base is not object and base.__name__ != "pybind11_object"
    ]
    constructors = _signatures(vars(described).get("__init__"))
    if bases:
        fact["bases"] = bases
    if constructors and not _is_enum(described):
        fact["signatures"] = constructors
    facts[path] = _with_deprecation(fact, _FIELD.split(preamble)[0])
    for name, value in vars(described).items():
        if name.startswith("_"):
            continue
        name_path = f"{path}.{name}"
        if isinstance(value, type):
            _describe_class(name_path, value, facts)
        elif isinstance(value, property):
            facts[name_path] = _describe_property(value, fields.get(name, ""))
        elif _is_enum(type(value)) or not callable(getattr(described, name)):
            facts[name_path] = _describe_value(value, name, owner=described)
        else:
            kind = "static_method" if isinstance(value, staticmethod) else "method"
            facts[name_path] = _describe_callable(kind, getattr(described, name))


def _describe_property(described: property, documentation: str) -> Fact:
    """Return the type of a property, and whether it can be set."""
    fact: Fact = {"kind": "property"}
    getters = _signatures(described.fget)
    if getters and " -> " in getters[0]:
        fact["type"] = getters[0].rpartition(" -> ")[2]
    if described.fset is not None:
        fact["settable"] = True
    return _with_deprecation(fact, documentation)


def _describe_callable(kind: str, described: object) -> Fact:
    """Return the signatures of a function or method, one for each overload."""
    fact: Fact = {"kind": kind}
    signatures = _signatures(described)
    if signatures:
        fact["signatures"] = signatures
    return _with_deprecation(fact, described.__doc__ or "")


def _describe_value(value: object, name: str, owner: type | None) -> Fact:
    """Return the integer of an enum member, or the type of any other value."""
    own_type = type(value)
    if not _is_enum(own_type):
        return {"kind": "value", "type": own_type.__qualname__}
    number = int(value)  # type: ignore[call-overload]  # pybind11's and Python's enums convert, `object` does not say so
    if own_type is not owner:
        return {"kind": "value", "type": own_type.__qualname__, "value": number}
    # By the name it stands under: two members of one value (WEIGHTLESS and STRIP_PLAN) both call themselves the first.
    entry = getattr(own_type, "__entries", {}).get(name, (None, None))
    return _with_deprecation({"kind": "member", "value": number}, entry[1] or "")


def _is_enum(candidate: type) -> bool:
    """Return whether a class is an enum, of pybind11's kind or of Python's."""
    return hasattr(candidate, "__members__")


def _documented_fields(documentation: str) -> dict[str, str]:
    """Return the text of every `:ivar name: text` of a class docstring."""
    parts = _FIELD.split(documentation)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _signatures(described: object) -> list[str]:
    """Return the signatures that pybind11 wrote at the head of a docstring, without `self` and module prefixes."""
    documentation = getattr(described, "__doc__", None) or ""
    if documentation.startswith(_INHERITED_CONSTRUCTOR):
        return []
    lines = documentation.strip().splitlines()
    if len(lines) > 1 and lines[1] == "Overloaded function.":
        candidates = [line for line in lines[2:] if re.match(r"\d+\. ", line)]
    else:
        candidates = lines[:1]
    matches = [_SIGNATURE.match(line) for line in candidates]
    return [_shortened(match.group(1)) for match in matches if match]


def _shortened(signature: str) -> str:
    """Return a signature that is the same in two releases unless something about it changed."""
    without_modules = re.sub(r"\btensorrt\w*\.tensorrt\w*\.", "", signature)
    without_self = re.sub(r"^\(self: [\w.]+(?:, )?", "(", without_modules)
    one_spelling = _SPELLING.sub(lambda match: _SPELLINGS[match.group()], without_self)
    return _OBJECT_ADDRESS.sub("", one_spelling)


def _with_deprecation(fact: Fact, documentation: str) -> Fact:
    """Return the fact, with what the documentation says if it calls the thing deprecated."""
    match = _DEPRECATION.search(documentation)
    if match is None:
        return fact
    # A sentence may stand before "Deprecated" itself; of a mark in brackets only what follows matters.
    start = match.end() if match.group()[0] in "[(" else match.start()
    sentences = _SENTENCE_END.split(" ".join(documentation[start:].split("\n\n", maxsplit=1)[0].split()))
    kept = sentences[:1]
    for sentence in sentences[1:]:
        if not sentence.startswith(_ADVICE):
            break
        kept.append(sentence)
    return {**fact, "deprecated": " ".join(kept).strip(" ;)")}


def main() -> int:
    """Import the module named on the command line and print its description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="the module to import")
    parser.add_argument("--folder", help="the folder that holds the module, if it is not installed")
    arguments = parser.parse_args()
    if arguments.folder:
        sys.path.insert(0, arguments.folder)
    # Functions of the native libraries are then looked up when they are called, which here they never are.
    sys.setdlopenflags(os.RTLD_LAZY)
    module = importlib.import_module(arguments.module)
    json.dump({"version": module.__version__, "symbols": describe_module(module)}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
