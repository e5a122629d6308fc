"""Find the config that a builder's settings can move to, or make one: settings and build must meet in one function."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab.explain.code.edits import Edit
from trtlab.explain.code.rules.common import argument_of, call_of, own_nodes

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter


@dataclass(frozen=True)
class BuilderConfig:
    """A config of a builder.

    Attributes:
        name: The variable.
        made_by: The statement after which, or in whose block, it is there.
        insertion: The line that makes it, where the script has none.
        last: The line of the first build with it; what is set later would be too late.
    """

    name: str
    made_by: ast.AST
    insertion: Edit | None = None
    last: int | None = None

    def used(self, rewriter: Rewriter, edits: list[Edit] | None) -> list[Edit] | None:
        """Note that changes use it, so that it is made, and return them."""
        if edits is not None and self.insertion is not None:
            rewriter.insertions[id(self.made_by)] = self.insertion
        return edits


def config_for(rewriter: Rewriter, verdict: Verdict) -> BuilderConfig | None:
    """Return the config that can hold a setting of a builder; None where nothing says which it is."""
    node = verdict.use.node
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    found = _config_of(rewriter, node, node.value.id)
    if found is None or not _comes_before(rewriter, found.made_by, node):
        return None
    return found if found.last is None or node.lineno < found.last else None


def made_config(rewriter: Rewriter, verdict: Verdict) -> str:
    """Return the name of the config that settings of the verdict's builder moved to; empty where none did."""
    node = verdict.use.node
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return ""
    found = _config_of(rewriter, node, node.value.id)
    if found is None or not _comes_before(rewriter, found.made_by, node):
        return ""
    return found.name if found.insertion is None or id(found.made_by) in rewriter.insertions else ""


def _config_of(rewriter: Rewriter, node: ast.AST, builder: str) -> BuilderConfig | None:
    function = rewriter.function_of(node)
    key = (id(function), builder)
    if key not in rewriter.configs:
        rewriter.configs[key] = _existing(rewriter, function, builder) or _new(rewriter, function, builder)
    return rewriter.configs[key]


def _existing(rewriter: Rewriter, function: ast.AST, builder: str) -> BuilderConfig | None:
    """Return the config that the function makes of the builder itself; only where it makes one and names it once."""
    made = [
        node
        for node in own_nodes(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _makes_config(node.func, builder)
    ]
    if len(made) != 1:
        return None
    statement = rewriter.parent(made[0])
    if isinstance(statement, ast.withitem) and isinstance(statement.optional_vars, ast.Name):
        name, statement = statement.optional_vars.id, rewriter.parent(statement)
    elif (
        isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
    ):
        name = statement.targets[0].id
    else:
        return None
    return BuilderConfig(name, statement) if len(_stores(function, name)) == 1 else None


def _makes_config(function: ast.Attribute, builder: str) -> bool:
    named = isinstance(function.value, ast.Name) and function.value.id == builder
    return named and function.attr == "create_builder_config"


def _new(rewriter: Rewriter, function: ast.AST, builder: str) -> BuilderConfig | None:
    """Return a config that is made where the builder is; only where the function makes and uses the builder itself."""
    if any(isinstance(node, ast.Attribute) and _makes_config(node, builder) for node in own_nodes(function)):
        return None
    stores, builds = _stores(function, builder), _builds(rewriter, function, builder)
    if len(stores) != 1 or not builds or builder in _parameters(function):
        return None
    made_by, place = rewriter.parent(stores[0]), None
    name = rewriter.fresh_name("config", "builder_config")
    text = f"{name} = {builder}.create_builder_config()"
    if isinstance(made_by, ast.Assign) and made_by.targets == [stores[0]]:
        line = rewriter.line_of(made_by)
        place = rewriter.insert_line(line, before=False, text=text) if line is not None else None
    elif isinstance(made_by, ast.withitem):
        made_by = rewriter.parent(made_by)
        line = rewriter.line_of(made_by.body[0]) if isinstance(made_by, (ast.With, ast.AsyncWith)) else None
        place = rewriter.insert_line(line, before=True, text=text) if line is not None else None
    return BuilderConfig(name, made_by, place, min(builds)) if place is not None else None


def _builds(rewriter: Rewriter, function: ast.AST, builder: str) -> list[int]:
    """Return the lines of the builds without a config that will be changed."""
    found = []
    for verdict in rewriter.verdicts.values():
        call, attribute = call_of(rewriter, verdict)
        if call is None or attribute is None or verdict.change is None or verdict.change.how != "build_cuda_engine":
            continue
        named = isinstance(attribute.value, ast.Name) and attribute.value.id == builder
        can = rewriter.may_change(verdict) and argument_of(call, 0, ("network",)) is not None
        if named and can and rewriter.function_of(call) is function and rewriter.module_name(verdict.use.scope):
            found.append(call.lineno)
    return found


def _stores(function: ast.AST, name: str) -> list[ast.Name]:
    nodes = own_nodes(function)
    return [
        node for node in nodes if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
    ]


def _parameters(function: ast.AST) -> set[str]:
    arguments = getattr(function, "args", None)
    return {node.arg for node in ast.walk(arguments) if isinstance(node, ast.arg)} if arguments is not None else set()


def _comes_before(rewriter: Rewriter, statement: ast.AST, node: ast.AST) -> bool:
    """Return whether a node is only reached after a statement: later in its block, or in the block of a `with`."""
    block, current = rewriter.block_of(statement), node
    while not isinstance(current, ast.Module):
        if current is statement:
            return isinstance(statement, (ast.With, ast.AsyncWith))
        if block is not None and any(current is other for other in block):
            return block.index(current) > block.index(statement)  # type: ignore[arg-type]
        current = rewriter.parent(current)
    return False
