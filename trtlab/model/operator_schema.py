"""What ONNX's own definition of an operator says. Runs in the worker."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto
    from onnx.defs import OpSchema

    from trtlab.model.walk import Scope

_ONNX_ERRORS = (ValueError, RuntimeError, TypeError, AttributeError)


def schema_of(node: NodeProto, opset: int) -> OpSchema | None:
    """Return the definition of a node's operator in one version of its operator set, None if ONNX does not have it."""
    from onnx import defs

    domain = "" if node.domain == "ai.onnx" else node.domain
    with contextlib.suppress(defs.SchemaError, *_ONNX_ERRORS):
        return defs.get_schema(node.op_type, max_inclusive_version=max(opset, 1), domain=domain)
    return None


def role_of(formals: Sequence[OpSchema.FormalParameter], position: int) -> str:
    """Return ONNX's name of an input or output; none for those that an operator can have any number of."""
    from onnx.defs import OpSchema

    if position >= len(formals) or formals[position].option == OpSchema.FormalParameterOption.Variadic:
        return ""
    return str(formals[position].name)


def opset_of(node: NodeProto, scope: Scope, model: ModelProto) -> int:
    """Return the version of a node's operator set, 0 if the model does not import it. A function has imports of its own."""
    while scope.parent is not None:
        scope = scope.parent
    imports = getattr(scope.body, "opset_import", None) or model.opset_import
    domain = "" if node.domain == "ai.onnx" else node.domain
    return next((entry.version for entry in imports if entry.domain in (domain, domain or "ai.onnx")), 0)
