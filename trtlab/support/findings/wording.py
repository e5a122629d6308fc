"""How findings name several tensors and nodes at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trtlab._format import shorten_middle

if TYPE_CHECKING:
    from trtlab.support.findings.model_facts import Node

# The release whose parser and builder were asked, again and again, while these rules were written.
SEEN = "TensorRT-RTX 1.7.1"
_MOST_NAMED = 3
_LONGEST = 120


def quoted(name: str) -> str:
    """Return a name as it stands in a sentence."""
    return f"'{shorten_middle(name)}'"


def listed(names: Sequence[str], *, quote: bool = True) -> str:
    """Return the first three names and how many follow: `'a', 'b', 'c' and 12 more`. Repeated names are said once."""
    different = list(dict.fromkeys(names))
    shown = [quoted(name) if quote else shorten_middle(name, _LONGEST) for name in different[:_MOST_NAMED]]
    more = len(different) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def nodes_listed(nodes: Iterable[Node]) -> str:
    """Return the first three nodes as a person would call them, and how many follow."""
    return listed([node.label for node in nodes], quote=False)
