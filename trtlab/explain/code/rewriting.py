"""Make the mechanical changes in a script, and leave everything else of its text as it is."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence

from trtlab.explain.code.api_types import NOTHING, Types
from trtlab.explain.code.edits import Edit, Line, Texts
from trtlab.explain.code.guards import last_name
from trtlab.explain.code.judging import Verdict
from trtlab.explain.code.rules import RULES
from trtlab.explain.code.rules.builder_configs import BuilderConfig
from trtlab.explain.code.rules.naming import rename_import
from trtlab.explain.code.scopes import Scope
from trtlab.explain.code.sources import Source, is_python
from trtlab.explain.code.targets import Target


class Rewriter:
    """Holds the changes to a script, and what rules need to know of it."""

    def __init__(self, source: Source, target: Target, verdicts: Sequence[Verdict], types: dict[int, Types]) -> None:
        self.source = source
        self.target = target
        in_order = sorted(verdicts, key=lambda verdict: source.position(verdict.use.node))
        self.verdicts = {id(verdict.use.node): verdict for verdict in in_order}
        self.covered: set[int] = set()  # nodes that go away together with another one's change
        self.configs: dict[tuple[int, str], BuilderConfig | None] = {}  # by function and the builder's name
        self.insertions: dict[int, Edit] = {}  # lines that make a config, by what they stand after
        self._types = types
        self._texts = Texts([piece.text for piece in source.pieces])
        self._dropped: dict[int, int] = {}
        self._names = _identifiers(source.tree)
        # Each optimization profile had bindings of its own; numbers of tensors count only once.
        self.one_profile = not any(_uses_profiles(node) for node in ast.walk(source.tree))

    # --- Making the changes

    def rewrite(self) -> tuple[str | None, set[int]]:
        """Return the changed script, None if nothing could be changed, and the nodes whose change is in it."""
        planned: list[tuple[Edit, int]] = []
        changed: set[int] = set()
        for node_id, verdict in self.verdicts.items():
            edits = self._plan(verdict)
            if edits is not None:
                changed.add(node_id)
                planned += [(edit, node_id) for edit in edits]
        changed |= self.covered & self.verdicts.keys()
        planned += [(edit, 0) for edit in self.insertions.values()]
        planned.sort(key=lambda entry: (entry[0].end - entry[0].start, entry[0].piece, entry[0].start))
        # All or nothing: half a change would be worse than none.
        fine = bool(changed) and all(self._texts.make(edit) for edit, _ in planned)
        texts = self._texts.whole()
        fine = fine and all(
            is_python(text, magics=piece.magics) for text, piece in zip(texts, self.source.pieces, strict=True)
        )
        return (self._document(texts), changed) if fine else (None, set())

    def may_change(self, verdict: Verdict) -> bool:
        """Return whether a use may be changed at all: it is TensorRT's, is gone, is not guarded, and its place is known."""
        is_gone = verdict.absence is None or verdict.absence.kind != "later"
        return is_gone and verdict.convincing and not verdict.use.guarded and self._is_placed(verdict.use.node)

    def _is_placed(self, node: ast.AST) -> bool:
        """Return whether a node's place is right: in strings with values (f"") older Pythons give wrong ones."""
        current = node
        while isinstance(current, ast.expr):
            if isinstance(current, ast.JoinedStr):
                return _reads_as(self.source.text_of(node), node)
            current = self.parent(current)
        return True

    def _plan(self, verdict: Verdict) -> list[Edit] | None:
        if not self.may_change(verdict):
            return None
        if verdict.absence is None:
            return rename_import(self, verdict)
        change = verdict.change
        if change is None or not change.how or not all(map(self.target.has, change.needs)):
            return None
        return RULES[change.how](self, verdict, change)

    def render(self, node: ast.AST) -> str:
        """Return a node's text with the changes inside it."""
        return self.render_part(*self.source.span(node))

    def render_part(self, piece: int, start: int, end: int) -> str:
        """Return a stretch of text with the changes inside it."""
        return self._texts.part(piece, start, end)

    def _document(self, texts: Sequence[str]) -> str:
        if self.source.notebook is None:
            return texts[0]
        document = json.loads(json.dumps(self.source.notebook))
        for piece, text in zip(self.source.pieces, texts, strict=True):
            if piece.cell is not None:
                cell = document["cells"][piece.cell - 1]
                cell["source"] = text.splitlines(keepends=True) if isinstance(cell["source"], list) else text
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"

    # --- What rules ask

    def replace(self, node: ast.AST, text: Callable[[], str]) -> Edit:
        """Return the change of a whole node."""
        return Edit(*self.source.span(node), text)

    def replace_name(self, node: ast.Attribute, name: str) -> Edit:
        """Return the change of an attribute's name alone."""
        piece, _, end = self.source.span(node)
        return Edit(piece, end - len(node.attr), end, lambda: name)

    def parent(self, node: ast.AST) -> ast.AST:
        """Return the node around a node."""
        return self.source.parents[node]

    def types(self, node: ast.AST) -> Types:
        """Return what an expression can hold."""
        return self._types.get(id(node), NOTHING)

    def module_name(self, scope: Scope | None) -> str:
        """Return the name by which the TensorRT module goes in a scope, empty if it has none."""
        inner = scope
        while scope is not None:
            if scope is inner or not scope.is_class:
                for name, types in scope.names.items():
                    if _is_module(types):
                        return name
            scope = scope.parent
        return ""

    def fresh_name(self, *proposals: str) -> str:
        """Return the first proposal that the script does not use."""
        found = next((name for name in proposals if name not in self._names), proposals[-1])
        while found in self._names:
            found += "_"
        return found

    def line_of(self, statement: ast.AST) -> Line | None:
        """Return the lines of a statement, None if it shares one with others."""
        piece, start, end = self.source.span(statement)
        text = self.source.pieces[piece].text
        first = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
        last = next((index for index in range(end, len(text)) if text[index] in "\r\n"), len(text))
        after = text[end:last].strip()
        continued = text[:first].rstrip("\r\n").endswith("\\")
        if continued or text[first:start].strip() or (after and not after.startswith("#")):
            return None
        ending = 2 if text.startswith("\r\n", last) else 1
        newline = "\r\n" if "\r\n" in text else "\n"
        return Line(piece, first, min(last + ending, len(text)), text[first:start], newline)

    def drop(self, statement: ast.stmt) -> Edit | None:
        """Return the change that takes a statement out; a block of which nothing is left gets `pass`."""
        line = self.line_of(statement)
        if line is None:
            return None
        block = self.block_of(statement)
        self._dropped[id(block)] = self._dropped.get(id(block), 0) + 1
        if block is not None and self._dropped[id(block)] == len(block):
            return self.replace(statement, lambda: "pass")
        return Edit(line.piece, line.start, line.end, lambda: "")

    def block_of(self, statement: ast.AST) -> list[ast.stmt] | None:
        """Return the block that a statement stands in."""
        for _, value in ast.iter_fields(self.parent(statement)):
            if isinstance(value, list) and statement in value:
                return value
        return None

    def function_of(self, node: ast.AST) -> ast.AST:
        """Return the function or module that a node stands in."""
        current = self.parent(node)
        while not isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)):
            current = self.parent(current)
        return current

    def insert_line(self, line: Line, *, before: bool, text: str) -> Edit:
        """Return the change that puts a line before or after a statement's lines."""
        content = self.source.pieces[line.piece].text
        position = line.start if before else line.end
        ends = before or content[:position].endswith(("\n", "\r"))
        own = f"{line.indentation}{text}"
        added = f"{own}{line.newline}" if ends else f"{line.newline}{own}"
        return Edit(line.piece, position, position, lambda: added)


def _identifiers(tree: ast.AST) -> set[str]:
    """Return all names in a script."""
    found: set[str] = set()
    for node in ast.walk(tree):
        for _, value in ast.iter_fields(node):
            values = value if isinstance(value, list) else [value]
            found.update(name for name in values if isinstance(name, str))
    return found


def _uses_profiles(node: ast.AST) -> bool:
    """Return whether it asks for the number of profiles, or uses another one than the first."""
    if isinstance(node, ast.Attribute) and node.attr == "num_optimization_profiles":
        return True
    if isinstance(node, ast.Assign) and any(
        last_name(target) == "active_optimization_profile" for target in node.targets
    ):
        return not _is_zero(node.value)
    sets = isinstance(node, ast.Call) and last_name(node.func) == "set_optimization_profile_async"
    return sets and isinstance(node, ast.Call) and not (node.args and _is_zero(node.args[0]))


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


def _reads_as(text: str, node: ast.AST) -> bool:
    try:
        return ast.dump(ast.parse(text, mode="eval").body) == ast.dump(node)
    except (SyntaxError, ValueError):
        return False


def _is_module(types: Types) -> bool:
    """Return whether a name stands for a TensorRT module wherever it stands for anything."""
    kinds = {kind[0] for kind in types}
    return kinds in ({"module"}, {"module", "none"})
