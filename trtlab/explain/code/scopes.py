"""What a script defines itself: scopes, functions and classes, and what is found out about them round by round."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

from trtlab.explain.code.api_types import NOTHING, UNKNOWN, Types, union

# Stands among the owners of a use where the module itself is imported.
IMPORT = "import"
FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"


@dataclass(eq=False)
class Scope:
    """The names of a module, function or class, with what they can hold at the point that is read."""

    node: ast.AST
    parent: Scope | None = None
    names: dict[str, Types] = field(default_factory=dict)
    is_class: bool = False

    def lookup(self, name: str) -> Types | None:
        """Return what a name can hold; None if no scope knows it."""
        if name in self.names:
            return self.names[name]
        scope = self.parent
        while scope is not None:
            if name in scope.names and not scope.is_class:
                return scope.names[name]
            scope = scope.parent
        return None

    def merge(self, *branches: dict[str, Types]) -> None:
        """Set the names to what they can hold after one of several branches."""
        keys = dict.fromkeys(key for branch in branches for key in branch)
        self.names = {key: union(*(branch[key] for branch in branches if key in branch)) for key in keys}


@dataclass(eq=False)
class Function:
    """A function of the script.

    Attributes:
        node: Its definition.
        scope: Where it is defined.
        owner: The class whose method it is.
        result: What it can return.
        parameters: What callers pass, by name.
        guarded: Whether it is defined behind a test of the release.
        called_guarded: Whether it is called behind a test of the release.
        called_freely: Whether it is called elsewhere.
        only_guarded: Whether all its calls in the round before stood behind a test of the release.
    """

    node: FunctionNode
    scope: Scope
    owner: Class | None = None
    result: Types = NOTHING
    parameters: dict[str, Types] = field(default_factory=dict)
    guarded: bool = False
    called_guarded: bool = False
    called_freely: bool = False
    only_guarded: bool = False

    def parameter_names(self) -> list[str]:
        """Return the names of the parameters that can be given by position."""
        arguments = self.node.args
        return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]

    def begin_round(self) -> None:
        """Keep what the last round found out about its calls, and forget the calls."""
        self.only_guarded = self.called_guarded and not self.called_freely
        self.called_guarded = self.called_freely = False

    def note_call(self, *, guarded: bool) -> None:
        """Note that it is called."""
        self.called_guarded = self.called_guarded or guarded
        self.called_freely = self.called_freely or not guarded

    def knowledge(self) -> tuple[object, ...]:
        """Return what is known of it after a round."""
        return self.result, dict(self.parameters), self.called_guarded and not self.called_freely

    def give(self, name: str, types: Types) -> None:
        """Note what a caller passes."""
        self.parameters[name] = union(self.parameters.get(name, NOTHING), types)


@dataclass(eq=False)
class Class:
    """A class of the script.

    Attributes:
        defines: All names that its objects have of their own: methods, class variables, and what is assigned through `self`.
        bases: Its base classes in the script.
        trt_bases: Its base classes from TensorRT.
        open: Whether some base is neither, so that its objects may have any attribute.
        attributes: What its attributes can hold.
    """

    node: ast.ClassDef
    defines: set[str] = field(default_factory=set)
    methods: dict[str, Function] = field(default_factory=dict)
    bases: list[Class] = field(default_factory=list)
    trt_bases: list[str] = field(default_factory=list)
    open: bool = False
    attributes: dict[str, Types] = field(default_factory=dict)

    def lineage(self) -> list[Class]:
        """Return it and its bases in the script, each once."""
        found: list[Class] = []
        waiting = [self]
        while waiting:
            current = waiting.pop(0)
            if current not in found:
                found.append(current)
                waiting += current.bases
        return found

    def has(self, name: str) -> bool:
        """Return whether its objects have an attribute of their own of that name."""
        return any(name in current.defines for current in self.lineage())

    def method(self, name: str) -> Function | None:
        """Return a method, its own or an inherited one."""
        return next((current.methods[name] for current in self.lineage() if name in current.methods), None)

    def attribute(self, name: str) -> Types:
        """Return what an attribute can hold."""
        found = union(*(current.attributes.get(name, NOTHING) for current in self.lineage()))
        return found or UNKNOWN

    def note(self, name: str, types: Types) -> None:
        """Note what is assigned to an attribute."""
        self.attributes[name] = union(self.attributes.get(name, NOTHING), types)


def defined_names(node: ast.ClassDef) -> set[str]:
    """Return all names that a class gives its objects."""
    found: set[str] = set()
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(child.name)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and isinstance(inner.value, ast.Name):
            if inner.value.id in ("self", "cls"):
                found.add(inner.attr)
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            found.add(inner.id)
    return found


@dataclass
class Use:
    """A name that the script asks of something.

    Attributes:
        node: The attribute, or the imported name (`ast.alias`), or the name that stands for it.
        name: The attribute's name.
        owners: TensorRT's classes that it may be asked of; "" is the module.
        own: Whether it may be asked of an object of the script's own class that has it, or of something that is none of TensorRT's.
        unknown: Whether it may be asked of an object of unknown type.
        scope: Where.
        guarded: Whether a test of the release stands before it.
        stored: Whether it is set, not asked for.
    """

    node: ast.AST
    name: str
    owners: set[str] = field(default_factory=set)
    own: bool = False
    unknown: bool = False
    scope: Scope | None = None
    guarded: bool = True
    stored: bool = False
