"""Recognise what the ONNX parser refused, from its errors and what it wrote beside them."""

from __future__ import annotations

import re

from trtlab._engine_results import ParserError
from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy
from trtlab.model.description import ModelDescription

OPERATORS_PAGE = "https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md"
_CUDA_TAIL = re.compile(r"\s*(?:In \w+ at \S+ )?\(?cudaError 35\b.*$", re.DOTALL)
_ASSERTION = re.compile(r'^(?:Assertion failed: )?(?P<condition>.*?)(?:\s*&&\s*"(?P<reason>[^"]*)")?\s*$', re.DOTALL)


def diagnose_parse(errors: tuple[ParserError, ...], model: ModelDescription | None) -> tuple[Diagnosis, ...]:
    """Return one diagnosis for each error of the parser, in its order."""
    return tuple(_diagnose(error, model) for error in errors)


def _diagnose(error: ParserError, model: ModelDescription | None) -> Diagnosis:
    text = error.text
    if "Plugin not found" in text:
        return _plugin_missing(error, model)
    if (
        "Failed to convert ONNX da" in text
        or error.code == "UNSUPPORTED_NODE_DATATYPE"
        or "Unsupported data type" in text
    ):
        return _dtype(error, model)
    if error.code == "MODEL_DESERIALIZE_FAILED":
        return _case(error, "parse.invalid_model", "TensorRT cannot read the file as an ONNX model", _reason(text))
    if error.code == "UNSUPPORTED_NODE_SHAPE" or re.search(
        r"reshape would change volume|broadcast|dimension|shape", text, re.IGNORECASE
    ):
        remedy = Remedy("Look at the shapes of this node's inputs: the check step and a viewer show them.")
        return _case(error, "parse.shape", f"Shapes that do not fit at {_node(error)}", _reason(text), remedy)
    if error.code == "MEM_ALLOC_FAILED":
        remedy = Remedy("Free memory, or build on a machine with more.")
        return _case(error, "build.out_of_memory", "The parser ran out of memory", _reason(text), remedy)
    return _unsupported(error)


def _unsupported(error: ParserError) -> Diagnosis:
    reason = _reason(error.text)
    operator = error.operator or "this operator"
    if reason in ("", "false"):
        title = f"TensorRT has no {operator}"
        why = f"The parser knows {operator} only to refuse it; its own reason is the one word 'false'."
    else:
        title = f"TensorRT does not take {_node(error)}"
        why = f"The parser's condition failed: {reason}"
    remedies = (
        Remedy(f"Replace {operator} by operators that TensorRT has, in the model's source or in the ONNX file."),
        Remedy(
            "Run only this part outside TensorRT: cut the model there, or use ONNX Runtime, which does that by itself."
        ),
        Remedy("See which operators and types are supported.", OPERATORS_PAGE),
    )
    return _case(error, "parse.unsupported_node", title, why, *remedies)


def _plugin_missing(error: ParserError, model: ModelDescription | None) -> Diagnosis:
    operator = error.operator or "this operator"
    why = (
        f"TensorRT has no importer for {operator}, so it looked for a plugin of that name, and none is registered. "
        "The message speaks of plugins, but the operator itself is what is not supported."
    )
    known_domains = sorted(filter(None, model.opsets)) if model else []
    evidence = f"The model imports the domains {', '.join(known_domains)}." if known_domains else ""
    causes = (
        Cause("The operator is a custom one, and the library with its plugin is not loaded.", evidence),
        Cause("The operator's name or domain is misspelt, or the exporter wrote an operator of its own."),
    )
    remedies = (
        Remedy("If it is your own operator: build a TensorRT plugin of that name and load its library before parsing."),
        Remedy(
            "If it comes from the exporter: export again with standard operators only (a newer opset often has them)."
        ),
    )
    return _case(error, "parse.plugin_missing", f"TensorRT does not know {_node(error)}", why, *remedies, causes=causes)


def _dtype(error: ParserError, model: ModelDescription | None) -> Diagnosis:
    found = re.search(r"Unsupported ONNX data type: (\w+)", error.output)
    dtype = found[1].lower() if found else ""
    if model and error.tensor and not dtype:
        dtype = next((tensor.dtype for tensor in model.inputs if tensor.name == error.tensor), "")
    subject = f"input '{error.tensor}'" if error.tensor else _node(error)
    title = (
        f"TensorRT does not take the type {dtype} of {subject}"
        if dtype
        else f"A data type of {subject} is not supported"
    )
    remedy = Remedy(
        "Change the type in the model: float32, float16, int32, int64, bool and uint8 are taken as inputs; cast inside if need be."
    )
    return _case(error, "parse.dtype", title, _reason(error.text), remedy)


def _case(
    error: ParserError, identifier: str, title: str, why: str, *remedies: Remedy, causes: tuple[Cause, ...] = ()
) -> Diagnosis:
    return Diagnosis(
        id=identifier,
        title=title,
        place=Place("parse", error.node_name, error.operator, error.tensor, "/".join(error.scope)),
        why=why,
        causes=causes,
        remedies=remedies,
        tensorrt_code=error.code,
        original="\n".join(filter(None, (error.text, error.source, error.output))),
    )


def _node(error: ParserError) -> str:
    if error.node_name:
        return f"node '{error.node_name}' ({error.operator or 'unknown operator'})"
    if error.node_index >= 0:
        return f"node #{error.node_index} ({error.operator or 'unknown operator'})"
    return error.operator or "the model"


def _reason(text: str) -> str:
    """Return the readable part of a parser message: the quoted reason of an assertion if it has one, no CUDA tail."""
    text = _CUDA_TAIL.sub("", text).strip()
    match = _ASSERTION.match(text)
    if match and match["reason"]:
        return match["reason"]
    return match["condition"].strip() if match else text
