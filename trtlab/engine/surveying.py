"""TensorRT as a survey asks it: many passes over pieces of a model, each with what it imported and what it refused."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from trtlab.build.plan import ShapeRange
from trtlab.engine.flavour import Flavour
from trtlab.engine.logger import LogSink, make_progress_monitor
from trtlab.engine.parsing import ParsedNetwork, read_errors
from trtlab.support.passes import BuildPass, ImportedNode, ImportedTensor, ParserPass

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

    from trtlab.model.reading import Content
    from trtlab.worker.context import ActionContext

Sizes = tuple[int, int, int]
Values = Callable[[int], int]
# What sizes given as input values could be: all one, all nought, counted up, the first left open.
_VALUES: tuple[Values, ...] = (lambda _: 1, lambda _: 0, lambda place: place, lambda place: 1 if place else -1)
# Of what became an input where a model was cut, and has no name that says more.
_UNNAMED_SIZES: Sizes = (8, 8, 8)
# What the parser logs of a node that it imported: `conv0 [Conv] outputs: [c0 -> (-1, 16, 64, 64)[FLOAT]], `.
_IMPORTED = re.compile(r"(?P<name>.*) \[[^\[\]]*\] outputs: (?P<outputs>\[.*)", re.DOTALL)
_MARK, _BEGIN = "] outputs: [", "Parsing node: "
_OUTPUT = re.compile(r"\[(?P<name>.*?) -> \((?P<shape>[-\d, ]*)\)\[(?P<dtype>\w+)\]\], ", re.DOTALL)


class TensorRtSurvey:
    """TensorRT as a survey needs it (`trtlab.support.passes.TensorRt`).

    Args:
        flavour: The TensorRT.
        sink: Where its log goes.
        context: Says when to stop, and is told about the phases of a build.
        path: The model's file, beside which external data lie.
        sizes: Sizes (min, opt, max) of open dimensions, by an input's name with its axis (`x:0`) and by the dimension's name.
        values: Values (min, opt, max) of inputs whose values are sizes.
    """

    def __init__(
        self,
        flavour: Flavour,
        sink: LogSink,
        context: ActionContext,
        *,
        path: str,
        sizes: Mapping[str, Sizes] | None = None,
        values: Mapping[str, ShapeRange] | None = None,
    ) -> None:
        self._flavour, self._sink, self._context, self._path = flavour, sink, context, path
        self._sizes, self._values = sizes or {}, values or {}
        self._monitor = make_progress_monitor(flavour.module, context)
        self._lines: list[str] = []
        self._line_logger = _make_line_logger(flavour.module, self._lines)
        # TensorRT's own, which drops lines in C++: handing one to Python takes as long as the parser's work on it.
        self._quiet_logger = flavour.module.Logger(flavour.module.Logger.INTERNAL_ERROR)

    def parse(self, model: ModelProto, content: bytes) -> ParserPass:
        """Have the parser look at a piece of the model."""
        found, parsed = self.parse_content(content, model)
        parsed.release()
        return found

    def parse_whole(self, content: Content, model: ModelProto) -> tuple[ParserPass, ParsedNetwork]:
        """Have the parser look at the model as it is, which it mostly takes: what it imported then is found out when somebody asks."""
        accepted, parsed = self._parse(content, self._quiet_logger)
        if accepted:
            return ParserPass(True, imported=ImportedNodes(lambda: self._lines_about(content))), parsed
        parsed.release()
        return self.parse_content(content, model)

    def parse_content(self, content: Content, model: ModelProto) -> tuple[ParserPass, ParsedNetwork]:
        """Have the parser look at a serialized model; `model` is its message, which may lack the values of weights.

        Returns:
            What the parser says, and its network, which the caller releases.
        """
        self._lines.clear()
        accepted, parsed = self._parse(content, self._line_logger)
        lines = self._lines.copy()
        imported = ImportedNodes(lambda: lines)
        if accepted:
            return ParserPass(True, imported=imported), parsed
        try:
            errors = tuple(read_errors(parsed.parser, model.graph))
        except BaseException:
            parsed.release()
            raise
        return ParserPass(False, errors, imported, _importing(lines, imported)), parsed

    def _parse(self, content: Content, logger: Any) -> tuple[bool, ParsedNetwork]:  # noqa: ANN401 - ILogger
        self._context.raise_if_cancelled()
        with self._silenced():
            parsed = ParsedNetwork(self._flavour, strongly_typed=False, parser_logger=logger)
            try:
                return parsed.parse_content(content, self._path), parsed
            except BaseException:
                parsed.release()
                raise

    def _lines_about(self, content: Content) -> list[str]:
        """Parse a model that the parser takes once more, and return the lines about its nodes."""
        self._lines.clear()
        self._parse(content, self._line_logger)[1].release()
        return self._lines.copy()

    def build(self, model: ModelProto, content: bytes) -> BuildPass:
        """Have the parser and the builder make an engine of a piece, and forget it."""
        found, parsed = self.parse_content(content, model)
        try:
            if not found.accepted:
                return BuildPass(False, tuple(error.text for error in found.errors), parsed=False)
            return self.build_network(parsed, model)
        finally:
            parsed.release()

    def build_network(self, parsed: ParsedNetwork, model: ModelProto) -> BuildPass:
        """Have the builder make an engine of a parsed network, and forget it. `model` names its open dimensions.

        Where the network takes sizes as input values, which nobody has named, it is tried with several; if the builder takes none
        of them, that says nothing about the model.
        """
        has_values = any(item.is_shape_tensor and item.name not in self._values for item in _inputs(parsed.network))
        found = BuildPass(False)
        for values in _VALUES if has_values else _VALUES[:1]:
            found = self._build_once(parsed, model, values)
            if found.built:
                return found
        return replace(found, is_guess=has_values)

    def _build_once(self, parsed: ParsedNetwork, model: ModelProto, values: Values) -> BuildPass:
        self._context.raise_if_cancelled()
        with self._silenced():
            notes = self._sink.notes
            config = parsed.builder.create_builder_config()
            has_made_up = self._add_profile(parsed, config, model, values)
            if self._monitor is not None:
                config.progress_monitor = self._monitor
            engine = parsed.builder.build_serialized_network(parsed.network, config)
            built = engine is not None
            del engine, config
        self._context.raise_if_cancelled()
        return BuildPass(built, () if built else tuple(notes.errors), has_made_up_sizes=has_made_up)

    def _add_profile(self, parsed: ParsedNetwork, config: Any, model: ModelProto, values: Values) -> bool:  # noqa: ANN401
        """Add a profile if the network needs one; return whether it has sizes that nobody knows."""
        inputs = _inputs(parsed.network)
        dynamic = [item for item in inputs if -1 in tuple(item.shape)]
        valued = [item for item in inputs if item.is_shape_tensor and len(item.shape) <= 1]
        if not dynamic and not valued:
            return False
        has_made_up = False
        named = {value.name: value for value in model.graph.input}
        profile = parsed.builder.create_optimization_profile()
        for item in dynamic:
            sizes = [self._size(item.name, axis, size, named.get(item.name)) for axis, size in enumerate(item.shape)]
            profile.set_shape(item.name, *(tuple(size[which] for size in sizes) for which in range(3)))
            has_made_up |= any(size is _UNNAMED_SIZES for size in sizes)
        for item in valued:
            given = self._values.get(item.name)
            count = max(1, math.prod(size for size in item.shape if size > 0))
            made_up = [values(place) for place in range(count)]
            profile.set_shape_input(item.name, *((given.min, given.opt, given.max) if given else (made_up,) * 3))
        config.add_optimization_profile(profile)
        return has_made_up

    def _size(self, name: str, axis: int, size: int, described: ValueInfoProto | None) -> Sizes:
        if size >= 0:
            return size, size, size
        dimensions = described.type.tensor_type.shape.dim if described is not None else ()
        symbol = dimensions[axis].dim_param if axis < len(dimensions) else ""
        return self._sizes.get(f"{name}:{axis}") or self._sizes.get(symbol) or _UNNAMED_SIZES

    @contextlib.contextmanager
    def _silenced(self) -> Iterator[None]:
        """Keep TensorRT's messages out of the log, which hundreds of passes would fill; the notes are the block's own."""
        report, notes = self._sink.report, self._sink.notes
        self._sink.begin()
        self._sink.report = lambda *_: None
        try:
            yield
        finally:
            self._sink.report, self._sink.notes = report, notes


def _make_line_logger(module: Any, lines: list[str]) -> Any:  # noqa: ANN401 - a TensorRT module and its logger
    """Return a logger for parsers that keeps the lines about imported nodes, and nothing else."""

    def take(severity: Any, msg: str) -> None:  # noqa: ANN401
        del severity
        if _MARK in msg or msg.startswith(_BEGIN):
            lines.append(msg)

    class LineLogger(module.ILogger):  # type: ignore[misc]
        """Keeps lines."""

        log = staticmethod(take)

        def __init__(self) -> None:
            module.ILogger.__init__(self)

    return LineLogger()


def _inputs(network: Any) -> list[Any]:  # noqa: ANN401 - INetworkDefinition and ITensor
    return [network.get_input(index) for index in range(network.num_inputs)]


class ImportedNodes(Sequence[ImportedNode]):
    """The nodes that some lines of the log tell of. Of a model that is taken as it is nobody may ever ask, so these are read late."""

    def __init__(self, lines: Callable[[], list[str]]) -> None:
        self._lines = lines

    @cached_property
    def _nodes(self) -> tuple[ImportedNode, ...]:
        return tuple(_imported(self._lines()))

    @overload
    def __getitem__(self, index: int) -> ImportedNode: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ImportedNode]: ...

    def __getitem__(self, index: int | slice) -> ImportedNode | Sequence[ImportedNode]:
        return self._nodes[index]

    def __len__(self) -> int:
        return len(self._nodes)


def _imported(lines: list[str]) -> Iterator[ImportedNode]:
    for line in lines:
        found = None if line.startswith(_BEGIN) else _IMPORTED.fullmatch(line)
        if found:
            yield ImportedNode(found["name"], tuple(_tensor(item) for item in _OUTPUT.finditer(found["outputs"])))


def _importing(lines: list[str], imported: Sequence[ImportedNode]) -> str:
    """Return the node that was begun last and never ended."""
    ended = Counter(node.name for node in imported)
    for line in reversed(lines):
        if line.startswith(_BEGIN):
            name = line.removeprefix(_BEGIN).rpartition(" [")[0]
            if not ended[name]:
                return name
            ended[name] -= 1
    return ""


def _tensor(found: re.Match[str]) -> ImportedTensor:
    shape: Any = (int(size) for size in found["shape"].split(",") if size.strip())
    return ImportedTensor(found["name"], found["dtype"], tuple(shape))
