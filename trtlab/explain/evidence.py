"""Conclude more from the facts of a message: decode numbers, and decide what the message alone leaves open."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from trtlab.explain.catalog import Language
from trtlab.explain.diagnosis import Cause
from trtlab.explain.engine_files import kind_of_number, release_of_tag, tag_in_words
from trtlab.explain.operators import is_like_a_standard_operator
from trtlab.explain.wording import without_places

Facts = dict[str, str]
# A workspace is set in round numbers, and what a layer needs hardly ever is one.
_ROUND_BYTES = 1 << 28
# More than anybody gives to the workspace by habit.
_LARGE_BYTES = 1 << 31
_HIGHEST_SM_HEX = 0x1000


def completed_facts(
    identifier: str, facts: Mapping[str, str], message: str, *, version: str = "", has_driver: bool | None = None
) -> tuple[str, Facts]:
    """Return the diagnosis that the facts lead to, and the facts with what follows from them.

    Args:
        identifier: The diagnosis of the rule that fitted.
        facts: What the message says.
        message: The message.
        version: TensorRT's version, if it is known.
        has_driver: Whether there is an NVIDIA driver where the message comes from, if that is known.
    """
    found = dict(facts)
    reason = without_places(found.pop("reason", ""))
    if reason not in ("", "false"):  # the parser's own word for a check that failed says nothing to anybody
        found["reason"] = reason
    if version:
        found.setdefault("version", version)
    for name in ("compute_capability", "wanted_compute_capability"):
        if name in found:
            found[name] = compute_capability(found[name])
    if found.get("dtype", "").isdigit():
        found["dtype"] = ONNX_TYPES.get(int(found["dtype"]), found["dtype"])
    _decode_numbers(found)
    decide = _DECIDE.get(identifier)
    return (decide(found, message, has_driver) if decide else identifier), found


# Members of onnx.TensorProto.DataType, which the parser prints by number.
ONNX_TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool", 10: "float16",
    11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8e4m3fn",
    18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1", 24: "float8e8m0",
}  # fmt: skip


def _decode_numbers(facts: Facts) -> None:
    """Add what the numbers of a serialization error stand for, where that is known."""
    tag = release_of_tag(int(facts["wanted_version_tag"])) if facts.get("wanted_version_tag", "").isdigit() else None
    if tag is not None:
        facts["release"] = tag.releases
    kind = kind_of_number(int(facts["magic"])) if facts.get("magic", "").isdigit() else None
    if kind is not None:
        facts["file_kind"] = kind.name


def causes_from(identifier: str, facts: Mapping[str, str], *, language: Language) -> tuple[Cause, ...]:
    """Return what is known of this case beyond the catalog's causes, and how sure it is."""
    if identifier != "deserialize.version_mismatch":
        return ()
    tags = [facts[name] for name in ("wanted_version_tag", "version_tag") if facts.get(name, "").isdigit()]
    words = " ".join(filter(None, (tag_in_words(int(tag), language=language) for tag in tags)))
    if not words:
        return ()
    text = {"en": "What the serialization tags stand for.", "zh": "序列化标签对应的版本。"}
    return (Cause(text[language], words),)


def compute_capability(text: str) -> str:
    """Return a compute capability like 8.6, however TensorRT writes it: `0x806`, `86`, `SM_86`, `8.6`."""
    text = text.lower().removeprefix("sm").lstrip("_ ")
    if text.startswith("0x"):
        number = int(text, 16)
        return f"{number >> 8}.{number & 0xFF}" if number < _HIGHEST_SM_HEX else text
    if re.fullmatch(r"\d{2,3}[af]?", text):
        digits = text.rstrip("af")
        return f"{digits[:-1]}.{digits[-1]}"
    return text


def _no_importer(facts: Facts, message: str, has_driver: bool | None) -> str:
    """A missing plugin is TensorRT's word for every operator that it does not know; ONNX's own are not plugins."""
    del message, has_driver
    operator = (facts.get("operator") or facts.get("plugin", "")).strip("[]")
    if operator in ("NonZero", "Unique", "Compress"):
        return "parse.datadependent"
    if facts.get("domain", "") in ("", "ai.onnx") and is_like_a_standard_operator(operator):
        return "parse.unsupported_node"
    return "parse.plugin_missing"


def _no_runner(facts: Facts, message: str, has_driver: bool | None) -> str:
    del has_driver
    return (
        "parse.datadependent" if re.search(r"NonZero", facts.get("node", "") + message) else "build.no_implementation"
    )


def _driver(facts: Facts, message: str, has_driver: bool | None) -> str:
    del facts, message
    return "env.no_gpu" if has_driver is False else "env.driver_too_old"


_AT_RUN_TIME = re.compile(
    r"ExecutionContext|enqueue|readEngineFromArchive|[dD]eserialize|pycuda|cuMem|TensorRT-LLM|(?i:cuda failure)"
)


def _memory(facts: Facts, message: str, has_driver: bool | None) -> str:
    del has_driver
    size = facts.get("requested_bytes", "")
    if "resizePhysical" in message and size.isdigit() and int(size) % _ROUND_BYTES == 0:
        return "config.workspace"
    at_run_time = _AT_RUN_TIME.search(message)
    return "runtime.oom" if at_run_time else "build.out_of_memory"


# What a CUDA error that comes as a number only means for a TensorRT program; the catalog has a page for each number.
_CUDA_NUMBERS = {
    "build.out_of_memory": (2,),
    "env.driver_too_old": (35, 36, 218, 222, 803, 804),
    "env.no_gpu": (38, 100, 101),
    "env.unsupported_gpu": (209, 98),
    "env.cuda_mismatch": (3, 46, 127, 300, 500, 802, 999),
    "runtime.stream_sync": (201, 400, 709, *range(900, 911)),
    "runtime.binding_address": (1, 17, 21),
}


def _cuda(facts: Facts, message: str, has_driver: bool | None) -> str:
    number = int(facts.get("cuda_error", "700"))
    found = next((name for name, numbers in _CUDA_NUMBERS.items() if number in numbers), "runtime.cuda_illegal_access")
    if found == "env.driver_too_old":
        return _driver(facts, message, has_driver)
    return _memory(facts, message, has_driver) if found == "build.out_of_memory" else found


_MEBIBYTE = 1 << 20
_REQUESTED = re.compile(r"requested size of (\d+)")
_AVAILABLE = re.compile(r"Available: (\d+) ?MB")


def _workspace(facts: Facts, message: str, has_driver: bool | None) -> str:
    """Tactics that were skipped for want of memory: the workspace's limit where little was asked for, else the GPU's memory."""
    del has_driver
    available, requested = _AVAILABLE.search(message), _REQUESTED.search(message)
    size = int(available[1]) * _MEBIBYTE if available else 0
    if requested:
        # Up to TensorRT 8 the number counts MiB, from 9 on bytes; a workspace in bytes is never as small as a number of MiB.
        number = int(requested[1])
        size = number if number >= _MEBIBYTE else number * _MEBIBYTE
        facts["requested_bytes"] = str(size)
    return "build.out_of_memory" if size >= _LARGE_BYTES else "config.workspace"


_DECIDE: dict[str, Callable[[Facts, str, bool | None], str]] = {
    "parse.plugin_missing": _no_importer,
    "build.no_implementation": _no_runner,
    "env.driver_too_old": _driver,
    "build.out_of_memory": _memory,
    "config.workspace": _workspace,
    "runtime.cuda_illegal_access": _cuda,
}
