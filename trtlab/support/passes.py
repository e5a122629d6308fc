"""What one pass of the parser, or one build, says about a model or a piece of one. Plain data of the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trtlab._engine_results import ParserError
from trtlab._results import Result

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class ImportedTensor:
    """An output of a node as TensorRT's network has it; -1 is an open size, `dtype` TensorRT's own word (`FLOAT`)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ImportedNode:
    """A node that the parser turned into layers."""

    name: str
    outputs: tuple[ImportedTensor, ...]


@dataclass(frozen=True)
class ParserPass:
    """What the parser made of a model in one pass.

    Attributes:
        accepted: Whether it took the whole model.
        errors: Its errors.
        imported: The nodes that it imported, those of branches, bodies and functions included, in its order.
        importing: Name of the node that it was importing when it stopped, the innermost; empty if it was at none. Some errors
            name no node.
    """

    accepted: bool
    errors: tuple[ParserError, ...] = ()
    imported: Sequence[ImportedNode] = ()
    importing: str = ""


@dataclass(frozen=True)
class BuildPass(Result):
    """What the builder made of a model.

    Attributes:
        built: Whether it made an engine.
        messages: Errors of its log, in order.
        parsed: False if the parser did not take it, so that the builder was not asked: a piece can lack what makes it whole.
        is_guess: Whether it was built with sizes made up for inputs whose values are sizes: a refusal then says nothing.
        has_made_up_sizes: Whether sizes were made up for tensors inside the model, which may not fit to each other.
    """

    built: bool
    messages: tuple[str, ...] = ()
    parsed: bool = True
    is_guess: bool = False
    has_made_up_sizes: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the builder was asked with everything that it needs, and made none."""
        return self.parsed and not self.built and not self.is_guess


class Survey(Protocol):
    """TensorRT as a survey needs it. `engine` implements this; everything else of a survey is free of TensorRT."""

    def parse(self, model: ModelProto) -> ParserPass:
        """Have the parser look at a model."""
        ...

    def build(self, model: ModelProto) -> BuildPass:
        """Have the parser and the builder make an engine of a model, and forget the engine."""
        ...


class TensorRt(Protocol):
    """The same of models that are serialized already."""

    def parse(self, model: ModelProto, content: bytes) -> ParserPass:
        """Have the parser look at a model."""
        ...

    def build(self, model: ModelProto, content: bytes) -> BuildPass:
        """Have the parser and the builder make an engine of a model, and forget the engine."""
        ...


Report = Callable[[str, int, int], None]
"""Told what a survey does now: a phase, how many of its steps are done, and how many there are (0: unknown)."""
