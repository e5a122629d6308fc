"""What stands in for tensors whose makers were cut out: inputs of the same type and shape, as far as these are known."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from trtlab.model.working_copy import TensorType, Unit, WorkingCopy
from trtlab.support.passes import ImportedTensor

# ONNX's numbers of TensorRT's types (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, TensorProto.DataType).
_ELEMENTS = {
    "FLOAT": 1, "UINT8": 2, "INT8": 3, "INT32": 6, "INT64": 7, "BOOL": 9, "HALF": 10, "BF16": 16, "FP8": 17, "INT4": 22, "FP4": 23,
}  # fmt: skip
_SIZE_ELEMENTS = (6, 7, 9)
_ASSUMED = TensorType(1, (None, None, None, None))
# What a tensor could be of which nothing is known (FLOAT, INT64, BOOL, HALF): no node minds all, unless it minds something else.
_POSSIBLE_ELEMENTS = (1, 7, 9, 10)
_POSSIBLE_RANKS = range(6)
_MOST_SIZES, _MOST_SIZES_OF_HEAVY = 6, 2
# Each try hands the weights of a unit to the parser.
_HEAVY_BYTES = 1 << 22


def shown_type(tensor: ImportedTensor) -> str:
    """Return TensorRT's type and shape of a tensor as text: `FLOAT [? x 16]`."""
    return f"{tensor.dtype} [{' x '.join('?' if size < 0 else str(size) for size in tensor.shape)}]"


@dataclass(frozen=True)
class Doubt:
    """Why a tensor is not exactly what the model has there.

    Attributes:
        kind: `shape`: nothing is known of its shape; `sizes`: some of its sizes are open; `values`: it should have been a constant.
        cause: Number of the refused node that it comes from, -1 for none.
        tensor: The tensor.
    """

    kind: Literal["shape", "sizes", "values", "dtype"]
    cause: int
    tensor: str


class StandIns:
    """The types that stand in for tensors, and how far they can be trusted.

    Args:
        copy: The model.
        takes_type: Asks the parser whether it takes an input of a type (by ONNX's number).

    Attributes:
        types: TensorRT's type and shape of a tensor where it imported its maker, else ONNX's, else an assumption.
        shown: TensorRT's own type and shape, as text.
        doubts: Tensors that are not certain.
        blocked: Tensors that nothing can stand in for, because TensorRT does not have their type.
    """

    def __init__(self, copy: WorkingCopy, takes_type: Callable[[int], bool]) -> None:
        self._copy, self._takes_type = copy, takes_type
        self.types: dict[str, TensorType] = {}
        self.shown: dict[str, str] = {}
        self.doubts: dict[str, Doubt] = {}
        self.blocked: dict[str, Doubt] = {}
        for number, made in copy.in_circle.items():
            for name in made:
                self.types[name] = copy.types.get(name) or _ASSUMED
                self.doubts[name] = Doubt("shape", number, name)

    def doubt_of(self, unit: Unit) -> Doubt | None:
        """Return why what a unit reads is not certain, None if it is; a doubt about values weighs most."""
        found = [self.doubts[name] for name in unit.reads if name in self.doubts]
        return next((doubt for doubt in found if doubt.kind == "values"), next(iter(found), None))

    def block_of(self, unit: Unit) -> Doubt | None:
        """Return why a unit cannot be looked at, None if it can."""
        return next((self.blocked[name] for name in unit.reads if name in self.blocked), None)

    def block(self, name: str) -> bool:
        """Note that TensorRT does not take a tensor; return whether that is new."""
        if name in self.blocked:
            return False
        self.blocked[name] = Doubt("dtype", -1, name)
        return True

    def take(self, unit: Unit, outputs: Iterable[ImportedTensor]) -> None:
        """Take over what TensorRT says of the outputs of a unit that it imported, and hand on what is uncertain."""
        for output in outputs:
            self._take_type(output)
        doubt = self.doubt_of(unit)
        if doubt is None:
            return
        for name in unit.outputs:
            if self._is_certain(name):
                self.types[name] = self._copy.types[name]
            else:
                self.doubts[name] = doubt

    def _take_type(self, output: ImportedTensor) -> None:
        inferred = self._copy.types.get(output.name)
        named = inferred.shape if inferred and len(inferred.shape) == len(output.shape) else (None,) * len(output.shape)
        shape = tuple(
            size if size >= 0 else name if isinstance(name, str) else None
            for size, name in zip(output.shape, named, strict=True)
        )
        if output.dtype in _ELEMENTS:
            self.types[output.name] = TensorType(_ELEMENTS[output.dtype], shape)
        self.shown[output.name] = shown_type(output)

    def _is_certain(self, name: str) -> bool:
        """Whether the model itself says a shape without an open size: then a doubt further up does not matter."""
        known = self._copy.types.get(name)
        return known is not None and known.is_static and self._takes_type(known.element)

    def cuts(self, units: Iterable[Unit]) -> set[str]:
        """Return the tensors between some units, in order, at which a doubt ends: they are taken as the model describes them."""
        doubtful, found = set(self.doubts), set[str]()
        for unit in units:
            if not doubtful.isdisjoint(unit.reads):
                certain = {name for name in unit.outputs if self._is_certain(name)}
                self.types.update({name: self._copy.types[name] for name in certain})
                found |= certain
                doubtful.update(name for name in unit.outputs if name not in certain)
        return found

    def replace_outputs(self, unit: Unit, cause: int) -> None:
        """Let something stand in for the outputs of a unit that is cut out."""
        for name in unit.outputs:
            known = self._copy.types.get(name)
            if known is not None and not self._takes_type(known.element):
                self.blocked[name] = Doubt("dtype", cause, name)
                continue
            self.types[name] = known or self._assumption(unit.reads)
            doubt = self._doubt_about(name, known, cause, is_constant=unit.is_constant)
            if doubt is not None:
                self.doubts[name] = doubt

    def _doubt_about(self, name: str, known: TensorType | None, cause: int, *, is_constant: bool) -> Doubt | None:
        if is_constant:
            return Doubt("values", cause, name)
        if known is None:
            return Doubt("shape", cause, name)
        is_exact = all(isinstance(size, int) or size in self._copy.symbols for size in known.shape)
        return None if is_exact else Doubt("sizes", cause, name)

    def replace_inside(
        self, unit: Unit, node_name: str, reads: Iterable[str], made: Iterable[str], cause: int
    ) -> dict[str, str] | None:
        """Let tensors from outside stand in for the outputs of a node in a branch or body.

        Returns:
            The name of the stand-in of each output; None where TensorRT does not have a type.
        """
        names: dict[str, str] = {}
        for place, name in enumerate(made):
            if not name:
                continue
            known = self._copy.types_inside.get(f"{node_name}:{place}")
            if known is not None and not self._takes_type(known.element):
                return None
            names[name] = stand_in = f"trtlab_from_{node_name}{place}"
            self.types[stand_in] = known or self._assumption(reads)
            doubt = self._doubt_about(stand_in, known, cause, is_constant=False)
            if doubt is not None:
                self.doubts[stand_in] = doubt
        unit.reads = (*unit.reads, *names.values())
        return names

    def _assumption(self, reads: Iterable[str]) -> TensorType:
        """Return what most operators that nobody knows give: a tensor like the first that they read, numbers before sizes."""
        known = [found for name in reads if (found := self.types.get(name) or self._copy.known_type(name)) is not None]
        taken = [item for item in known if self._takes_type(item.element)]
        return next((item for item in taken if item.element not in _SIZE_ELEMENTS), next(iter(taken), _ASSUMED))

    def hypotheses(self, unit: Unit) -> Iterator[dict[str, TensorType]]:
        """Yield the types with everything that is possible in the place of what is uncertain of what a unit reads."""
        uncertain = {name: self.doubts[name] for name in unit.reads if name in self.doubts}
        sizes: list[int | None] = [None, *self._sizes_around(unit, uncertain)]
        if any(doubt.kind == "shape" for doubt in uncertain.values()):
            possible = [(element, rank) for element in _POSSIBLE_ELEMENTS for rank in _POSSIBLE_RANKS]
        else:
            possible = [(0, -1)]
        for element, rank in possible:
            for size in sizes:
                yield {**self.types, **{name: self._variant(name, element, rank, size) for name in uncertain}}

    def _variant(self, name: str, element: int, rank: int, size: int | None) -> TensorType:
        before = self.types[name]
        if rank >= 0:
            return TensorType(element, (size,) * rank)
        return TensorType(before.element, tuple(known if isinstance(known, int) else size for known in before.shape))

    def _sizes_around(self, unit: Unit, uncertain: Container[str]) -> list[int]:
        """Return the sizes of what else a unit reads: what it needs to fit to them has one of these."""
        found = {1, 8}
        for name in unit.reads:
            weight = self._copy.initializers.get(name)
            known = self.types.get(name) or self._copy.known_type(name)
            sizes = weight.dims if weight is not None else known.shape if known and name not in uncertain else ()
            found.update(size for size in sizes if isinstance(size, int) and size > 0)
        most = _MOST_SIZES if self._copy.weight_bytes(unit) <= _HEAVY_BYTES else _MOST_SIZES_OF_HEAVY
        return sorted(found)[-most:]
