"""What TensorRT's calls return and its properties hold, so that a value can be followed through a script.

A type is a tuple: ("module", "tensorrt"), ("class", "Builder"), ("object", "Builder"), ("method", "Builder", "create_network"),
("function", "volume"), ("items", type) for what is iterated over, ("str",), ("int",), ("none",), ("other",) for what is known to be none of
TensorRT's, ("release",) for what comes from asking for the release, and ("unknown",). `flow` adds the script's own classes and functions.
"""

from __future__ import annotations

import re
import types
from functools import cache
from typing import Any, TypeAlias

from trtlab import releases
from trtlab.explain.code.changes import MODULES
from trtlab.releases import Symbol

Type: TypeAlias = "tuple[Any, ...]"
Types: TypeAlias = "frozenset[Type]"

UNKNOWN: Types = frozenset({("unknown",)})
OTHER: Types = frozenset({("other",)})
STRING: Types = frozenset({("str",)})
INTEGER: Types = frozenset({("int",)})
NONE: Types = frozenset({("none",)})
RELEASE: Types = frozenset({("release",)})
NOTHING: Types = frozenset()
_MOST_TYPES = 12
_RESULT = re.compile(r"-> (.+)$")
_LIST = re.compile(r"(?:list|List|Sequence|Iterable|Iterator|tuple|Tuple|set)\[(.+?)(?:, \.\.\.)?\]")
_PLAIN = {"str": STRING, "int": INTEGER, "bool": OTHER, "float": OTHER, "None": NONE, "capsule": OTHER, "buffer": OTHER}
# What iterating or indexing gives; the bindings do not say it.
_ITEMS = {"INetworkDefinition": ("object", "ILayer"), "ICudaEngine": ("str",)}
# Names of variables that people give to TensorRT's objects, for values whose origin is out of sight.
_HINTS = (
    ("config", "IBuilderConfig"), ("builder", "Builder"), ("engine", "ICudaEngine"), ("context", "IExecutionContext"),
    ("ctx", "IExecutionContext"), ("network", "INetworkDefinition"), ("runtime", "Runtime"), ("parser", "OnnxParser"),
    ("registry", "IPluginRegistry"), ("layer", "ILayer"), ("tensor", "ITensor"),
)  # fmt: skip


@cache
def names() -> dict[str, Symbol]:
    """Return every public name of four releases that together have nearly all, with what is known of it."""
    known = releases.releases("tensorrt")
    last_of_10 = [release for release in known if release.numbers[0] == 10][-1]  # noqa: PLR2004 - the release
    chosen = (known[-1], releases.releases("tensorrt_rtx")[-1], last_of_10, known[0])
    found: dict[str, Symbol] = {}
    for release in chosen:
        for name in releases.symbols(release.flavour, release.version):
            symbol = releases.describe(name, release.flavour, release.version)
            if symbol is not None and (name not in found or _vague(found[name])):
                found[name] = symbol
    return found


def _vague(symbol: Symbol) -> bool:
    return symbol.kind in ("method", "function", "static_method") and not any(
        "-> I" in text for text in symbol.signatures
    )


def attribute(owner: str, name: str) -> Types:
    """Return what an attribute of an object or class is."""
    symbol = names().get(f"{owner}.{name}")
    if symbol is None:
        return UNKNOWN
    if symbol.kind in ("method", "static_method"):
        return frozenset({("method", owner, name)})
    if symbol.kind == "member":
        return frozenset({("object", owner)})
    if symbol.kind in ("class", "enum"):
        return frozenset({("class", f"{owner}.{name}")})
    return from_text(symbol.type_name or "")


def module_attribute(name: str) -> Types:
    """Return what a name of the module is."""
    symbol = names().get(name)
    if symbol is None:
        return UNKNOWN
    if symbol.kind in ("class", "enum"):
        return frozenset({("class", name)})
    return frozenset({("function", name)}) if symbol.kind == "function" else OTHER


def result(symbol_name: str) -> Types:
    """Return what calling a method or function returns: the first overload's result."""
    symbol = names().get(symbol_name)
    for text in symbol.signatures if symbol else ():
        found = _RESULT.search(text)
        if found:
            return from_text(found[1])
    return UNKNOWN


@cache
def from_text(text: str) -> Types:
    """Return a type as the bindings write it."""
    text = text.strip().removeprefix("nvinfer1::").rpartition("::")[2]
    if text in _PLAIN:
        return _PLAIN[text]
    inner = _LIST.fullmatch(text)
    if inner:
        return frozenset({("items", element) for element in from_text(inner[1])})
    known = names().get(text)
    return frozenset({("object", text)}) if known is not None and known.kind in ("class", "enum") else UNKNOWN


def items_of(types: Types) -> Types:
    """Return what iterating over, or indexing, values of these types gives."""
    found: set[Type] = set()
    for kind in types:
        if kind[0] == "items":
            found.add(kind[1])
        elif kind[0] == "object":
            found.add(_ITEMS.get(kind[1], ("unknown",)))
        elif kind[0] in ("str", "release"):
            found.add(kind)
        elif kind[0] != "none":
            found.add(("unknown",))
    return frozenset(found)


def of_object(value: object) -> Types:
    """Return the type of a live object; nothing for what is none of TensorRT's."""
    if isinstance(value, types.ModuleType):
        name = getattr(value, "__name__", "")
        return frozenset({("module", name)}) if name in MODULES else NOTHING
    kind = value if isinstance(value, type) else type(value)
    module = str(getattr(kind, "__module__", "")).partition(".")[0].removesuffix("_bindings")
    if module not in MODULES or kind.__name__ not in names():
        return NOTHING
    return frozenset({("class" if isinstance(value, type) else "object", kind.__name__)})


def hints(name: str) -> frozenset[str]:
    """Return the classes that a variable's name speaks for."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    compact = "".join(words)
    return frozenset(owner for word, owner in _HINTS if word in words or compact.endswith(word))


def bases_of(owner: str) -> tuple[str, ...]:
    """Return a class and all that it inherits from."""
    found, waiting = [], [owner]
    while waiting:
        current = waiting.pop(0)
        found.append(current)
        symbol = names().get(current)
        waiting += symbol.bases if symbol else ()
    return tuple(found)


def union(*all_types: Types) -> Types:
    """Return all types together; what can be too much is unknown."""
    found = frozenset().union(*all_types)
    return found if len(found) <= _MOST_TYPES else UNKNOWN
