"""Changes of questions about a binding, by its number, to questions about a tensor, by its name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trtlab.explain.code.api_types import STRING
from trtlab.explain.code.changes import Change
from trtlab.explain.code.edits import Edit
from trtlab.explain.code.rules.common import argument_of, call_of, is_simple
from trtlab.explain.code.rules.naming import rename

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter

# Around these a comparison needs no brackets.
_LOOSE = (
    ast.If, ast.While, ast.Assign, ast.Return, ast.Call, ast.keyword, ast.comprehension, ast.IfExp, ast.BoolOp, ast.Expr, ast.Assert,
)  # fmt: skip


def count(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Count tensors, where each has one binding only."""
    return rename(rewriter, verdict, change) if rewriter.one_profile else None


def by_name(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Ask for a tensor by name."""
    call, attribute = call_of(rewriter, verdict)
    owner = verdict.symbol.partition(".")[0]
    if call is None or attribute is None or not rewriter.target.has(f"{owner}.{change.to}"):
        return None
    edits = _named(rewriter, verdict, argument_of(call, 0, ("index", "name", "binding")))
    return [rewriter.replace_name(attribute, change.to), *edits] if edits is not None else None


def is_input(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Compare a tensor's mode."""
    del change
    call, attribute = call_of(rewriter, verdict)
    module = rewriter.module_name(verdict.use.scope)
    if call is None or attribute is None or not module:
        return None
    edits = _named(rewriter, verdict, argument_of(call, 0, ("index", "name")))
    if edits is None:
        return None
    left, right = ("", "") if isinstance(rewriter.parent(call), _LOOSE) else ("(", ")")

    def compared() -> str:
        return f"{left}{rewriter.render(call)} == {module}.TensorIOMode.INPUT{right}"

    return [rewriter.replace_name(attribute, "get_tensor_mode"), *edits, rewriter.replace(call, compared)]


def profile_shape(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Ask for a profile's shapes by name; the name comes first."""
    call, attribute = call_of(rewriter, verdict)
    if call is None or attribute is None or not rewriter.target.has(f"ICudaEngine.{change.to}"):
        return None
    profile, binding = argument_of(call, 0, ("profile_index",)), argument_of(call, 1, ("binding",))
    if profile is None or binding is None or isinstance(rewriter.parent(binding), ast.keyword):
        return None
    edits = _named(rewriter, verdict, binding)
    if edits is None:
        return None

    def swapped() -> str:
        return f"{rewriter.render(attribute.value)}.{change.to}({rewriter.render(binding)}, {rewriter.render(profile)})"

    return [*edits, rewriter.replace(call, swapped)]


def _named(rewriter: Rewriter, verdict: Verdict, argument: ast.expr | None) -> list[Edit] | None:
    """Return the edits that make a tensor's name of what stood for a binding."""
    if argument is None:
        return None
    keyword = rewriter.parent(argument)
    place: ast.AST = keyword if isinstance(keyword, ast.keyword) else argument
    prefix = "name=" if isinstance(keyword, ast.keyword) else ""
    asked = _index_of_name(rewriter, argument)
    if asked is not None:
        rewriter.covered.add(id(argument.func))  # type: ignore[attr-defined]
        return [rewriter.replace(place, lambda: prefix + rewriter.render(asked))]
    kinds = {kind[0] for kind in rewriter.types(argument)}
    if kinds == {"str"}:
        return [rewriter.replace(place, lambda: prefix + rewriter.render(argument))] if prefix else []
    attribute = verdict.use.node
    if kinds != {"int"} or not rewriter.one_profile:
        return None
    named = _engine_item(rewriter, argument)
    if named is not None:
        return [rewriter.replace(place, lambda: prefix + rewriter.render(named))]
    if not isinstance(attribute, ast.Attribute) or not is_simple(attribute.value):
        return None
    engine = rewriter.source.text_of(attribute.value)
    engine += ".engine" if verdict.symbol.startswith("IExecutionContext") else ""
    return [rewriter.replace(place, lambda: f"{prefix}{engine}.get_tensor_name({rewriter.render(argument)})")]


def _engine_item(rewriter: Rewriter, argument: ast.expr) -> ast.expr | None:
    """Return the name in `engine[name]`, which was the binding's number."""
    if not isinstance(argument, ast.Subscript) or rewriter.types(argument.slice) != STRING:
        return None
    return argument.slice if ("object", "ICudaEngine") in rewriter.types(argument.value) else None


def _index_of_name(rewriter: Rewriter, argument: ast.expr) -> ast.expr | None:
    """Return the name in `engine.get_binding_index(name)`; only where that name goes together with its call."""
    if not isinstance(argument, ast.Call) or not isinstance(argument.func, ast.Attribute):
        return None
    verdict = rewriter.verdicts.get(id(argument.func))
    asks = argument.func.attr == "get_binding_index" and len(argument.args) == 1 and not argument.keywords
    if not asks or verdict is None or verdict.use.guarded or isinstance(argument.args[0], ast.Starred):
        return None
    return argument.args[0]
