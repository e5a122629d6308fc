"""What the worker can do with a model for a check, without TensorRT. Called through `trtlab.worker`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtlab.model.actions import describe_value, loaded_model
from trtlab.model.node_list import list_nodes

if TYPE_CHECKING:
    from onnx import ModelProto

    from trtlab.worker.context import ActionContext


def nodes(context: ActionContext) -> dict[str, Any]:
    """Return all nodes of the loaded model: `NodeList` as a dictionary."""
    return list_nodes(loaded_model(context)).to_dict()


def findings(context: ActionContext) -> list[dict[str, Any]]:
    """Return what is known of the loaded model before any parse: findings as dictionaries."""
    from trtlab.support.findings import model_findings

    return [finding.to_dict() for finding in model_findings(loaded_model(context))]


def cut(context: ActionContext, *, numbers: list[int], path: str) -> dict[str, Any]:
    """Cut nodes out of the loaded model and save them as a model; return `CutModel` as a dictionary.

    Args:
        context: Where the model is kept.
        numbers: Numbers of the nodes.
        path: Where the new model goes; the file must not be there.
    """
    from trtlab.model.working_copy import WorkingCopy
    from trtlab.support.cutting import cut_model, positions_of

    file = loaded_model(context)
    copy = WorkingCopy(file)
    model = cut_model(copy, positions_of(copy, numbers), {}, file.path.parent)
    return save_cut(model, path)


def save_cut(model: ModelProto, path: str, *, message: str = "") -> dict[str, Any]:
    """Save a model that was cut out, whole or not at all; return `CutModel` as a dictionary."""
    from trtlab._errors import InputError, OutputExistsError
    from trtlab.build.files import temporary_path

    content = model.SerializeToString()
    temporary = temporary_path(Path(path))
    try:
        temporary.write_bytes(content)
        os.link(temporary, path)  # unlike a rename, this never replaces a file that came meanwhile
    except FileExistsError as error:
        raise OutputExistsError(f"{path} is there already. Give another name, or remove it first.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):  # where nothing can be written nothing is left
            temporary.unlink(missing_ok=True)
    return {
        "path": path,
        "file_bytes": len(content),
        "node_count": len(model.graph.node),
        "inputs": [describe_value(value).to_dict() for value in model.graph.input],
        "outputs": [describe_value(value).to_dict() for value in model.graph.output],
        "tensorrt_message": message,
    }
