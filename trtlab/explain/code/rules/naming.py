"""Changes of a name alone: what is called otherwise now, what always has the same value, and the module itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trtlab.explain.code.changes import MODULES, Change
from trtlab.explain.code.edits import Edit
from trtlab.explain.code.rules.common import is_read

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter


def rename_import(rewriter: Rewriter, verdict: Verdict) -> list[Edit] | None:
    """Import the module of the other flavour under the name that the script uses."""
    node, new = verdict.use.node, rewriter.target.flavour
    if isinstance(node, ast.ImportFrom) and node.module in MODULES:
        old = node.module
        piece, start, end = rewriter.source.span(node)
        at = rewriter.source.pieces[piece].text.find(old, start, end)
        return [Edit(piece, at, at + len(old), lambda: new)] if at >= 0 else None
    if isinstance(node, ast.alias) and node.name in MODULES:
        name = node.asname or node.name
        return [rewriter.replace(node, lambda: f"{new} as {name}")]
    return None


def rename(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Use another name of the same class."""
    owner, _, name = verdict.symbol.rpartition(".")
    if not rewriter.target.has(f"{owner}.{change.to}" if owner else change.to):
        return None
    node = verdict.use.node
    if isinstance(node, ast.alias):
        return [rewriter.replace(node, lambda: f"{change.to} as {node.asname or name}")]
    return [rewriter.replace_name(node, change.to)] if isinstance(node, ast.Attribute) else None


def slice_mode(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Use `SampleMode`, whose `DEFAULT` has another name, too."""
    if isinstance(verdict.use.node, ast.alias):
        return None  # its members are asked of the name, elsewhere
    edits = rename(rewriter, verdict, change)
    member = rewriter.parent(verdict.use.node)
    if edits is not None and isinstance(member, ast.Attribute) and member.attr == "DEFAULT":
        edits.append(rewriter.replace_name(member, "STRICT_BOUNDS"))
    return edits


def constant(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Write the value that a property always has."""
    node = verdict.use.node
    call = rewriter.parent(node)
    called = isinstance(call, ast.Call) and call.func is node
    return None if called or not is_read(node) else [rewriter.replace(node, lambda: change.to)]
