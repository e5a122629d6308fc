"""Changes of the calls that run an engine."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trtlab.explain.code.changes import Change
from trtlab.explain.code.edits import Edit
from trtlab.explain.code.rules.common import argument_of, around, call_of, is_simple

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter


def execute(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Run without a batch, which the shapes contain."""
    del change
    call, attribute = call_of(rewriter, verdict)
    bindings = argument_of(call, 1, ("bindings",)) if call is not None and _batch_is_one(call) else None
    if bindings is None or call is None or attribute is None:
        return None

    def without_batch() -> str:
        return f"{rewriter.render(attribute.value)}.execute_v2({rewriter.render(bindings)})"

    return [rewriter.replace(call, without_batch)]


def execute_async(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set each tensor's address, then enqueue; the batch is part of the shapes."""
    del change
    call, _ = call_of(rewriter, verdict)
    return _enqueue(rewriter, verdict, call, first=1) if call is not None and _batch_is_one(call) else None


def execute_async_v2(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set each tensor's address, then enqueue."""
    del change
    call, _ = call_of(rewriter, verdict)
    return _enqueue(rewriter, verdict, call, first=0) if call is not None else None


def _batch_is_one(call: ast.Call) -> bool:
    batch = argument_of(call, 0, ("batch_size",))
    return batch is None or (isinstance(batch, ast.Constant) and batch.value == 1)


def _enqueue(rewriter: Rewriter, verdict: Verdict, call: ast.Call, *, first: int) -> list[Edit] | None:
    """Return the edit that sets each tensor's address before the call; it needs a statement of its own for that."""
    bindings = argument_of(call, first, ("bindings",))
    stream = argument_of(call, first + 1, ("stream_handle",))
    consumed = argument_of(call, first + 2, ("input_consumed",))
    if bindings is None or stream is None or not (consumed is None or _is_none(consumed)):
        return None
    statement, attribute = rewriter.parent(call), verdict.use.node
    if not isinstance(attribute, ast.Attribute) or not is_simple(attribute.value):
        return None
    line = rewriter.line_of(statement) if isinstance(statement, (ast.Expr, ast.Assign, ast.Return)) else None
    if line is None or not rewriter.one_profile:
        return None
    context = rewriter.source.text_of(attribute.value)
    index = rewriter.fresh_name("tensor_index", "binding_index")
    address = rewriter.fresh_name("tensor_address", "binding_address")

    def with_addresses() -> str:
        before, after = around(rewriter, statement, call)
        lines = (
            f"for {index}, {address} in enumerate({rewriter.render(bindings)}):",
            f"    {context}.set_tensor_address({context}.engine.get_tensor_name({index}), int({address}))",
            f"{before}{context}.execute_async_v3({rewriter.render(stream)}){after}",
        )
        return f"{line.newline}{line.indentation}".join(lines)

    return [rewriter.replace(statement, with_addresses)]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def context_strategy(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Say by an argument that the caller brings the context's memory."""
    del change
    call, attribute = call_of(rewriter, verdict)
    module = rewriter.module_name(verdict.use.scope)
    if call is None or attribute is None or call.args or call.keywords or not module:
        return None
    strategy = f"{module}.ExecutionContextAllocationStrategy.USER_MANAGED"

    def with_strategy() -> str:
        return f"{rewriter.render(attribute.value)}.create_execution_context({strategy})"

    return [rewriter.replace(call, with_strategy)]
