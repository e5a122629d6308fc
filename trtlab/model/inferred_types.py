"""Types of all tensors of a model: those that it declares, and those that ONNX's shape inference finds. Runs in the worker."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtlab.model.light_copy import LightCopy
from trtlab.model.size_folding import infer_with_sizes
from trtlab.model.walk import Scope, scopes

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

    from trtlab.model.reading import ModelFile

_ONNX_ERRORS = (ValueError, RuntimeError, TypeError, AttributeError)
Sizes = Mapping[str, int]


class InferredTypes:
    """The types of the tensors of one model.

    Args:
        file: The model.
        sizes: None keeps sizes open that the model leaves open. A mapping puts a number for each of them: that of its name
            (`batch`; `x[0]` for one without a name), else 1.

    Attributes:
        assumed: The sizes that were put in.
    """

    def __init__(self, file: ModelFile, *, sizes: Sizes | None = None) -> None:
        self.assumed: dict[str, int] = {}
        self._types: dict[tuple[int, str], ValueInfoProto] = {}
        light = LightCopy(file.proto, file.path.parent, order=file.scopes[0].order)
        if sizes is not None:
            self._close_sizes(light.model, sizes)
        else:
            self._take_declared(file)
        # Paths are made of names, so several scopes may have one. Then nothing says which of them was meant.
        paths = Counter(scope.path for scope in file.scopes)
        numbers = {scope.path: number for number, scope in enumerate(file.scopes) if paths[scope.path] == 1}
        for path, value in _inferred(light, is_closed=sizes is not None):
            if path in numbers:
                self._take((numbers[path], value.name), value)

    def of(self, scope: int, name: str) -> ValueInfoProto | None:
        """Return the type of a tensor of a scope, None if it is unknown."""
        return self._types.get((scope, name))

    def _take_declared(self, file: ModelFile) -> None:
        for number, scope in enumerate(file.scopes):
            for value in _values(scope):
                self._take((number, value.name), value)

    def _take(self, key: tuple[int, str], value: ValueInfoProto) -> None:
        if not value.type.WhichOneof("value"):
            return
        known = self._types.get(key)
        if known is None or (known.type.HasField("tensor_type") and not known.type.tensor_type.HasField("shape")):
            self._types[key] = value

    def _close_sizes(self, model: ModelProto, sizes: Sizes) -> None:
        """Put numbers for the open sizes of a model's inputs; the others follow from them."""
        weights = {tensor.name for tensor in model.graph.initializer}
        for value in model.graph.input:
            if value.name in weights:
                continue
            for axis, size in enumerate(_sizes(value)):
                if size.HasField("dim_value") and size.dim_value >= 0:
                    continue
                name = size.dim_param or f"{value.name}[{axis}]"
                size.dim_value = self.assumed[name] = max(int(sizes.get(name, 1)), 0)
        # What the file says of the others can name sizes that have numbers now.
        kept = [value for value in model.graph.value_info if all(size.HasField("dim_value") for size in _sizes(value))]
        del model.graph.value_info[:]
        model.graph.value_info.extend(kept)
        for value in model.graph.output:
            if value.type.HasField("tensor_type"):
                value.type.tensor_type.ClearField("shape")


def _values(scope: Scope) -> Iterator[ValueInfoProto]:
    for values in (scope.body.value_info, scope.body.input, scope.body.output):
        for value in values:
            if not isinstance(value, str):  # a function's are names alone
                yield value


def _inferred(light: LightCopy, *, is_closed: bool) -> Iterator[tuple[str, ValueInfoProto]]:
    """Yield what shape inference finds, with the path of the scope."""
    import onnx

    declared = {size.dim_param for scope in scopes(light.model) for value in _values(scope) for size in _sizes(value)}
    with contextlib.suppress(onnx.shape_inference.InferenceError, onnx.checker.ValidationError, *_ONNX_ERRORS):
        inferred = (
            infer_with_sizes(light.model)
            if is_closed
            else onnx.shape_inference.infer_shapes(light.model, data_prop=True)
        )
        for scope in scopes(inferred):
            # Paths are made of the nodes' names, and those are others in the copy.
            if scope.nodes:
                path = light.node_reference(scope.nodes[0]).scope
                for value in _values(scope):
                    for size in _sizes(value):
                        if size.dim_param not in declared:
                            size.ClearField("dim_param")  # a name that inference made up says nothing
                    yield path, value


def _sizes(value: ValueInfoProto) -> Sequence[Any]:
    """Return the sizes of a tensor; none for what is no tensor."""
    sizes: Sequence[Any] = value.type.tensor_type.shape.dim if value.type.HasField("tensor_type") else ()
    return sizes
