"""Follow TensorRT's objects through a script: assignments, `with`, loops, its own functions, classes and their attributes.

A few rounds are read: what a function returns, what it is given and what an object's attributes hold is known better after each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from trtlab.explain.code import api_types
from trtlab.explain.code.api_types import NOTHING, OTHER, RELEASE, STRING, UNKNOWN, Types, items_of, union
from trtlab.explain.code.changes import MODULES
from trtlab.explain.code.expressions import Expressions
from trtlab.explain.code.guards import asks_release, expects_missing, leaves, suppresses_missing
from trtlab.explain.code.scopes import Class, Function, Scope, Use, defined_names

_ROUNDS = 4
_OPTIONAL = ("Optional", "Union", "Annotated", "Final", "ClassVar")
_CONTAINERS = ("List", "list", "Sequence", "Iterable", "Iterator", "Generator", "Tuple", "tuple", "Set", "set")


class Flow(Expressions):
    """Reads the statements of a script."""

    def __init__(self, tree: ast.Module, given: dict[str, Types] | None = None) -> None:
        """Prepare to read a module in which the names in `given` hold something from the beginning."""
        super().__init__()
        self._given = given or {}
        self.tree = tree
        self.module = Scope(tree)
        self.imported: list[str] = []
        self.own_names = {
            name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for name in defined_names(node)
        }
        self._waiting: list[Function] = []
        self._loops = 0

    def read(self) -> dict[int, Use]:
        """Return what the script asks of TensorRT's objects and of unknown ones, by the id of the node."""
        for _ in range(_ROUNDS):
            before = self._knowledge()
            self.uses, self.types, self.imported, self.guards = {}, {}, [], 0
            self.module.names = dict(self._given)
            self._waiting = []
            for function in self.functions.values():
                function.begin_round()
            self._block(self.tree.body, self.module)
            for function in self._waiting:  # grows while functions inside functions are met
                self._function_body(function)
            if self._knowledge() == before:
                break
        return self.uses

    def _knowledge(self) -> list[object]:
        return [
            *(function.knowledge() for function in self.functions.values()),
            *(dict(owner.attributes) for owner in self.classes.values()),
        ]

    # --- Blocks

    def _block(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        guards = 0
        for statement in statements:
            method = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
            if method is not None:
                # A branch that asks for the release and leaves: what comes after it is for the other releases.
                if method(statement, scope) is True:
                    guards += 1
                    self.guards += 1
            else:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self.evaluate(child, scope)
        self.guards -= guards

    def _branch(
        self, statements: Iterable[ast.stmt], scope: Scope, names: dict[str, Types], *, guard: int = 0, loop: int = 0
    ) -> dict[str, Types]:
        """Read statements with a copy of the names, and return what the names hold after them."""
        scope.names = dict(names)
        self.guards += guard
        self._loops += loop
        self._block(statements, scope)
        self.guards -= guard
        self._loops -= loop
        return scope.names

    def _passes(self) -> range:
        """Return how often to read a loop: what its body binds is known at its beginning the second time."""
        return range(1 if self._loops else 2)

    def _do_if(self, node: ast.If, scope: Scope) -> bool:
        guard = int(asks_release(node.test, self.evaluate(node.test, scope)))
        names = dict(scope.names)
        branches = [(body, self._branch(body, scope, names, guard=guard)) for body in (node.body, node.orelse)]
        staying = [after for body, after in branches if not leaves(body)]
        scope.merge(*(staying or [after for _, after in branches]))
        return bool(guard) and len(staying) < len(branches)

    def _do_for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
        types = self.evaluate(node.iter, scope)
        names = dict(scope.names)
        for _ in self._passes():
            scope.names = dict(scope.names)
            self.bind_items(node.target, node.iter, types, scope)
            after = self._branch(node.body, scope, scope.names, loop=1)
            scope.merge(names, after)
        self._block(node.orelse, scope)

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While, scope: Scope) -> None:
        names = dict(scope.names)
        for _ in self._passes():
            guard = int(asks_release(node.test, self.evaluate(node.test, scope)))
            scope.merge(names, self._branch(node.body, scope, scope.names, guard=guard, loop=1))
        self._block(node.orelse, scope)

    def _do_try(self, node: ast.Try, scope: Scope) -> None:
        guard = int(expects_missing(node.handlers))
        names = dict(scope.names)
        after = self._branch(node.body, scope, names, guard=guard)
        ends = [self._branch(node.orelse, scope, after, guard=guard)]
        scope.merge(names, after)
        middle = dict(scope.names)
        for handler in node.handlers:
            self.evaluate(handler.type, scope)
            start = {**middle, **({handler.name: OTHER} if handler.name else {})}
            end = self._branch(handler.body, scope, start, guard=guard)
            if not leaves(handler.body):
                ends.append(end)
        scope.merge(*ends)
        self._block(node.finalbody, scope)

    _do_trystar = _do_try

    def _do_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        for item in node.items:
            types = self.evaluate(item.context_expr, scope)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, self._entered(types), scope)
        guard = int(any(suppresses_missing(item.context_expr) for item in node.items))
        self.guards += guard
        self._block(node.body, scope)
        self.guards -= guard

    _do_asyncwith = _do_with

    def _entered(self, types: Types) -> Types:
        """Return what `with` binds: the object itself, what its own `__enter__` returns, or what a generator yields."""
        found: list[Types] = []
        for kind in types:
            enter = kind[1].method("__enter__") if kind[0] == "own object" else None
            if enter is not None:
                found.append(enter.result or UNKNOWN)
            else:
                found.append(items_of(frozenset({kind})) if kind[0] == "items" else frozenset({kind}))
        return union(*found)

    def _do_match(self, node: ast.Match, scope: Scope) -> None:
        guard = int(asks_release(node.subject, self.evaluate(node.subject, scope)))
        names = dict(scope.names)
        ends = [names, *(self._branch(case.body, scope, names, guard=guard) for case in node.cases)]
        scope.merge(*ends)

    # --- Bindings

    def _do_assign(self, node: ast.Assign, scope: Scope) -> None:
        types = self.evaluate(node.value, scope)
        for target in node.targets:
            self._pair(target, node.value, types, scope)

    def _pair(self, target: ast.expr, value: ast.expr, types: Types, scope: Scope) -> None:
        """Give a value to a target; of tuples on both sides each part to its own."""
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            parts = [*target.elts, *value.elts]
            if len(target.elts) == len(value.elts) and not any(isinstance(part, ast.Starred) for part in parts):
                for element, part in zip(target.elts, value.elts, strict=True):
                    self._pair(element, part, self.types.get(id(part), UNKNOWN), scope)
                return
        self.bind(target, types, scope)

    def _do_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        declared = self._annotation(node.annotation, scope)
        types = self.evaluate(node.value, scope) if node.value is not None else NOTHING
        self.bind(node.target, types if types and types != UNKNOWN else declared, scope)
        owner = self.classes.get(scope.node)
        if owner is not None and isinstance(node.target, ast.Name):
            owner.note(node.target.id, declared)

    def _do_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        self.evaluate(node.value, scope)
        if isinstance(node.target, ast.Attribute):
            self.note_use(node.target, node.target.attr, self.evaluate(node.target.value, scope), scope)

    def _do_delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self.evaluate(target, scope)

    def _do_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            if top in MODULES:
                self.imported.append(top)
                name = alias.asname or top
                is_top = alias.name == top or alias.asname is None
                scope.names[name] = frozenset({("module", top)}) if is_top else UNKNOWN
                self.note_use(alias, alias.name, frozenset({("import", top)}), scope)
            else:
                scope.names[alias.asname or top] = UNKNOWN

    def _do_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = node.module or ""
        top = module.partition(".")[0] if not node.level else ""
        if top in MODULES:
            self.imported.append(top)
            self.note_use(node, module, frozenset({("import", top)}), scope)
        for alias in node.names:
            name = alias.asname or alias.name
            if module in MODULES and not node.level and alias.name == "*":
                scope.names.update(
                    {known: api_types.module_attribute(known) for known in api_types.names() if "." not in known}
                )
            elif module in MODULES and not node.level:
                self.note_use(alias, alias.name, frozenset({("module", module)}), scope)
                scope.names[name] = self._attribute_of(("module", module), alias.name)
            else:
                scope.names[name] = RELEASE if name.isupper() and ("TRT" in name or "RTX" in name) else UNKNOWN

    # --- Functions and classes

    def _do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        owner = self.classes.get(scope.node) if scope.is_class else None
        function = self.functions.setdefault(node, Function(node, scope, owner))
        function.scope, function.guarded = scope, self.guards > 0
        for decorator in node.decorator_list:
            self.evaluate(decorator, scope)
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.evaluate(default, scope)
        static = any(
            isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in node.decorator_list
        )
        if owner is not None:
            owner.methods[node.name] = function
        scope.names[node.name] = frozenset({("own function", function, owner is not None and not static)})
        self._waiting.append(function)

    _do_asyncfunctiondef = _do_functiondef

    def _function_body(self, function: Function) -> None:
        node = function.node
        if isinstance(node, ast.Lambda):
            return
        inner = Scope(node, function.scope)
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        for argument in (*positional, *arguments.kwonlyargs):
            declared = (
                self._annotation(argument.annotation, function.scope) if argument.annotation is not None else UNKNOWN
            )
            given = function.parameters.get(argument.arg, NOTHING)
            inner.names[argument.arg] = declared if declared != UNKNOWN else given or UNKNOWN
        for star in filter(None, (arguments.vararg, arguments.kwarg)):
            inner.names[star.arg] = UNKNOWN
        static = any(
            isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in node.decorator_list
        )
        if function.owner is not None and positional and not static:
            inner.names[positional[0].arg] = frozenset({("own object", function.owner)})
        declared = self._annotation(node.returns, function.scope) if node.returns is not None else UNKNOWN
        guard, loops = int(function.guarded or function.only_guarded), self._loops
        self._loops = 0
        self.guards += guard
        self._block(node.body, inner)
        self.guards -= guard
        self._loops = loops
        if declared != UNKNOWN and function.result <= UNKNOWN:
            function.result = declared

    def _do_return(self, node: ast.Return, scope: Scope) -> None:
        types = self.evaluate(node.value, scope)
        function = self._function_of(scope)
        if function is not None:
            function.result = union(function.result, types)

    def _yield(self, node: ast.Yield | ast.YieldFrom, scope: Scope) -> Types:
        types = self.evaluate(node.value, scope)
        function = self._function_of(scope)
        if function is not None:
            given = items_of(types) if isinstance(node, ast.YieldFrom) else types
            function.result = union(function.result, frozenset({("items", kind) for kind in given}))
        return UNKNOWN

    _yieldfrom = _yield

    def _function_of(self, scope: Scope) -> Function | None:
        current: Scope | None = scope
        while current is not None and current.node not in self.functions:
            current = current.parent
        return self.functions[current.node] if current is not None else None

    def _do_classdef(self, node: ast.ClassDef, scope: Scope) -> None:
        owner = self.classes.setdefault(node, Class(node, defined_names(node)))
        owner.bases, owner.trt_bases, owner.open = [], [], False
        for decorator in node.decorator_list:
            self.evaluate(decorator, scope)
        for base in node.bases:
            types = self.evaluate(base, scope)
            owner.bases += [kind[1] for kind in types if kind[0] == "own class" and kind[1] is not owner]
            owner.trt_bases += [kind[1] for kind in types if kind[0] == "class"]
            owner.open = owner.open or ("unknown",) in types
        inner = Scope(node, scope, is_class=True)
        self._block(node.body, inner)
        for name, types in inner.names.items():
            owner.note(name, types)
        scope.names[node.name] = frozenset({("own class", owner)})

    def _annotation(self, node: ast.expr, scope: Scope) -> Types:
        """Return what an annotation promises."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError):
                return UNKNOWN
            uses = self.uses
            self.uses = {}  # it has no place of its own in the text
            found = self._annotation(inner, scope)
            self.uses = uses
            return found
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union(self._annotation(node.left, scope), self._annotation(node.right, scope))
        if isinstance(node, ast.Subscript):
            return self._generic(node, scope)
        types = self.evaluate(node, scope)
        promised = frozenset(
            ("object" if kind[0] == "class" else "own object", kind[1])
            for kind in types
            if kind[0] in ("class", "own class")
        )
        if isinstance(node, ast.Name) and node.id in ("str", "int", "float", "bool", "bytes"):
            return STRING if node.id == "str" else frozenset({("int",)}) if node.id == "int" else OTHER
        return promised or (types if types == frozenset({("none",)}) else UNKNOWN)

    def _generic(self, node: ast.Subscript, scope: Scope) -> Types:
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inner = [self._annotation(part, scope) for part in parts if not isinstance(part, ast.Slice)]
        if name in _OPTIONAL:
            return union(*inner) - UNKNOWN or UNKNOWN
        if name in _CONTAINERS:
            return frozenset({("items", kind) for kind in union(*inner)})
        return UNKNOWN
