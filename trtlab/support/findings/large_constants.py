"""Constants whose size is a matter of its own. These are facts, not refusals.

Asked of TensorRT-RTX 1.7.1: an initializer of 2^31 elements and more parses; how it builds was not tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

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


class _Size(NamedTuple):
    name: str
    bytes: int
    elements: int
    in_node: bool


def large_constant_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return constants that are very large, that stand in nodes, and a file that is nearly full."""
    stored = len(facts.file.content) + facts.file.external_data.tensor_bytes
    # Where nothing large is stored, nobody needs to measure thousands of small tensors.
    sizes = list(_sizes(facts)) if stored > _NOTICEABLE_BYTES else []
    yield from _large(sizes)
    in_nodes, total = sum(size.bytes for size in sizes if size.in_node), sum(size.bytes for size in sizes)
    if in_nodes > _NOTICEABLE_BYTES and in_nodes > total / 2:
        text = (
            f"{format_bytes(in_nodes)} of the {format_bytes(total)} of weights stand in Constant nodes and not among the initializers. "
            "onnx.save leaves these in the file when it moves weights beside it, unless asked with convert_attribute=True."
        )
        yield Finding("support.constant_nodes", "info", text)
    content = len(facts.file.content)
    if content > _NEAR_THE_LIMIT * PROTOBUF_LIMIT_BYTES:
        text = (
            f"The file has {format_bytes(content)} of the 2 GiB that protobuf allows, so that tools which add to it cannot save it any "
            "more. Save the weights beside it: onnx.save(model, path, save_as_external_data=True)."
        )
        yield Finding("support.near_protobuf_limit", "info", text)


def _sizes(facts: ModelFacts) -> Iterator[_Size]:
    for name, _, tensor, node in facts.constants:
        if data_problem(tensor) is None:
            yield _Size(name or _SHOWN_NAME, tensor_bytes(tensor), math.prod(tensor.dims), node is not None)


def _large(sizes: list[_Size]) -> Iterator[Finding]:
    large = [size for size in sizes if size.bytes > _LARGE_BYTES]
    if large:
        largest = max(large, key=lambda size: size.bytes)
        text = (
            f"{plural(len(large), 'constant')} of more than {format_bytes(_LARGE_BYTES)}: {listed([size.name for size in large])}, the "
            f"largest has {format_bytes(largest.bytes)}. See that the host and the GPU have memory for it more than once while the "
            "engine is built."
        )
        yield Finding("support.large_constant", "info", text, tensor=largest.name)
    huge = [size.name for size in sizes if size.elements > _MOST_ELEMENTS]
    if huge:
        text = (
            f"{plural(len(huge), 'constant')} of more than 2^31 - 1 elements: {listed(huge)}. Many kernels count in 32 bits. If the "
            "builder refuses it, split the tensor."
        )
        yield Finding("support.huge_constant", "info", text, tensor=huge[0])
