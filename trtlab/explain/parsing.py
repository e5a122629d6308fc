"""Recognise what the ONNX parser refused, from its errors and what it wrote beside them."""

from __future__ import annotations

import re

from trtlab._engine_results import ParserError
from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy
from trtlab.explain.wording import clean_message, first_sentence
from trtlab.model.description import ModelDescription

OPERATORS_PAGE = "https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md"
# `Assertion failed: condition: reason` of the importers, `condition && "reason"` of the static checks.
_QUOTED_REASON = re.compile(r'&&\s*"(?P<reason>.*)"\s*$', re.DOTALL)
_ASSERTION = re.compile(r"^Assertion failed: (?P<condition>.*?): (?P<reason>\S.*)$", re.DOTALL)

_CONSTANT_WORDS = (
    r"must resolve to a build-time constant|\bis not a constant\b|(?:must be|as) an initializer|is a shape tensor and must|"
    r"dynamic shape is not supported for weights"
)
_TYPE_WORDS = (
    r"Failed to convert ONNX da|[Uu]nsupported (?:data |input )?type\b|has type \w+ but must have|requires inputs with type|"
    r"does not support UINT8|current input type is|only supports .*types? for"
)
_SHAPE_WORDS = (
    r"Shape Error|changes? volume|broadcast|rank of operands|number of dimensions|must have the same (?:shape|dimensions)|but must match|"
    r"chunk size is negative|is required to be \dD|dimensions? (?:do|does) not match"
)
# What a reason says, the id, and a title ({node}: the node in words). The first that fits counts.
_RULES: tuple[tuple[str, str, str], ...] = (
    (r"(?i)plugin\b.*\bnot (?:be )?found|failed to load \w+ plugin", "parse.plugin_missing", ""),
    (
        _CONSTANT_WORDS,
        "parse.datadependent",
        "{node} needs a constant where the model computes a value",
    ),
    (
        _TYPE_WORDS,
        "parse.dtype",
        "",
    ),
    (
        _SHAPE_WORDS,
        "parse.shape",
        "Shapes that do not fit at {node}",
    ),
    (
        r"Error Code \d+: Internal Error \((?!Parameter check)|Assertion .+ failed\.",
        "parse.internal_error",
        "TensorRT met a fault of its own at {node}",
    ),
)
_REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "parse.datadependent": (
        Remedy(
            "Fold the constants of the model; if the value follows from shapes and weights alone, that is enough.",
            "polygraphy surgeon sanitize --fold-constants model.onnx -o folded.onnx",
        ),
        Remedy("Otherwise write the value into the model as an initializer, in its source or in the ONNX file."),
    ),
    "parse.shape": (Remedy("Look at the shapes of this node's inputs: the check step and a viewer show them."),),
    "parse.internal_error": (
        Remedy("Look at the findings of the check step first: a model that is invalid can lead here."),
        Remedy("Try another release, or write this part of the model differently, and report it to NVIDIA."),
    ),
}


def diagnose_parse(errors: tuple[ParserError, ...], model: ModelDescription | None) -> tuple[Diagnosis, ...]:
    """Return one diagnosis for each error of the parser, in its order."""
    return tuple(_diagnose(error, model) for error in errors)


def _diagnose(error: ParserError, model: ModelDescription | None) -> Diagnosis:
    if error.code == "MODEL_DESERIALIZE_FAILED":
        return _case(
            error, "parse.invalid_model", "TensorRT cannot read the file as an ONNX model", _reason(error.text)
        )
    if error.code == "MEM_ALLOC_FAILED":
        remedy = Remedy("Free memory, or build on a machine with more.")
        return _case(error, "build.out_of_memory", "The parser ran out of memory", _reason(error.text), remedy)
    if error.code == "INVALID_GRAPH":
        return _invalid_graph(error)
    for pattern, identifier, title in _RULES:
        if identifier == "parse.dtype" and error.code == "UNSUPPORTED_NODE_DATATYPE":
            return _dtype(error, model)
        if not re.search(pattern, clean_message(error.text), re.DOTALL):
            continue
        if identifier == "parse.plugin_missing":
            return _plugin_missing(error, model)
        if identifier == "parse.dtype":
            return _dtype(error, model)
        words = _sentence(title.format(node=node_in_words(error)))
        return _case(error, identifier, words, _reason(error.text), *_REMEDIES[identifier])
    return _unsupported(error)


def _invalid_graph(error: ParserError) -> Diagnosis:
    remedy = Remedy("Run the check step: it names every tensor and every circle. Then export the model again.")
    if "not registered" in error.text:
        title = f"{_sentence(node_in_words(error))} reads a tensor that nothing makes"
        why = "No input, initializer or node before it has the name of one of its inputs. Most likely a weight is missing."
    elif "topologically" in error.text:
        title = "The nodes of the graph feed each other in a circle"
        why = "TensorRT found no order in which they could run."
    else:
        title, why = "The graph of the model is not valid", _reason(error.text)
    return _case(error, "parse.invalid_model", title, why, remedy)


def _unsupported(error: ParserError) -> Diagnosis:
    reason = _reason(error.text)
    operator = error.operator or "this operator"
    if reason in ("", "false"):
        title = f"TensorRT has no {operator}"
        why = f"The parser knows {operator} only to refuse it; its own reason is the one word 'false'."
    else:
        title = f"TensorRT does not take {node_in_words(error)}"
        why = reason
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
        f"TensorRT has no importer of its own for {operator}, so it looked for a plugin, and none is registered. "
        "The message speaks of plugins, but it is the operator that is not supported here."
    )
    known_domains = sorted(filter(None, model.opsets)) if model else []
    evidence = f"The model imports the domains {', '.join(known_domains)}." if known_domains else ""
    causes = (
        Cause("The operator is a custom one, and the library with its plugin is not loaded.", evidence),
        Cause("The operator's name or domain is misspelt, or the exporter wrote an operator of its own."),
        Cause("The operator is a standard one that only the full TensorRT's plugin library has, not TensorRT-RTX."),
    )
    remedies = (
        Remedy("If it is your own operator: build a TensorRT plugin of that name and load its library before parsing."),
        Remedy(
            "If it comes from the exporter: export again with standard operators only (a newer opset often has them)."
        ),
    )
    title = f"TensorRT does not know {node_in_words(error)}"
    return _case(error, "parse.plugin_missing", title, why, *remedies, causes=causes)


def _dtype(error: ParserError, model: ModelDescription | None) -> Diagnosis:
    found = re.search(r"Unsupported ONNX data type: (\w+)", error.output)
    dtype = found[1].lower() if found else ""
    if model and error.tensor and not dtype:
        dtype = next((tensor.dtype for tensor in model.inputs if tensor.name == error.tensor), "")
    subject = f"input '{error.tensor}'" if error.tensor else node_in_words(error)
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


def node_in_words(error: ParserError) -> str:
    """Return the node that an error is about, as a person would call it."""
    if error.node_name:
        return f"node '{error.node_name}' ({error.operator or 'unknown operator'})"
    if error.node_index >= 0:
        return f"node #{error.node_index} ({error.operator or 'unknown operator'})"
    return f"a node ({error.operator})" if error.operator else "the model"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _reason(text: str) -> str:
    """Return the readable part of a parser message: the reason of an assertion if it has one, else all of it."""
    text = clean_message(text)
    found = _QUOTED_REASON.search(text) or _ASSERTION.match(text)
    if found:
        return re.sub(r'"\s*"', "", found["reason"]).strip()
    return first_sentence(text.removeprefix("Assertion failed: "))
