"""What the worker can do with a model for the graph panel. Called through `trtlab.worker`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtlab.model.actions import loaded_model

if TYPE_CHECKING:
    from trtlab.worker.context import ActionContext


def graph(context: ActionContext) -> dict[str, Any]:
    """Return the graph of the loaded model: `GraphDocument` as a dictionary."""
    from trtlab.model.graph_document import collect_graph

    return collect_graph(loaded_model(context)).to_dict()
