"""What the worker can do with a model for the graph panel. Called through `trtlab.worker`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtlab.model.actions import loaded_model

if TYPE_CHECKING:
    from trtlab.model.node_details import NodeLookup
    from trtlab.worker.context import ActionContext

_LOOKUP_KEY = "node_lookup"


def graph(context: ActionContext) -> dict[str, Any]:
    """Return the graph of the loaded model: `GraphDocument` as a dictionary."""
    from trtlab.model.graph_document import collect_graph

    return collect_graph(loaded_model(context)).to_dict()


def node_details(context: ActionContext, *, number: int) -> dict[str, Any]:
    """Return what the loaded model says of a node: `NodeDetails` as a dictionary.

    Args:
        context: Where the model is kept, and what was found out about it once.
        number: Number of the node.

    Raises:
        InputError: There is no node of this number.
    """
    from trtlab.model.node_details import NodeLookup

    file = loaded_model(context)
    lookup: NodeLookup | None = context.state.get(_LOOKUP_KEY)
    if lookup is None or not lookup.is_of(file):
        lookup = context.state[_LOOKUP_KEY] = NodeLookup(file)
    return lookup.details(number).to_dict()


def arithmetic(context: ActionContext, *, sizes: dict[str, int] | None = None) -> dict[str, Any]:
    """Estimate the multiply-adds of each node of the loaded model; return `Arithmetic` as a dictionary.

    Args:
        context: Where the model is kept.
        sizes: Sizes for what the model's inputs leave open, by name; those that are not given are 1.
    """
    from trtlab.model.arithmetic import estimate_arithmetic

    return estimate_arithmetic(loaded_model(context), sizes=sizes).to_dict()
