"""Explain what the ONNX parser refused, from its errors, what it wrote beside them, and the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from trtlab._engine_results import ParserError
from trtlab.explain.catalog import Language
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Cause, Diagnosis, Remedy
from trtlab.explain.evidence import completed_facts
from trtlab.explain.log.rules import Recogniser
from trtlab.explain.refusals import Refusal, explain_refusal
from trtlab.explain.wording import clean_message
from trtlab.model.description import Finding, ModelDescription
from trtlab.model.node_description import RefusalFacts

_UNSUPPORTED_TYPE = re.compile(r"Unsupported ONNX data type: (\w+)")
# The parser's error of a node that says nothing more.
_BARE = re.compile(r"\s*(?:Invalid Node - [^\n]*)?\s*")
# Rules of a lower rank only name a category.
_VAGUE_RANK = 30
# What a code says where no message is recognised.
_BY_CODE = {
    "MODEL_DESERIALIZE_FAILED": "parse.invalid_model", "MEM_ALLOC_FAILED": "build.out_of_memory", "INVALID_GRAPH": "parse.invalid_model",
    "UNSUPPORTED_NODE_DATATYPE": "parse.dtype", "UNSUPPORTED_NODE_SHAPE": "parse.shape", "UNSUPPORTED_NODE_DYNAMIC": "parse.datadependent",
}  # fmt: skip
_LASTING_CODES = ("MODEL_DESERIALIZE_FAILED", "MEM_ALLOC_FAILED", "INVALID_GRAPH", "UNSUPPORTED_NODE_DATATYPE")
_FAULT_OF_TENSORRT = re.compile(r"Error Code \d+: Internal Error \((?!Parameter check)|Assertion .+ failed\.")


def diagnose_parse(  # noqa: PLR0913 - each a source of evidence, keyword-only
    errors: tuple[ParserError, ...],
    model: ModelDescription | None,
    *,
    evidence: Sequence[RefusalFacts] = (),
    findings: Sequence[Finding] = (),
    messages: Sequence[str] = (),
    version: str = "",
    language: Language = "en",
) -> tuple[Diagnosis, ...]:
    """Return one diagnosis for each error of the parser, in its order.

    Args:
        errors: The errors.
        model: The model, if it could be read.
        evidence: What the model says about each error (`trtlab.model.actions:refusal_facts`), if it was asked.
        findings: What ONNX's checker found, if it was asked: it knows better than an error that gives no reason.
        messages: The errors of the log, in order: a reason can stand only there.
        version: TensorRT's version (`10.8`, `rtx-1.7`), so that remedies fit it.
        language: Of the texts.
    """
    errors = tuple(_with_reason(error, messages) for error in errors)
    broken = {
        finding.node.index: finding for finding in reversed(findings) if finding.node and finding.severity == "error"
    }
    found = (*evidence[: len(errors)], *(RefusalFacts() for _ in errors[len(evidence) :]))
    return tuple(
        _diagnose_by_finding(error, broken[error.node_index], version, language)
        if _BARE.fullmatch(error.text) and error.node_index in broken and not error.scope
        else _diagnose(error, facts, model, version, language)
        for error, facts in zip(errors, found, strict=True)
    )


def _with_reason(error: ParserError, messages: Sequence[str]) -> ParserError:
    """Return an error that gives no reason with the one that the log gives, if it gives one."""
    if not _BARE.fullmatch(error.text):
        return error
    recogniser = Recogniser()
    for message in messages:
        found = recogniser.recognise(message)
        if found is not None and found[0].role == "cause" and found[0].rank > _VAGUE_RANK:
            return replace(error, text=f"{error.text}\n{message}")
    return error


def _diagnose_by_finding(error: ParserError, finding: Finding, version: str, language: Language) -> Diagnosis:
    """Return the diagnosis of a node that ONNX itself refuses and the parser only calls invalid."""
    facts = {"node": error.node_name or f"#{error.node_index}", "operator": error.operator, "reason": finding.text}
    return diagnosis_of(
        "parse.invalid_model",
        {name: value for name, value in facts.items() if value},
        language=language,
        version=version,
        step="parse",
        why=finding.text,
        tensorrt_code=error.code,
        original="\n".join(filter(None, (error.text, error.source, finding.original))),
    )


def _diagnose(
    error: ParserError, evidence: RefusalFacts, model: ModelDescription | None, version: str, language: Language
) -> Diagnosis:
    text = clean_message(error.text)
    identifier, facts = _recognised(error, text)
    facts = {**facts, **_facts_of(error, model)}
    refusal = explain_refusal(error, facts=evidence, known=facts, language=language)
    if evidence.around:
        facts.pop("node", None)  # the number is that of the node around it
    facts |= refusal.facts
    identifier, facts = completed_facts(identifier, facts, text, version=version)
    identifier = refusal.diagnosis or identifier
    facts["reason"] = refusal.reason
    diagnosis = diagnosis_of(
        identifier,
        facts,
        language=language,
        version=version,
        step="parse",
        tensorrt_code=error.code,
        original="\n".join(filter(None, (error.text, error.source, error.output))),
    )
    diagnosis = with_refusal(diagnosis, refusal)
    return _with_domains(diagnosis, model) if identifier == "parse.plugin_missing" else diagnosis


def with_refusal(diagnosis: Diagnosis, refusal: Refusal) -> Diagnosis:
    """Say the real reason, with the evidence, and what to do instead before all general remedies."""
    # The catalog's sentence hands on the parser's words; a reason that is known needs none, and is not the parser's.
    said = refusal.reason if refusal.restriction or not diagnosis.why else diagnosis.why
    space, end = ("", "。") if diagnosis.language == "zh" else (" ", ".")
    if refusal.evidence and said and not said.endswith((".", "。", ":", "：")):
        said += end
    why = space.join(filter(None, (said, refusal.evidence)))
    causes = diagnosis.causes
    if refusal.restriction:
        causes = (Cause(refusal.reason, refusal.evidence), *causes)
    elif causes and refusal.evidence:
        first = causes[0]
        causes = (Cause(first.text, f"{refusal.evidence} {first.evidence}".strip()), *causes[1:])
    remedies = diagnosis.remedies
    if refusal.instead:
        remedies = (Remedy(refusal.instead, refusal.code), *remedies)
    return replace(diagnosis, why=why, causes=causes, remedies=remedies)


def _recognised(error: ParserError, text: str) -> tuple[str, dict[str, str]]:
    if error.code in _LASTING_CODES:
        return _BY_CODE[error.code], {}
    found = Recogniser().recognise(f"Assertion failed: {text}\n{error.output}" if error.output else text)
    if (
        found is None
        or found[0].role not in ("cause", "hint")
        or not found[0].id.startswith(("parse.", "build.", "config."))
    ):
        if _FAULT_OF_TENSORRT.search(text):
            return "parse.internal_error", {}
        return _BY_CODE.get(error.code, "parse.unsupported_node"), {}
    return found[0].id, found[1]


def _facts_of(error: ParserError, model: ModelDescription | None) -> dict[str, str]:
    """Return what the error itself says, which is more exact than what its message says."""
    # The index is that of the node of the main graph around it, which says nothing of a node in a branch or function.
    number = f"#{error.node_index}" if error.node_index >= 0 and not error.scope else ""
    facts = {
        "node": error.node_name or number,
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
    said = (
        f"模型导入的域：{', '.join(domains)}。"
        if diagnosis.language == "zh"
        else f"The model imports the domains {', '.join(domains)}."
    )
    return replace(diagnosis, causes=(Cause(first.text, f"{first.evidence} {said}".strip()), *diagnosis.causes[1:]))
