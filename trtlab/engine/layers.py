"""Read the list of an engine's layers: from the builder's verbose log, or from the engine inspector's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from trtlab._engine_results import EngineLayer

# Between the ONNX names of one layer the inspector puts the record separator (ASCII 0x1E), the log nothing.
_ONNX_NODE = re.compile(r"\[ONNX Layer: (.*?)\](?=\s*\x1e?\s*(?:\[|$))", re.DOTALL)
# A name is free text of the model and can hold any of these words; what must follow them tells the real ones.
_LINE_HEAD = re.compile(r"^Name: (?P<name>.*?), LayerType: (?P<type>[\w ]*), Inputs: \[(?=\]| ?\{ Name: )", re.DOTALL)
# Between the stream and the metadata, jumps have their targets, signals and waits their event.
_STREAM = r", StreamId: -?\d+(?:, (?:EventId|JumpTarget\w*): .*?)*?, Metadata: "
_TAIL = re.compile(rf", Tactic(?:Name|Value): (?P<tactic>.*?){_STREAM}(?P<metadata>.*)$", re.DOTALL)
_METADATA = re.compile(_STREAM, re.DOTALL)
# What follows the bracket that ends a tensor; one inside a tensor's strides or format is passed over, in large steps.
_BEHIND = r",? ?[\],{]|$"
_TENSOR = re.compile(
    r"\{ Name: (?P<name>.*?)(?:, Location: \w+)?, Dimensions: \[(?P<shape>[^\]]*)\]"
    rf"(?P<rest>[^}}]*(?:\}}(?!{_BEHIND})[^}}]*)*)\}}(?={_BEHIND})",
    re.DOTALL,
)
_DATATYPE = re.compile(r"Datatype: (\w+)|Format/Datatype: ([^,}]+)")


def layers_from_log(messages: Iterable[str]) -> tuple[EngineLayer, ...]:
    """Return the layers that the builder's `Layers:` messages list. Lines of another form are left out."""
    layers = [_from_line(line) for message in messages for line in _layer_lines(message)]
    return tuple(layer for layer in layers if layer is not None)


def _layer_lines(message: str) -> list[str]:
    body = message.split("\n", 1)[1] if "\n" in message else ""
    # The layers end where the engine's bindings begin; names may hold line breaks, so lines are found by their beginning.
    body = re.split(r"\n\n(?:I/O Tensors|Bindings|Engine Metadata):", body, maxsplit=1)[0]
    lines: list[str] = []
    for piece in re.split(r"\n(?=Name: )", body.strip("\n")) if body.strip() else []:
        if lines and not _is_complete(lines[-1]):
            lines[-1] += "\n" + piece  # the name of an ONNX node holds a line that begins like a layer
        else:
            lines.append(piece)
    return lines


def _is_complete(line: str) -> bool:
    """Whether a layer's line has come to its end: the metadata are empty, or their last bracket is closed."""
    found = _METADATA.search(line)
    if found is None:
        return "StreamId" not in line and "TacticName" not in line  # a release that writes other lines
    metadata = line[found.end() :].strip()
    return not metadata or metadata.endswith("]")


def _from_line(line: str) -> EngineLayer | None:
    head = _LINE_HEAD.match(line)
    if head is None:
        return None
    tail = _TAIL.search(line, head.end())
    metadata = tail["metadata"] if tail else ""
    middle = line[head.end() : tail.start() if tail else len(line)]
    inputs, _, outputs = middle.partition("], Outputs: [")
    inputs = inputs.partition("], Constants: [")[0]
    return EngineLayer(
        name=head["name"],
        type=head["type"].strip(),
        onnx_nodes=onnx_nodes(metadata),
        inputs=_tensors_from_log(inputs),
        outputs=_tensors_from_log(outputs),
        tactic=tail["tactic"] if tail else "",
    )


def _tensors_from_log(text: str) -> tuple[str, ...]:
    def describe(match: re.Match[str]) -> str:
        datatype = _DATATYPE.search(match["rest"])
        kind = next((group for group in datatype.groups() if group), "") if datatype else ""
        return _tensor_text(match["name"], kind, match["shape"])

    return tuple(describe(match) for match in _TENSOR.finditer(text))


def _tensor_text(name: str, datatype: str, shape: str) -> str:
    return f"{name}: {datatype.strip() or 'unknown type'} [{shape.replace(',', ' x ')}]"


def onnx_nodes(metadata: str) -> tuple[str, ...]:
    """Return the ONNX node names in a layer's metadata, without repetitions, in order."""
    return tuple(dict.fromkeys(_ONNX_NODE.findall(metadata)))


def layers_from_inspector(text: str) -> tuple[EngineLayer, ...]:
    """Return the layers in the inspector's JSON. With little verbosity it gives bare names; the keys differ between releases."""
    document = json.loads(text)
    layers = document.get("Layers") if isinstance(document, dict) else None
    return tuple(_from_json(entry) for entry in layers) if isinstance(layers, list) else ()


def _from_json(entry: Any) -> EngineLayer:  # noqa: ANN401 - any JSON value
    if not isinstance(entry, dict):
        return EngineLayer(name=str(entry), type="")
    return EngineLayer(
        name=str(entry.get("Name", "")),
        type=str(entry.get("LayerType", "")),
        onnx_nodes=onnx_nodes(str(entry.get("Metadata", ""))),
        inputs=_tensors_from_json(entry.get("Inputs")),
        outputs=_tensors_from_json(entry.get("Outputs")),
        tactic=str(entry.get("TacticName") or entry.get("TacticValue") or ""),
    )


def _tensors_from_json(entries: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON value
    if not isinstance(entries, list):
        return ()
    return tuple(_tensor_from_json(entry) for entry in entries if isinstance(entry, dict))


def _tensor_from_json(entry: dict[str, Any]) -> str:
    kind = entry.get("Datatype") or entry.get("Format/Datatype") or ""
    sizes = entry.get("Dimensions")
    return _tensor_text(
        str(entry.get("Name", "")), str(kind), ",".join(map(str, sizes if isinstance(sizes, list) else ()))
    )
