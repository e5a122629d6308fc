"""What the rules share: finding the call, argument or statement around a name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from trtlab.explain.code.changes import Change
from trtlab.explain.code.edits import Edit

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter

Rule: TypeAlias = "Callable[[Rewriter, Verdict, Change], list[Edit] | None]"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def call_of(rewriter: Rewriter, verdict: Verdict) -> tuple[ast.Call | None, ast.Attribute | None]:
    """Return the call of a method and the attribute in it; twice None where it is not called."""
    node = verdict.use.node
    if not isinstance(node, ast.Attribute):
        return None, None
    call = rewriter.parent(node)
    return (call, node) if isinstance(call, ast.Call) and call.func is node else (None, None)


def argument_of(call: ast.Call, position: int, names: tuple[str, ...]) -> ast.expr | None:
    """Return an argument by position or name."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)


def assignment_of(rewriter: Rewriter, node: ast.AST) -> ast.Assign | None:
    """Return the statement `node = value`."""
    statement = rewriter.parent(node)
    return statement if isinstance(statement, ast.Assign) and statement.targets == [node] else None


def flag_statement(rewriter: Rewriter, node: ast.AST) -> ast.Expr | None:
    """Return the statement `config.set_flag(node)`."""
    call = rewriter.parent(node)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr not in ("set_flag", "clear_flag"):
        return None
    statement = rewriter.parent(call)
    return statement if isinstance(statement, ast.Expr) and len(call.args) + len(call.keywords) == 1 else None


def around(rewriter: Rewriter, statement: ast.AST, inner: ast.AST) -> tuple[str, str]:
    """Return what stands before and after a node in its statement, with the changes that were made there."""
    piece, start, end = rewriter.source.span(statement)
    _, first, last = rewriter.source.span(inner)
    return rewriter.render_part(piece, start, first), rewriter.render_part(piece, last, end)


def is_read(node: ast.AST) -> bool:
    """Return whether a value is asked for, not set or deleted."""
    return isinstance(getattr(node, "ctx", None), ast.Load)


def is_simple(node: ast.AST) -> bool:
    """Return whether a name can be written twice without doing anything twice."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and is_simple(node.value))


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Return the nodes of a function or module, without those of functions and classes inside it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            waiting += ast.iter_child_nodes(node)
