"""TensorRT's messages without what does not belong to the reason: places in its source, and the driver that is missing."""

from __future__ import annotations

import re

# On a machine without a driver TensorRT appends this to errors that have nothing to do with it.
_CUDA_TAIL = re.compile(
    r"\n?(?:\[checkMacros[^\]]*\] )?Error Code \d+: Cuda Runtime \(In \w+ at [^\n]*cudaError 35\b[^\n]*"
)
_BARE_CUDA_TAIL = re.compile(r"\s*\(?cudaError 35\b.*$", re.DOTALL)
_INVALID_NODE = re.compile(r"^Invalid Node - [^\n]*\n")
_ERROR_CODE = r"Error Code \d+: [A-Za-z][\w ]*? \((?P<inner>.*)\)\s*$"
_SOURCE = re.compile(r"\s*\bIn (?:\w|[~<>:,* ]|operator\(\))+(?:\(\))? at /?[\w./-]+:\d+")


def clean_message(text: str) -> str:
    """Return a parser's or builder's message without the driver's tail and without the line that repeats the node."""
    text = _CUDA_TAIL.sub("", text)
    text = _BARE_CUDA_TAIL.sub("", text)
    return _INVALID_NODE.sub("", text).strip()


def without_places(text: str) -> str:
    """Return a text without the places in TensorRT's source that its messages end with."""
    return _SOURCE.sub("", text).strip()


def first_sentence(text: str) -> str:
    """Return TensorRT's reason on one line: what its brackets hold, without the places in its source."""
    text = clean_message(text)
    # One line a message as a rule; Myelin's own run over several.
    inner = re.search(_ERROR_CODE, text, re.MULTILINE) or re.search(_ERROR_CODE, text, re.DOTALL)
    reason = _SOURCE.sub("", inner["inner"] if inner else text)
    return re.sub(r"\s+", " ", reason).strip()


def first_reason(text: str) -> str:
    """Return the reason of the first message that holds an error code, else of the first."""
    messages = text.split("\n")
    return first_sentence(
        next((message for message in messages if re.search(r"Error Code \d+: [A-Z]", message)), messages[0])
    )
