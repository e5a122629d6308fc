"""Explain what the ONNX parser refused, from its errors, what it wrote beside them, and the model."""

from __future__ import annotations

import re
from dataclasses import replace

from trtlab._engine_results import ParserError
from trtlab.explain.catalog import Language
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Cause, Diagnosis
from trtlab.explain.evidence import completed_facts
from trtlab.explain.log.rules import Recogniser
from trtlab.explain.wording import clean_message, first_sentence
from trtlab.model.description import ModelDescription

# `Assertion failed: condition: reason` of the importers, `condition && "reason"` of the static checks.
_QUOTED_REASON = re.compile(r'&&\s*"(?P<reason>.*)"\s*$', re.DOTALL)
_ASSERTION = re.compile(r"^Assertion failed: (?P<condition>.*?): (?P<reason>\S.*)$", re.DOTALL)
_UNSUPPORTED_TYPE = re.compile(r"Unsupported ONNX data type: (\w+)")
# What a code says where no message is recognised.
_BY_CODE = {
    "MODEL_DESERIALIZE_FAILED": "parse.invalid_model", "MEM_ALLOC_FAILED": "build.out_of_memory", "INVALID_GRAPH": "parse.invalid_model",
    "UNSUPPORTED_NODE_DATATYPE": "parse.dtype", "UNSUPPORTED_NODE_SHAPE": "parse.shape", "UNSUPPORTED_NODE_DYNAMIC": "parse.datadependent",
}  # fmt: skip
_LASTING_CODES = ("MODEL_DESERIALIZE_FAILED", "MEM_ALLOC_FAILED", "INVALID_GRAPH", "UNSUPPORTED_NODE_DATATYPE")
_FAULT_OF_TENSORRT = re.compile(r"Error Code \d+: Internal Error \((?!Parameter check)|Assertion .+ failed\.")


def diagnose_parse(
    errors: tuple[ParserError, ...], model: ModelDescription | None, *, version: str = "", language: Language = "en"
) -> tuple[Diagnosis, ...]:
    """Return one diagnosis for each error of the parser, in its order."""
    return tuple(_diagnose(error, model, version, language) for error in errors)


def _diagnose(error: ParserError, model: ModelDescription | None, version: str, language: Language) -> Diagnosis:
    text = clean_message(error.text)
    identifier, facts = _recognised(error, text)
    facts = {**facts, **_facts_of(error, model)}
    identifier, facts = completed_facts(identifier, facts, text, version=version)
    reason = readable_reason(error.text)
    if reason and reason != "false":
        facts.setdefault("reason", reason)
    else:
        facts.pop("reason", None)
    diagnosis = diagnosis_of(
        identifier,
        facts,
        language=language,
        version=version,
        step="parse",
        tensorrt_code=error.code,
        original="\n".join(filter(None, (error.text, error.source, error.output))),
    )
    if not diagnosis.why:
        diagnosis = replace(diagnosis, why=reason if reason != "false" else diagnosis.meaning)
    if not error.node_name and error.node_index >= 0:
        diagnosis = replace(diagnosis, place=replace(diagnosis.place, node=f"#{error.node_index}"))
    return _with_domains(diagnosis, model) if identifier == "parse.plugin_missing" else diagnosis


def _recognised(error: ParserError, text: str) -> tuple[str, dict[str, str]]:
    if error.code in _LASTING_CODES:
        return _BY_CODE[error.code], {}
    found = Recogniser().recognise(f"Assertion failed: {text}\n{error.output}" if error.output else text)
    if found is None or found[0].role not in ("cause", "hint") or not found[0].id.startswith(("parse.", "build.", "config.")):
        if _FAULT_OF_TENSORRT.search(text):
            return "parse.internal_error", {}
        return _BY_CODE.get(error.code, "parse.unsupported_node"), {}
    return found[0].id, found[1]


def _facts_of(error: ParserError, model: ModelDescription | None) -> dict[str, str]:
    """Return what the error itself says, which is more exact than what its message says."""
    facts = {
        "node": error.node_name or (f"#{error.node_index}" if error.node_index >= 0 else ""),
        "operator": error.operator,
        "tensor": error.tensor,
        "scope": "/".join(error.scope),
    }
    found = _UNSUPPORTED_TYPE.search(error.output)
    if found:
        facts["dtype"] = found[1].lower()
    elif model is not None and error.tensor:
        facts["dtype"] = next((tensor.dtype for tensor in model.inputs if tensor.name == error.tensor), "")
    if model is not None and "" in model.opsets:
        facts["opset"] = str(model.opsets[""])
    return {name: value for name, value in facts.items() if value}


def _with_domains(diagnosis: Diagnosis, model: ModelDescription | None) -> Diagnosis:
    """Say which domains the model imports: a custom operator comes from one of them."""
    domains = sorted(filter(None, model.opsets)) if model else []
    if not domains or not diagnosis.causes:
        return diagnosis
    first = diagnosis.causes[0]
    said = f"模型导入的域：{', '.join(domains)}。" if diagnosis.language == "zh" else f"The model imports the domains {', '.join(domains)}."
    return replace(diagnosis, causes=(Cause(first.text, f"{first.evidence} {said}".strip()), *diagnosis.causes[1:]))


def node_in_words(error: ParserError) -> str:
    """Return the node that an error is about, as a person would call it."""
    if error.node_name:
        return f"node '{error.node_name}' ({error.operator or 'unknown operator'})"
    if error.node_index >= 0:
        return f"node #{error.node_index} ({error.operator or 'unknown operator'})"
    return f"a node ({error.operator})" if error.operator else "the model"


def readable_reason(text: str) -> str:
    """Return the readable part of a parser message: the reason of an assertion if it has one, else all of it."""
    text = clean_message(text)
    found = _QUOTED_REASON.search(text) or _ASSERTION.match(text)
    if found:
        return re.sub(r'"\s*"', "", found["reason"]).strip()
    return first_sentence(text.removeprefix("Assertion failed: "))
