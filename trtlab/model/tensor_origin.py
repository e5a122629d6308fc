"""Where the values of a tensor come from, through subgraphs and calls of local functions. Runs in the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtlab.model.description import Dimension
from trtlab.model.node_description import TensorSource
from trtlab.model.walk import Scope, names_read, node_reference

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

_MOST_VISITED = 500
_MOST_ROOTS = 3
RANDOM_OPERATORS = frozenset(
    {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"}
)
SHAPE_READERS = frozenset({"Shape", "Size"})


@dataclass(frozen=True)
class Origin:
    """A tensor at one place: a name, the graph or function in which it is read, and the calls that lead there.

    After `TensorOrigins.trace`, `name` and `scope` are those of the place where it is made or declared.
    """

    name: str
    scope: Scope
    calls: tuple[tuple[NodeProto, Scope], ...] = ()
    source: TensorSource = "missing"
    tensor: TensorProto | None = None
    node: NodeProto | None = None
    label: str = ""


@dataclass(frozen=True)
class Ancestry:
    """What the values of a tensor depend on: constants alone (`foldable`), or inputs of the model."""

    foldable: bool
    roots: tuple[str, ...]


class TensorOrigins:
    """Traces tensors of one model.

    Args:
        shape_of: Returns the shape of a tensor in a graph, None if it is unknown.
    """

    def __init__(self, shape_of: Callable[[str, Scope], tuple[Dimension, ...] | None]) -> None:
        self._shape_of = shape_of
        self._initializers: dict[int, dict[str, TensorProto]] = {}

    def trace(self, asked: Origin) -> Origin:
        """Return where a tensor is made or declared."""
        name, scope, calls = asked.name, asked.scope, asked.calls
        while True:
            found = self._in_scope(name, scope, calls)
            if found is not None:
                return found
            position = _position(name, scope)
            if position is not None and not hasattr(scope.body, "initializer"):  # an input of a function
                if not calls or position >= len(calls[-1][0].input) or not calls[-1][0].input[position]:
                    return Origin(name, scope, calls)
                call, caller = calls[-1]
                name, scope, calls = call.input[position], caller, calls[:-1]
            elif position is not None:
                return Origin(name, scope, calls, "body" if scope.parent else "input")
            elif scope.parent is None:
                return Origin(name, scope, calls)
            else:
                scope = scope.parent

    def ancestry(self, origin: Origin) -> Ancestry:
        """Return what the values of a traced tensor depend on."""
        waiting, visited, roots, foldable = [origin], set[tuple[str, str, int]](), list[str](), True
        while waiting:
            here = waiting.pop()
            key = (here.scope.path, here.name, len(here.calls))
            if key in visited:
                continue
            visited.add(key)
            if len(visited) > _MOST_VISITED:
                return Ancestry(False, tuple(roots[:_MOST_ROOTS]))
            if here.source == "input":
                roots.append(here.name)
            if here.node is not None and not self._is_known_shape(here):
                foldable &= here.node.op_type not in RANDOM_OPERATORS
                names = sorted(names_read(here.node), reverse=True)
                waiting += [self.trace(Origin(name, here.scope, here.calls)) for name in names]
            foldable &= here.source not in ("input", "body", "missing")
        return Ancestry(foldable, tuple(roots[:_MOST_ROOTS]))

    def _is_known_shape(self, origin: Origin) -> bool:
        """Whether a node reads only the shape of a tensor, and the model says it."""
        node = origin.node
        if node is None or node.op_type not in SHAPE_READERS or not node.input:
            return False
        shape = self._shape_of(node.input[0], origin.scope)
        return shape is not None and all(isinstance(size, int) for size in shape)

    def _in_scope(self, name: str, scope: Scope, calls: tuple[tuple[NodeProto, Scope], ...]) -> Origin | None:
        tensor = self._held(scope).get(name)
        if tensor is not None:
            return Origin(name, scope, calls, "initializer", tensor)
        index = scope.makers.get(name)
        if index is None:
            return None
        node = scope.body.node[index]
        label = node_reference(node, index, scope.path).label
        if node.op_type == "Constant":
            held = next((item.t for item in node.attribute if item.name == "value"), None)
            return Origin(name, scope, calls, "constant", held, None, label)
        return Origin(name, scope, calls, "node", None, node, label)

    def _held(self, scope: Scope) -> dict[str, TensorProto]:
        key = id(scope.body)
        if key not in self._initializers:
            self._initializers[key] = {tensor.name: tensor for tensor in getattr(scope.body, "initializer", ())}
        return self._initializers[key]


def _position(name: str, scope: Scope) -> int | None:
    """Return which input of a graph or function a name is."""
    names = [value if isinstance(value, str) else value.name for value in scope.body.input]
    return names.index(name) if name in names else None
