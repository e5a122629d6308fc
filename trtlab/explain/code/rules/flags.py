"""Changes of flags, and of statements that are not needed any more."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trtlab.explain.code.changes import Change
from trtlab.explain.code.edits import Edit
from trtlab.explain.code.rules.common import around, assignment_of, call_of, flag_statement

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter

# Calls that only compute a value: what is assigned can go together with them.
_ONLY_COMPUTE = ("int", "len", "max", "min", "abs", "round", "sum")


def drop(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Take out the statement that sets it."""
    del change
    node = verdict.use.node
    statement = flag_statement(rewriter, node) or assignment_of(rewriter, node)
    if statement is None or (isinstance(statement, ast.Assign) and not _only_computes(statement.value)):
        return None
    edit = rewriter.drop(statement)
    return [edit] if edit is not None else None


def _only_computes(value: ast.expr) -> bool:
    """Return whether nothing is missed if a value is not computed."""
    for part in ast.walk(value):
        if isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return False
        if isinstance(part, ast.Call) and not (isinstance(part.func, ast.Name) and part.func.id in _ONLY_COMPUTE):
            return False
    return True


def destroy(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Take out the statement that frees an object."""
    del change
    call, _ = call_of(rewriter, verdict)
    statement = rewriter.parent(call) if call is not None else None
    edit = rewriter.drop(statement) if isinstance(statement, ast.Expr) else None
    return [edit] if edit is not None else None


def strict_types(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set the flags that one flag became."""
    node, statement = verdict.use.node, flag_statement(rewriter, verdict.use.node)
    line = rewriter.line_of(statement) if statement is not None else None
    if statement is None or line is None or not isinstance(node, ast.Attribute):
        return None
    names = [symbol.partition(".")[2] for symbol in change.needs]

    def each() -> str:
        before, after = around(rewriter, statement, node)
        lines = [f"{before}{rewriter.render(node.value)}.{name}{after}" for name in names]
        return f"{line.newline}{line.indentation}".join(lines)

    return [rewriter.replace(statement, each)]


def tactic_heuristic(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set the optimization level instead of the flag."""
    del change
    statement = flag_statement(rewriter, verdict.use.node)
    call = statement.value if statement is not None else None
    if statement is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr != "set_flag":
        return None
    config = call.func.value
    return [rewriter.replace(statement, lambda: f"{rewriter.render(config)}.builder_optimization_level = 2")]


def flag_bit(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Take a bit out of a sum of bits; what is left of the sum stays, and an empty one is 0."""
    del change
    bit = _bit_of(rewriter, verdict.use.node)
    if bit is None:
        return None
    top, operator = bit, rewriter.parent(bit)
    kind = type(operator.op) if isinstance(operator, ast.BinOp) else ast.BitOr
    if kind not in (ast.BitOr, ast.Add):
        return None
    while isinstance(parent := rewriter.parent(top), ast.BinOp) and isinstance(parent.op, kind):
        top = parent
    going = {id(other) for found in rewriter.verdicts.values() if (other := _going_bit(rewriter, found)) is not None}
    operands = _operands(top, kind)
    kept = [operand for operand in operands if id(operand) not in going]
    if not kept and not verdict.symbol.startswith("NetworkDefinitionCreationFlag"):
        return None  # of tactic sources, none at all means something else than the default
    if bit is not next((operand for operand in operands if id(operand) in going), None):
        return []  # made together with the first bit of this sum
    return [_without_bits(rewriter, top, kept, " | " if kind is ast.BitOr else " + ")]


def _going_bit(rewriter: Rewriter, verdict: Verdict) -> ast.BinOp | None:
    goes = verdict.change is not None and verdict.change.how == "flag_bit" and rewriter.may_change(verdict)
    return _bit_of(rewriter, verdict.use.node) if goes else None


def _without_bits(rewriter: Rewriter, top: ast.expr, kept: list[ast.expr], sign: str) -> Edit:
    around_top = rewriter.parent(top)
    call = rewriter.parent(around_top) if isinstance(around_top, ast.keyword) else around_top
    if not kept and isinstance(call, ast.Call) and len(call.args) + len(call.keywords) == 1:
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == "create_network":
            return rewriter.replace(call, lambda: f"{rewriter.render(function)}()")
    bare = len(kept) == 1 and not isinstance(around_top, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute))

    def rest() -> str:
        return sign.join(_operand(rewriter, operand, bare=bare) for operand in kept) or "0"

    return rewriter.replace(top, rest)


def _operand(rewriter: Rewriter, node: ast.expr, *, bare: bool) -> str:
    text = rewriter.render(node)
    return text if bare or isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Constant)) else f"({text})"


def _bit_of(rewriter: Rewriter, node: ast.AST) -> ast.BinOp | None:
    """Return `1 << int(node)`."""
    if not isinstance(node, ast.Attribute):
        return None
    current: ast.AST = rewriter.parent(node)
    inner: ast.AST = node
    called = isinstance(current, ast.Call) and isinstance(current.func, ast.Name) and current.func.id == "int"
    if called or (isinstance(current, ast.Attribute) and current.attr == "value"):
        inner, current = current, rewriter.parent(current)
    if not isinstance(current, ast.BinOp) or not isinstance(current.op, ast.LShift) or current.right is not inner:
        return None
    return current if isinstance(current.left, ast.Constant) and current.left.value == 1 else None


def _operands(node: ast.expr, kind: type[ast.operator]) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        return [*_operands(node.left, kind), *_operands(node.right, kind)]
    return [node]
