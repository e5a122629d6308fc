"""Check source: read it, follow TensorRT's objects, judge each name, and make the mechanical changes."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from types import ModuleType

from trtlab._errors import InputError
from trtlab.explain.code.api_types import Types, of_object
from trtlab.explain.code.flow import Flow
from trtlab.explain.code.judging import Verdict, finding_of, judge
from trtlab.explain.code.report import CodeFinding, CodeReport
from trtlab.explain.code.rewriting import Rewriter
from trtlab.explain.code.sources import Source, read_source
from trtlab.explain.code.targets import Target, target_for


def check_code(
    source: str | os.PathLike[str],
    *,
    release: str | None = None,
    name: str = "the script",
    namespace: Mapping[str, object] | None = None,
) -> CodeReport:
    """Return which names a script or notebook uses that a TensorRT release does not have, and the script without them.

    Nothing of the script is executed, and no TensorRT is needed where a release is named.

    Args:
        source: Python source, or a path of a `.py` or `.ipynb` file.
        release: `10.8`, `11.4`, `rtx-1.7.1`; None for the TensorRT that is installed here.
        name: What to call source text in messages; a file goes by its own name.
        namespace: Objects that are there before the code runs, by name: of a notebook's cell what earlier cells made. Only the types of
            those that the code uses are looked at.

    Raises:
        InputError: The source cannot be read or is not Python 3, or `release` is not understood.
        MissingError: No release was named, and no TensorRT is installed here.
    """
    read = read_source(source, name=name)
    try:
        return _report(read, release, namespace or {})
    except RecursionError as error:
        raise InputError(f"{read.name} is nested too deep to be followed. Give the part that uses TensorRT.") from error


def _report(source: Source, release: str | None, namespace: Mapping[str, object]) -> CodeReport:
    given = _types_of(source, namespace)
    flow = Flow(source.tree, given)
    uses = flow.read()
    modules = (kind[1] for types in given.values() for kind in types if kind[0] == "module")
    imported = tuple(dict.fromkeys([*flow.imported, *modules]))
    uses_tensorrt = bool(imported or given)
    target = target_for(release, imported)
    verdicts = [
        verdict
        for use in uses.values()
        if (verdict := judge(use, target, imports=uses_tensorrt, own_names=flow.own_names)) is not None
    ]
    changed, changed_nodes = Rewriter(source, target, verdicts, flow.types).rewrite()
    found = _findings(source, target, verdicts, changed_nodes)
    return CodeReport(
        name=source.name,
        flavour=target.flavour,
        release=target.version,
        read_release=target.read.version,
        installed=target.installed,
        findings=tuple(finding for finding in found if not finding.guarded),
        guarded=tuple(finding for finding in found if finding.guarded),
        changed=changed,
        uses_tensorrt=uses_tensorrt,
        unread=source.unread,
    )


def _types_of(source: Source, namespace: Mapping[str, object]) -> dict[str, Types]:
    """Return the types of TensorRT's objects in a namespace, as far as the source names them, and TensorRT itself."""
    used = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    found = {
        name: of_object(value) for name, value in namespace.items() if name in used or isinstance(value, ModuleType)
    }
    return {name: types for name, types in found.items() if types}


def _findings(source: Source, target: Target, verdicts: list[Verdict], changed: set[int]) -> list[CodeFinding]:
    """Return the findings in the order of the script."""
    in_order = sorted(verdicts, key=lambda verdict: source.position(verdict.use.node))
    return [finding_of(verdict, source, target, mechanical=id(verdict.use.node) in changed) for verdict in in_order]
