"""Give a refusal of the ONNX parser or the builder its real reason, with evidence from the model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trtlab._engine_results import ParserError
from trtlab.explain.catalog import Language
from trtlab.explain.node_evidence import evidence_sentence
from trtlab.explain.operators import is_standard_operator
from trtlab.explain.restrictions import RefusedBy, find_restriction
from trtlab.explain.wording import clean_message, first_sentence
from trtlab.model.node_description import RefusalFacts, RefusedNode

# `Assertion failed: condition: reason` of the importers, `condition && "reason"` of the static checks.
_QUOTED_REASON = re.compile(r'&&\s*"(?P<reason>.*)"\s*$', re.DOTALL)
_ASSERTION = re.compile(r"^Assertion failed: (?P<condition>.*?): (?P<reason>\S.*)$", re.DOTALL)
# Lines of the parser's source, which no reason is.
CPLUSPLUS = re.compile(r"::|&&|\|\||->|[!=<>]=|\(\)|\w\(\w*\)|^!?\(?\w+\)?$|^$")
_SOURCE_FILE = re.compile(r"^\w+\.(?:cpp|h):\d+: ")
_SHAPE_INPUT = re.compile(r"Network input (?P<name>.+?) is a shape tensor")
_INITIALIZER = re.compile(
    r"importing initializer: (?P<name>.+?)\s*$|[Ff]ailed to import initializer: (?P<other>(?!In node).+?)\s*$"
)
# What the builder calls its layers, and places in its source: words that say nothing to a reader of an ONNX model.
INTERNAL_WORDS = re.compile(
    r"\bI[A-Z]\w+Layer\b|\(Unnamed Layer|\w\.(?:cpp|h)\b|MyelinCheck|CHECK\(|[Aa]ssertion\b|^\W*$|^false$"
)
# What the parser calls the function that refused: of the operator's importer or static check.
_FUNCTION = re.compile(r"(?:import|check)(?P<operator>[A-Z]\w+)")
_HELPERS = {"reshapeQKVTensor": "Attention", "convertToMaskTensor": "Attention"}
_UNEXPLAINED: dict[RefusedBy, dict[Language, str]] = {
    "parser": {
        "en": "TensorRT's check of {operator} failed, and it does not say what it is about.",
        "zh": "TensorRT 对 {operator} 的检查没有通过，它没有说明原因。",
    },
    "builder": {
        "en": "TensorRT parsed {operator} and could not build it, and gives no reason that says what it is about.",
        "zh": "TensorRT 解析了 {operator}，但无法构建它，也没有给出能看懂的原因。",
    },
}
_NODE = {"en": "this node", "zh": "该节点"}


@dataclass(frozen=True)
class Refusal:
    """Why TensorRT refused something.

    Attributes:
        reason: In plain words.
        evidence: What the model shows, in one sentence; empty if it shows nothing.
        instead: What to do, empty if nothing is known.
        code: The command or code for it.
        diagnosis: Id of the catalog, where the reason decides it.
        restriction: Id of the restriction, empty where the reason is TensorRT's own.
        facts: Facts that follow.
    """

    reason: str
    evidence: str = ""
    instead: str = ""
    code: str = ""
    diagnosis: str = ""
    restriction: str = ""
    facts: dict[str, str] = field(default_factory=dict)


def explain_refusal(
    error: ParserError,
    *,
    facts: RefusalFacts | None = None,
    known: Mapping[str, str] | None = None,
    language: Language = "en",
    by: RefusedBy = "parser",
) -> Refusal:
    """Return the real reason of one error of the parser, or of the builder where its messages are the text of the error.

    Args:
        error: The error.
        facts: What the model says about its node or tensor, if it is known.
        known: Other facts, by the names in `explain.facts`.
        language: Of the texts.
        by: Who refused it.
    """
    text = clean_message(error.text)
    operator = _operator_of(error, facts)
    given = {**(known or {}), **_tensor_facts(facts)}
    found = find_restriction(text, operator=operator, facts=facts, known=given, by=by)
    if found is None:
        said = readable_reason(error.text)
        name = {"operator": operator or _NODE[language]}
        is_internal = CPLUSPLUS.search(said) or said == "false" or (by == "builder" and INTERNAL_WORDS.search(said))
        reason = _UNEXPLAINED[by][language].format(**name) if is_internal else said
        return Refusal(reason, evidence_sentence(facts, (), language), facts=_facts_of(facts, operator))
    restriction = found.restriction
    return Refusal(
        restriction.fill(restriction.reason, found.facts, language),
        evidence_sentence(facts, restriction.shows, language),
        restriction.fill(restriction.instead, found.facts, language) if restriction.instead else "",
        restriction.code,
        restriction.diagnosis,
        restriction.id,
        {**_tensor_facts(facts), **_facts_of(facts, operator)},
    )


def readable_reason(text: str) -> str:
    """Return the readable part of a parser message: the reason of an assertion if it has one, else all of it."""
    text = clean_message(text)
    found = _QUOTED_REASON.search(text) or _ASSERTION.match(text)
    if found:
        return re.sub(r'"\s*"', "", found["reason"]).strip()
    return first_sentence(_SOURCE_FILE.sub("", text.removeprefix("Assertion failed: ")))


def facts_requests(errors: Sequence[ParserError]) -> list[dict[str, Any]]:
    """Return what has to be asked of the model (`trtlab.model.actions:refusal_facts`), one request for each error."""
    requests = []
    for error in errors:
        operator = error.operator or _operator_from_words(error)
        node = RefusedNode(error.node_index, error.node_name, operator, error.scope) if operator else None
        requests.append({"node": node.to_dict() if node else None, "tensor": error.tensor or named_tensor(error.text)})
    return requests


def _operator_of(error: ParserError, facts: RefusalFacts | None) -> str:
    if facts is not None and facts.node is not None:
        return facts.node.node.op_type
    return error.operator or _operator_from_words(error)


def _operator_from_words(error: ParserError) -> str:
    """Return the operator of an error without a node, from the function of the parser that refused."""
    function = error.source.rpartition(" ")[2]
    found = _FUNCTION.fullmatch(function)
    if found and is_standard_operator(found["operator"]):
        return found["operator"]
    return _HELPERS.get(function, "")


def named_tensor(text: str) -> str:
    """Return the initializer or the input of the model that a message names."""
    text = clean_message(text)
    shape = _SHAPE_INPUT.search(text)
    if shape:
        return shape["name"]
    found = _INITIALIZER.search(text)
    return (found["name"] or found["other"]) if found else ""


def _tensor_facts(facts: RefusalFacts | None) -> dict[str, str]:
    if facts is None or facts.tensor is None:
        return {}
    return {name: value for name, value in (("tensor", facts.tensor.name), ("dtype", facts.tensor.dtype)) if value}


def _facts_of(facts: RefusalFacts | None, operator: str) -> dict[str, str]:
    """Return the place of the node where the model says it better than the parser."""
    found = {"operator": operator} if operator else {}
    if facts is not None and facts.around:
        found["scope"] = facts.around
    if facts is not None and facts.node is not None:
        node = facts.node.node
        found |= {"node": node.name or f"#{node.index}", "domain": node.domain, "scope": node.scope}
    return {name: value for name, value in found.items() if value}
