"""What the expressions of a script can hold, as far as TensorRT's objects go; notes each name that is asked of them on the way."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from trtlab.explain.code import api_types
from trtlab.explain.code.api_types import (
    INTEGER,
    NONE,
    NOTHING,
    OTHER,
    RELEASE,
    STRING,
    UNKNOWN,
    Type,
    Types,
    items_of,
    union,
)
from trtlab.explain.code.changes import MODULES
from trtlab.explain.code.guards import asks_for_name, asks_release, asks_version, last_name
from trtlab.explain.code.scopes import IMPORT, Class, Function, Scope, Use

_INTEGER_CALLS = ("int", "len", "ord", "round")
_SAME_ITEMS = ("list", "tuple", "sorted", "reversed", "set", "iter")
_IMPORTS = ("import_module", "lazy_import", "__import__", "importorskip")


class Expressions:
    """Evaluates expressions. `Flow` adds the statements."""

    def __init__(self) -> None:
        self.uses: dict[int, Use] = {}
        self.types: dict[int, Types] = {}
        self.functions: dict[ast.AST, Function] = {}
        self.classes: dict[ast.AST, Class] = {}
        self.guards = 0

    def evaluate(self, node: ast.expr | None, scope: Scope) -> Types:
        """Return what an expression can hold."""
        if node is None:
            return NONE
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        found: Types = method(node, scope) if method is not None else self._any(node, scope)
        self.types[id(node)] = union(self.types.get(id(node), NOTHING), found)
        return found

    def _any(self, node: ast.expr, scope: Scope) -> Types:
        parts = [self.evaluate(child, scope) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return RELEASE if any(("release",) in types for types in parts) else UNKNOWN

    # --- Names and attributes

    def _name(self, node: ast.Name, scope: Scope) -> Types:
        return scope.lookup(node.id) or UNKNOWN

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Types:
        base = self.evaluate(node.value, scope)
        self.note_use(node, node.attr, base, scope)
        return union(*(self._attribute_of(kind, node.attr) for kind in base)) or UNKNOWN

    def _attribute_of(self, kind: Type, name: str) -> Types:
        if kind[0] == "module":
            return self._module_attribute(kind, name)
        if kind[0] in ("object", "class"):
            return api_types.attribute(kind[1], name)
        if kind[0] in ("own object", "own class"):
            return self._own_attribute(kind[1], name)
        if kind[0] == "release":
            return RELEASE
        return NOTHING if kind[0] == "none" else UNKNOWN

    def _module_attribute(self, kind: Type, name: str) -> Types:
        if "version" in name.lower():
            return RELEASE
        return frozenset({kind}) if name in MODULES else api_types.module_attribute(name)

    def _own_attribute(self, owner: Class, name: str) -> Types:
        method = owner.method(name)
        if method is not None:
            if any(
                _called(decorator) in ("property", "cached_property")
                for decorator in getattr(method.node, "decorator_list", ())
            ):
                return method.result or UNKNOWN
            return frozenset({("own function", method, True)})
        if owner.has(name):
            return owner.attribute(name)
        return (
            union(*(api_types.attribute(base, name) for current in owner.lineage() for base in current.trt_bases))
            or UNKNOWN
        )

    def note_use(self, node: ast.AST, name: str, base: Types, scope: Scope) -> None:
        """Note that `name` is asked of something."""
        use = self.uses.setdefault(id(node), Use(node, name))
        use.scope = scope
        use.guarded = use.guarded and self.guards > 0
        use.stored = isinstance(getattr(node, "ctx", None), ast.Store)
        for kind in base:
            if kind[0] in ("module", "import"):
                use.owners.add("" if kind[0] == "module" else IMPORT)
            elif kind[0] in ("object", "class"):
                use.owners.add(kind[1])
            elif kind[0] in ("own object", "own class"):
                bases = [base for current in kind[1].lineage() for base in current.trt_bases]
                use.own = use.own or kind[1].has(name) or not bases
                use.owners.update(bases if not kind[1].has(name) else ())
            elif kind[0] == "unknown":
                use.unknown = True
            elif kind[0] != "none":
                use.own = use.own or kind[0] != "release"

    # --- Calls

    def _call(self, node: ast.Call, scope: Scope) -> Types:
        called = self.evaluate(node.func, scope)
        positional = [self.evaluate(argument, scope) for argument in node.args]
        named = {keyword.arg: self.evaluate(keyword.value, scope) for keyword in node.keywords}
        special = self._special_call(node, positional, scope)
        if special is not None:
            return special
        found = union(*(self._result_of(kind, positional, named) for kind in called))
        if found <= UNKNOWN and any(("release",) in types for types in (called, *positional)):
            return RELEASE
        return found or UNKNOWN

    def _special_call(self, node: ast.Call, arguments: Sequence[Types], scope: Scope) -> Types | None:
        name = _called(node.func)
        first = arguments[0] if arguments else NOTHING
        if isinstance(node.func, ast.Name) and scope.lookup(node.func.id) is None:
            found = self._builtin_call(node, name, first)
            if found is not None:
                return found
        if name in _IMPORTS and node.args and isinstance(node.args[0], ast.Constant):
            module = re.split(r"[<>=!~ ]", str(node.args[0].value), maxsplit=1)[0]
            return frozenset({("module", module)}) if module in MODULES else UNKNOWN
        if asks_version(node):
            return RELEASE
        if name == "lazy_import_trt":
            return frozenset({("module", "tensorrt")})
        return first if name == "enter_context" and first else None

    def _builtin_call(self, node: ast.Call, name: str, first: Types) -> Types | None:
        if name == "hasattr" or (name == "getattr" and len(node.args) > 2):  # noqa: PLR2004 - with a default
            return RELEASE if asks_for_name(node, first) else UNKNOWN
        if name in ("dir", "vars") and any(kind[0] in ("module", "object", "class") for kind in first):
            return RELEASE
        if name in _INTEGER_CALLS:
            return RELEASE if ("release",) in first else INTEGER
        if name == "range":
            return frozenset({("items", ("int",))})
        if name == "str":
            return RELEASE if ("release",) in first else STRING
        if name in _SAME_ITEMS and first:
            return frozenset({("items", kind) for kind in items_of(first)})
        return None

    def _result_of(self, kind: Type, positional: Sequence[Types], named: dict[str | None, Types]) -> Types:
        if kind[0] == "class":
            return frozenset({("object", kind[1])})
        if kind[0] == "method":
            return api_types.result(f"{kind[1]}.{kind[2]}")
        if kind[0] == "function":
            return api_types.result(kind[1])
        if kind[0] == "own class":
            init = kind[1].method("__init__")
            if init is not None:
                self._pass(init, positional, named, bound=True)
            return frozenset({("own object", kind[1])})
        if kind[0] == "own function":
            self._pass(kind[1], positional, named, bound=kind[2])
            kind[1].note_call(guarded=self.guards > 0)
            return kind[1].result or UNKNOWN
        if kind[0] == "own object":
            call = kind[1].method("__call__")
            return (call.result or UNKNOWN) if call is not None else UNKNOWN
        return NOTHING if kind[0] == "none" else UNKNOWN

    def _pass(
        self, function: Function, positional: Sequence[Types], named: dict[str | None, Types], *, bound: bool
    ) -> None:
        names = function.parameter_names()[1 if bound else 0 :]
        for name, types in zip(names, positional, strict=False):
            function.give(name, types)
        for keyword, types in named.items():
            if keyword is not None:
                function.give(keyword, types)

    # --- What keeps or loses the type

    def _constant(self, node: ast.Constant, scope: Scope) -> Types:
        del scope
        if node.value is None:
            return NONE
        if isinstance(node.value, str):
            return STRING
        return INTEGER if type(node.value) is int else OTHER

    def _joinedstr(self, node: ast.JoinedStr, scope: Scope) -> Types:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.evaluate(part.value, scope)
        return STRING

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Types:
        base = self.evaluate(node.value, scope)
        index = self.evaluate(node.slice, scope)
        if isinstance(node.slice, ast.Slice):
            return base
        if ("object", "ICudaEngine") in base:
            return INTEGER if index == STRING else STRING if index == INTEGER else UNKNOWN
        return items_of(base) or UNKNOWN

    def _items(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Types:
        elements = union(*(self.evaluate(element, scope) for element in node.elts))
        found = frozenset({("items", kind) for kind in elements}) or OTHER
        return found | RELEASE if ("release",) in elements else found

    _list = _tuple = _set = _items

    def _dict(self, node: ast.Dict, scope: Scope) -> Types:
        for part in (*filter(None, node.keys), *node.values):
            self.evaluate(part, scope)
        return OTHER

    def _starred(self, node: ast.Starred, scope: Scope) -> Types:
        return items_of(self.evaluate(node.value, scope))

    def _await(self, node: ast.Await, scope: Scope) -> Types:
        return self.evaluate(node.value, scope)

    def _namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Types:
        types = self.evaluate(node.value, scope)
        scope.names[node.target.id] = types
        return types

    def _binop(self, node: ast.BinOp, scope: Scope) -> Types:
        sides = self.evaluate(node.left, scope) | self.evaluate(node.right, scope)
        if ("release",) in sides:
            return RELEASE
        return sides if sides in (INTEGER, STRING) else UNKNOWN

    def _compare(self, node: ast.Compare, scope: Scope) -> Types:
        sides = union(self.evaluate(node.left, scope), *(self.evaluate(other, scope) for other in node.comparators))
        return RELEASE if ("release",) in sides else OTHER

    def _unaryop(self, node: ast.UnaryOp, scope: Scope) -> Types:
        return self.evaluate(node.operand, scope)

    def _boolop(self, node: ast.BoolOp, scope: Scope) -> Types:
        found, guards = NOTHING, 0
        for value in node.values:
            types = self.evaluate(value, scope)
            if not guards and asks_release(value, types):
                guards = 1
                self.guards += 1
            found = union(found, types)
        self.guards -= guards
        return found

    def _ifexp(self, node: ast.IfExp, scope: Scope) -> Types:
        guard = int(asks_release(node.test, self.evaluate(node.test, scope)))
        self.guards += guard
        found = union(self.evaluate(node.body, scope), self.evaluate(node.orelse, scope))
        self.guards -= guard
        return found

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Types:
        inner = Scope(node, scope, {argument.arg: UNKNOWN for argument in _all_arguments(node.args)})
        function = self.functions.setdefault(node, Function(node, scope))
        for name, types in function.parameters.items():
            inner.names[name] = types
        function.result = union(function.result, self.evaluate(node.body, inner))
        return frozenset({("own function", function, False)})

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope) -> Types:
        inner, guards = Scope(node, scope), 0
        for generator in node.generators:
            self.bind_items(generator.target, generator.iter, self.evaluate(generator.iter, inner), inner)
            for test in generator.ifs:
                if asks_release(test, self.evaluate(test, inner)):
                    guards += 1
        self.guards += guards
        if isinstance(node, ast.DictComp):
            self.evaluate(node.key, inner)
            element = self.evaluate(node.value, inner)
        else:
            element = self.evaluate(node.elt, inner)
        self.guards -= guards
        return frozenset({("items", kind) for kind in element})

    _listcomp = _setcomp = _generatorexp = _dictcomp = _comprehension

    # --- Binding

    def bind(self, target: ast.expr, types: Types, scope: Scope) -> None:
        """Give a value to what stands left of `=`."""
        if isinstance(target, ast.Name):
            scope.names[target.id] = types
        elif isinstance(target, ast.Attribute):
            base = self.evaluate(target.value, scope)
            self.note_use(target, target.attr, base, scope)
            for kind in base:
                if kind[0] in ("own object", "own class"):
                    kind[1].note(target.attr, types)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(
                    element.value if isinstance(element, ast.Starred) else element, items_of(types) or UNKNOWN, scope
                )
        else:
            self.evaluate(target, scope)

    def bind_items(self, target: ast.expr, source: ast.expr, types: Types, scope: Scope) -> None:
        """Give each item of what a loop runs over to its target."""
        inner = types
        if (
            isinstance(source, ast.Call)
            and _called(source.func) == "enumerate"
            and isinstance(target, ast.Tuple)
            and source.args
        ):
            self.bind(target.elts[0], INTEGER, scope)
            target, source = target.elts[-1], source.args[0]
            inner = self.evaluate(source, scope)
        elements = items_of(inner) or UNKNOWN
        if elements <= (STRING | UNKNOWN) and "ICudaEngine" in api_types.hints(last_name(source)):
            elements = STRING
        self.bind(target, elements, scope)


def _called(node: ast.expr) -> str:
    return last_name(node.func if isinstance(node, ast.Call) else node)


def _all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    stars = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *stars]
