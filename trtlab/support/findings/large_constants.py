"""Constants whose size is a matter of its own. These are facts, not refusals.

Asked of TensorRT-RTX 1.7.1: an initializer of 2^31 elements and more parses; how it builds was not tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from trtlab._format import format_bytes, plural
from trtlab.model.description import Finding
from trtlab.model.reading import PROTOBUF_LIMIT_BYTES
from trtlab.model.tensor_rules import data_problem, tensor_bytes
from trtlab.support.findings.model_facts import ModelFacts
from trtlab.support.findings.wording import listed

_LARGE_BYTES = 512 << 20
_MOST_ELEMENTS = 2**31 - 1
_NEAR_THE_LIMIT = 0.9
# Below this, where constants stand makes no difference.
_NOTICEABLE_BYTES = 64 << 20
_SHOWN_NAME = "a tensor without a name"


def large_constant_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return constants that are very large, that stand in nodes, and a file that is nearly full."""
    large: list[tuple[str, int]] = []
    huge: list[str] = []
    total = in_nodes = 0
    for scope in facts.file.scopes:
        for tensor, index in scope.tensors:
            if data_problem(tensor) is not None:
                continue
            size = tensor_bytes(tensor)
            total += size
            in_nodes += size if index >= 0 else 0
            name = tensor.name or (
                scope.nodes[index].output[0] if index >= 0 and scope.nodes[index].output else _SHOWN_NAME
            )
            if size > _LARGE_BYTES:
                large.append((name, size))
            if math.prod(tensor.dims) > _MOST_ELEMENTS:
                huge.append(name)
    if large:
        name, size = max(large, key=lambda item: item[1])
        text = (
            f"{plural(len(large), 'constant')} of more than {format_bytes(_LARGE_BYTES)}: {listed([item[0] for item in large])}, the "
            f"largest has {format_bytes(size)}. See that the host and the GPU have memory for it more than once while the engine is built."
        )
        yield Finding("support.large_constant", "info", text, tensor=name)
    if huge:
        text = (
            f"{plural(len(huge), 'constant')} of more than 2^31 - 1 elements: {listed(huge)}. Many kernels count in 32 bits. If the "
            "builder refuses it, split the tensor."
        )
        yield Finding("support.huge_constant", "info", text, tensor=huge[0])
    if in_nodes > _NOTICEABLE_BYTES and in_nodes > total / 2:
        text = (
            f"{format_bytes(in_nodes)} of the {format_bytes(total)} of weights stand in Constant nodes and not among the initializers. "
            "onnx.save leaves these in the file when it moves weights beside it, unless asked with convert_attribute=True."
        )
        yield Finding("support.constant_nodes", "info", text)
    size = len(facts.file.content)
    if size > _NEAR_THE_LIMIT * PROTOBUF_LIMIT_BYTES:
        text = (
            f"The file has {format_bytes(size)} of the 2 GiB that protobuf allows, so that tools which add to it cannot save it any more. "
            "Save the weights beside it: onnx.save(model, path, save_as_external_data=True)."
        )
        yield Finding("support.near_protobuf_limit", "info", text)
