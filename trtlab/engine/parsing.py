"""Parse an ONNX model into a TensorRT network, and read every error of the parser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trtlab._engine_results import NetworkTensor, ParserError
from trtlab.engine.flavour import Flavour
from trtlab.model.reading import Content, ModelFile

if TYPE_CHECKING:
    from onnx import GraphProto


class ParsedNetwork:
    """A network and what must live as long as it: builder and parser. Released in the order that TensorRT needs.

    Args:
        flavour: The TensorRT.
        strongly_typed: Whether the network takes its types from the model.
        parser_logger: What the parser logs to, which must outlive it; None: the flavour's logger, as the builder does.
    """

    def __init__(self, flavour: Flavour, *, strongly_typed: bool, parser_logger: Any = None) -> None:  # noqa: ANN401 - ILogger
        module = flavour.module
        self.flavour = flavour
        self.builder = module.Builder(flavour.logger)
        # A network that only the parser refers to is freed under it; both are kept here.
        self.network = self.builder.create_network(network_flags(module, strongly_typed=strongly_typed))
        self.parser = module.OnnxParser(self.network, parser_logger or flavour.logger)

    def parse(self, file: ModelFile) -> bool:
        """Parse; return whether the parser accepted the model."""
        return self.parse_content(file.content, str(file.path))

    def parse_content(self, content: Content, path: str) -> bool:
        """Parse a serialized model; the path tells the parser where external data lie."""
        return bool(self.parser.parse(content, path))

    def release(self) -> None:
        """Free parser, network and builder, in that order."""
        self.parser = None
        self.network = None
        self.builder = None


def network_flags(module: ModuleType, *, strongly_typed: bool) -> int:
    """Return the creation flags: explicit batch where it still must be asked for, strong typing where it can be chosen."""
    members = getattr(module.NetworkDefinitionCreationFlag, "__members__", {})
    flags = 0
    # In TensorRT 10 the flag is still there, ignored and deprecated; only releases without strong typing need it.
    if "EXPLICIT_BATCH" in members and "STRONGLY_TYPED" not in members:
        flags |= 1 << int(members["EXPLICIT_BATCH"])
    if strongly_typed and "STRONGLY_TYPED" in members:
        flags |= 1 << int(members["STRONGLY_TYPED"])
    return flags


def read_errors(parser: Any, graph: GraphProto) -> Iterator[ParserError]:  # noqa: ANN401 - IParser
    """Return the errors of the last pass. Which facts one carries depends on the release; the missing ones stay empty.

    Args:
        parser: The parser.
        graph: The main graph of the model that it was given.
    """
    inputs = {value.name for value in graph.input}
    for number in range(parser.num_errors):
        error = parser.get_error(number)
        index = int(_ask(error, "node", -1))
        source_file, line, function = str(_ask(error, "file", "")), _ask(error, "line", 0), str(_ask(error, "func", ""))
        # For a refused input the parser puts the input's name where the file's name belongs.
        tensor = source_file if source_file in inputs else ""
        name, operator = str(_ask(error, "node_name", "")), str(_ask(error, "node_operator", ""))
        scope = _scope(error)
        if index >= 0 and not operator and not scope and index < len(graph.node):
            node = graph.node[index]
            name, operator = node.name, node.op_type
        yield ParserError(
            code=_code_name(error.code()),
            text=str(error.desc()),
            node_index=index,
            node_name=name,
            operator=operator,
            tensor=tensor,
            scope=scope,
            source=f"{os.path.basename(source_file)}:{line} {function}".strip(": "),  # noqa: PTH119 - a name, not a path here
        )


def _ask(error: Any, method: str, default: Any) -> Any:  # noqa: ANN401
    """Call a method of a parser error if this release has it. A name that is not UTF-8 counts as missing."""
    function = getattr(error, method, None)
    try:
        return default if function is None else function()
    except UnicodeDecodeError:
        return default


def _scope(error: Any) -> tuple[str, ...]:  # noqa: ANN401
    size = _ask(error, "local_function_stack_size", 0)
    return tuple(map(str, _ask(error, "local_function_stack", ()))) if size else ()


def _code_name(code: Any) -> str:  # noqa: ANN401 - a pybind11 enum member
    return str(getattr(code, "name", code))


def network_tensors(network: Any, *, kind: str) -> tuple[NetworkTensor, ...]:  # noqa: ANN401 - INetworkDefinition
    """Return the inputs (`kind="input"`) or outputs (`kind="output"`) of a network."""
    count, get = getattr(network, f"num_{kind}s"), getattr(network, f"get_{kind}")
    return tuple(_tensor(get(index)) for index in range(count))


def _tensor(tensor: Any) -> NetworkTensor:  # noqa: ANN401 - ITensor
    try:
        shape = tuple(int(size) for size in tensor.shape)
    except ValueError:  # "__len__() should return >= 0": the rank is unknown
        shape = ()
    return NetworkTensor(tensor.name, str(tensor.dtype).rpartition(".")[2].lower(), shape, bool(tensor.is_shape_tensor))
