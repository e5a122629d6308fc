"""Changes of the builder's settings, which belong to its config now, and of the calls that build."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from trtlab.explain.code.changes import Change
from trtlab.explain.code.edits import Edit
from trtlab.explain.code.rules.builder_configs import config_for, made_config
from trtlab.explain.code.rules.common import argument_of, around, assignment_of, call_of, is_read

if TYPE_CHECKING:
    from trtlab.explain.code.judging import Verdict
    from trtlab.explain.code.rewriting import Rewriter

_EQUALS = re.compile(r"\s*(?:\\\r?\n\s*)?=\s*(?:\\\r?\n\s*)?")


def workspace(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set the limit of the memory pool, or ask for it."""
    del change
    node = verdict.use.node
    return _limit(rewriter, verdict, lambda: rewriter.render(node.value)) if isinstance(node, ast.Attribute) else None


def builder_workspace(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set the limit of the memory pool of the builder's config."""
    del change
    found = config_for(rewriter, verdict)
    edits = _limit(rewriter, verdict, lambda: found.name) if found is not None else None
    return found.used(rewriter, edits) if found is not None else None


def _limit(rewriter: Rewriter, verdict: Verdict, config: Callable[[], str]) -> list[Edit] | None:
    node, module = verdict.use.node, rewriter.module_name(verdict.use.scope)
    if not module:
        return None
    pool = f"{module}.MemoryPoolType.WORKSPACE"
    if is_read(node):
        return [rewriter.replace(node, lambda: f"{config()}.get_memory_pool_limit({pool})")]
    assignment = assignment_of(rewriter, node)
    value = _value_of(rewriter, assignment) if assignment is not None else None
    if assignment is None or value is None:
        return None
    return [rewriter.replace(assignment, lambda: f"{config()}.set_memory_pool_limit({pool}, {value()})")]


def builder_flag(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Set a flag of the builder's config."""
    found, module = config_for(rewriter, verdict), rewriter.module_name(verdict.use.scope)
    if found is None or not module or not rewriter.target.has(change.to):
        return None
    node, flag = verdict.use.node, f"{module}.{change.to}"
    if is_read(node):
        return found.used(rewriter, [rewriter.replace(node, lambda: f"{found.name}.get_flag({flag})")])
    assignment = assignment_of(rewriter, node)
    if assignment is None:
        return None
    if isinstance(assignment.value, ast.Constant):
        method = "set_flag" if assignment.value.value else "clear_flag"
        return found.used(rewriter, [rewriter.replace(assignment, lambda: f"{found.name}.{method}({flag})")])
    value, line = _value_of(rewriter, assignment), rewriter.line_of(assignment)
    if value is None or line is None:
        return None

    def under_condition() -> str:
        return f"if {value()}:{line.newline}{line.indentation}    {found.name}.set_flag({flag})"

    return found.used(rewriter, [rewriter.replace(assignment, under_condition)])


def builder_setting(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Use the setting of the builder's config."""
    found = config_for(rewriter, verdict)
    if found is None or not rewriter.target.has(change.to):
        return None
    setting = f"{found.name}.{change.to.partition('.')[2]}"
    return found.used(rewriter, [rewriter.replace(verdict.use.node, lambda: setting)])


def _value_of(rewriter: Rewriter, assignment: ast.Assign) -> Callable[[], str] | None:
    """Return what is assigned as it can stand in brackets, with its own brackets and the comments in them."""
    if isinstance(assignment.value, (ast.Tuple, ast.Yield, ast.YieldFrom, ast.Starred)):
        return None
    piece, _, end = rewriter.source.span(assignment)
    _, _, target_end = rewriter.source.span(assignment.targets[0])
    equals = _EQUALS.match(rewriter.source.pieces[piece].text, target_end)
    if equals is None:
        return None
    start = equals.end()
    return lambda: rewriter.render_part(piece, start, end)


# --- Building


def build_engine(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Build a serialized engine with a config, and make an engine of it where one is wanted."""
    del change
    call, _ = call_of(rewriter, verdict)
    network = argument_of(call, 0, ("network",)) if call is not None else None
    config = argument_of(call, 1, ("config",)) if call is not None else None
    if call is None or network is None or config is None:
        return None
    return _built(rewriter, verdict, call, lambda: f"{rewriter.render(network)}, {rewriter.render(config)}")


def build_cuda_engine(rewriter: Rewriter, verdict: Verdict, change: Change) -> list[Edit] | None:
    """Build a serialized engine with the config that the builder's settings moved to."""
    del change
    call, attribute = call_of(rewriter, verdict)
    network = argument_of(call, 0, ("network",)) if call is not None else None
    if call is None or attribute is None or network is None:
        return None
    name = made_config(rewriter, verdict)

    def arguments() -> str:
        config = name or f"{rewriter.render(attribute.value)}.create_builder_config()"
        return f"{rewriter.render(network)}, {config}"

    return _built(rewriter, verdict, call, arguments)


def _built(rewriter: Rewriter, verdict: Verdict, call: ast.Call, arguments: Callable[[], str]) -> list[Edit] | None:
    attribute, module = call.func, rewriter.module_name(verdict.use.scope)
    if not isinstance(attribute, ast.Attribute):
        return None

    def serialized() -> str:
        return f"{rewriter.render(attribute.value)}.build_serialized_network({arguments()})"

    around_call = rewriter.parent(call)
    whole = rewriter.parent(around_call)
    if isinstance(around_call, ast.Attribute) and around_call.attr == "serialize" and isinstance(whole, ast.Call):
        return [rewriter.replace(whole, serialized)] if whole.func is around_call else None
    if not module:
        return None
    runtime = f"{module}.Runtime({rewriter.source.text_of(attribute.value)}.logger)"
    line = rewriter.line_of(around_call) if isinstance(around_call, (ast.Assign, ast.Return)) else None
    if line is None:
        return [rewriter.replace(call, lambda: f"{runtime}.deserialize_cuda_engine({serialized()})")]
    plan = rewriter.fresh_name("serialized_engine", "engine_plan")

    def in_two_steps() -> str:
        # A build that fails gives None, as it did; deserializing that would raise.
        before, after = around(rewriter, around_call, call)
        engine = f"{runtime}.deserialize_cuda_engine({plan}) if {plan} is not None else None"
        return f"{plan} = {serialized()}{line.newline}{line.indentation}{before}{engine}{after}"

    return [rewriter.replace(around_call, in_two_steps)]
