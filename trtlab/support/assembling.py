"""Make a report of what the worker found: every refusal passes through `explain/`, and gets its place, reason and remedies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trtlab._engine_results import ParserError
from trtlab._format import shorten_middle
from trtlab.explain.building import diagnose_build_of_node
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Diagnosis, Place
from trtlab.explain.parsing import diagnose_parse
from trtlab.model.description import Finding, ModelDescription, NodeReference
from trtlab.model.node_description import NodeFacts, RefusalFacts
from trtlab.support.journal import CRASH
from trtlab.support.report import NodeVerdict, TensorVerdict
from trtlab.support.verdicts import SurveyRecord, Verdict

# More different messages of one node say no more.
_MOST_ERRORS = 3
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Evidence:
    """What is known about a model besides the survey itself.

    Attributes:
        model: Its description.
        references: Its nodes, by number.
        facts: What it says of refused nodes, by number.
        tensor_facts: What it says of refused tensors, by name.
        findings: What ONNX's checker found.
    """

    model: ModelDescription
    references: Sequence[NodeReference]
    facts: Mapping[int, RefusalFacts]
    tensor_facts: Mapping[str, RefusalFacts]
    findings: Sequence[Finding] = ()


def node_verdicts(record: SurveyRecord, evidence: Evidence) -> tuple[NodeVerdict, ...]:
    """Return the verdict of each node, with reasons and diagnoses."""
    release = record.installation.release
    by_number = dict(record.verdicts)
    verdicts = []
    for number, reference in enumerate(evidence.references):
        found = by_number.get(number)
        verdicts.append(
            NodeVerdict(number, reference) if found is None else _explained(found, number, evidence, release)
        )
    return tuple(verdicts)


def _explained(verdict: Verdict, number: int, evidence: Evidence, release: str) -> NodeVerdict:
    reference = evidence.references[number]
    diagnosis = None
    if verdict.errors or verdict.because == "parser":
        errors = verdict.errors or (ParserError("", "", operator=reference.op_type),)
        diagnosis = _of_parser(errors, number, evidence, release)
    elif verdict.messages or verdict.because == "builder":
        diagnosis = _of_builder(verdict.messages, number, evidence, release)
    is_refused = verdict.status == "unsupported"
    refused_by = verdict.because if is_refused and verdict.because in ("parser", "builder") else ""
    reason = _reason(diagnosis) if is_refused and diagnosis else _WORDS[verdict.because](verdict, evidence)
    if is_refused and verdict.because == "builder" and not verdict.alone:
        reason += f" The builder refuses it only together with the nodes from {_label(verdict.cause, evidence)} on."
    return NodeVerdict(
        number, reference, verdict.status, refused_by,
        tensorrt_code=verdict.errors[0].code if verdict.errors else "",
        message="\n".join(dict.fromkeys([error.text for error in verdict.errors[:_MOST_ERRORS]] or verdict.messages)),
        reason=reason,
        diagnosis=diagnosis,
        cause=verdict.cause,
    )  # fmt: skip


def _of_parser(errors: Sequence[ParserError], number: int, evidence: Evidence, release: str) -> Diagnosis:
    facts = evidence.facts.get(number, RefusalFacts())
    if errors[0].code == CRASH:
        return _of_crash(errors[0].text, evidence.references[number], "parse")
    found = diagnose_parse(
        tuple(errors[:1]), evidence.model, evidence=[facts], findings=evidence.findings, version=release
    )
    return replace(found[0], place=_place(evidence.references[number], "parse"))


def _of_builder(messages: Sequence[str], number: int, evidence: Evidence, release: str) -> Diagnosis:
    reference = evidence.references[number]
    if messages and messages[0].startswith(CRASH):
        return _of_crash(messages[0].removeprefix(f"{CRASH}: "), reference, "build")
    facts = evidence.facts.get(number) or RefusalFacts()
    if facts.node is None:  # nobody asked the model: its operator is known all the same
        facts = replace(facts, node=NodeFacts(reference))
    found = diagnose_build_of_node(messages, facts=facts, version=release)
    return replace(found, place=_place(reference, "build"))


def _of_crash(how: str, reference: NodeReference, step: str) -> Diagnosis:
    what = "parser" if step == "parse" else "builder"
    found = diagnosis_of(
        "worker.crash",
        step=step,
        why=f"TensorRT's {what} crashes on this node. {how} The check went on in a new process.",
        original=how,
    )
    return replace(found, place=_place(reference, step))


def _place(reference: NodeReference, step: str) -> Place:
    return Place(step, reference.name or f"#{reference.index}", reference.op_type, scope=reference.scope)


def _reason(diagnosis: Diagnosis) -> str:
    return diagnosis.why or diagnosis.meaning or diagnosis.title


def _label(number: int, evidence: Evidence) -> str:
    return shorten_middle(evidence.references[number].label, _LONGEST_NAME) if number >= 0 else "another node"


def _tensor(verdict: Verdict) -> str:
    return f"'{shorten_middle(verdict.tensor, _LONGEST_NAME)}'"


def _because_dtype(verdict: Verdict, evidence: Evidence) -> str:
    facts = evidence.tensor_facts.get(verdict.tensor)
    dtype = f" of the type {facts.tensor.dtype}" if facts and facts.tensor and facts.tensor.dtype else ""
    source = f", which comes from {_label(verdict.cause, evidence)}" if verdict.cause >= 0 else ""
    return f"It reads {_tensor(verdict)}{dtype}{source}. TensorRT does not have that type, so nothing could stand in for it."


def _because_follows(verdict: Verdict, evidence: Evidence) -> str:
    return (
        f"It depends on {_label(verdict.cause, evidence)}, which is refused, and what that would have given is not known exactly. "
        "TensorRT refused it with a stand-in; this may be only a consequence. Repair the other node first, then check again."
    )


_WORDS: dict[str, Callable[[Verdict, Evidence], str]] = {
    "": lambda *_: "",
    "parser": lambda *_: "",
    "builder": lambda *_: "",
    "dtype": _because_dtype,
    "follows": _because_follows,
    "assumed": lambda verdict, evidence: (
        f"Accepted on an assumption: the shape of what {_label(verdict.cause, evidence)} gives is not known, and was taken to be "
        "that of its input."
    ),
    "inside": lambda verdict, evidence: (
        f"It stands inside {_label(verdict.cause, evidence)}, which TensorRT refuses as a whole."
    ),
    "circle": lambda *_: (
        "It feeds itself over other nodes. A graph with a circle is no valid ONNX, and has no order to parse it in."
    ),
    "unnamed": lambda verdict, _: (
        "The parser refuses every part of the model that holds it, and names no node: "
        + (" ".join(verdict.errors[0].text.split()) if verdict.errors else "it gives no reason.")
    ),
}


def tensor_verdicts(
    record: SurveyRecord, evidence: Evidence
) -> tuple[tuple[TensorVerdict, ...], tuple[Diagnosis, ...]]:
    """Return the tensors that the parser refuses, and the diagnoses of everything else that leads to no node."""
    release = record.installation.release
    tensors: dict[str, TensorVerdict] = {}
    others: list[Diagnosis] = []
    known = {item.name: ("output", item) for item in evidence.model.outputs} | {
        item.name: ("input", item) for item in evidence.model.inputs
    }
    for error, name in ((error, refused_tensor(error)) for error in record.unplaced):
        facts = evidence.tensor_facts.get(name, RefusalFacts())
        diagnosis = diagnose_parse(
            (error,), evidence.model, evidence=[facts], findings=evidence.findings, version=release
        )[0]
        if not name:
            others.append(diagnosis)
            continue
        kind: Any = "initializer"
        dtype, shape = (facts.tensor.dtype, facts.tensor.shape) if facts.tensor else ("", None)
        if name in known:
            kind, item = known[name]
            dtype, shape = item.dtype, item.shape
        diagnosis = replace(diagnosis, place=Place("parse", tensor=name))
        tensors.setdefault(name, TensorVerdict(name, kind, dtype, shape, diagnosis))
    if record.needs_values:
        others.append(_needs_values(evidence.model))
    elif record.build_messages or (record.built is False and not _has_trouble(record)):
        others.append(diagnose_build_of_node(record.build_messages, facts=RefusalFacts(), version=release))
    if not record.accepted and not record.unplaced and not record.verdicts:
        others.append(diagnosis_of("parse.unsupported_node", version=release, step="parse"))
    return tuple(tensors.values()), tuple(others)


def _has_trouble(record: SurveyRecord) -> bool:
    return any(verdict.status != "supported" for _, verdict in record.verdicts)


def _needs_values(model: ModelDescription) -> Diagnosis:
    """Return what is to be said where the builder was only asked with made-up sizes."""
    integers = [
        item.name for item in model.inputs if item.dtype.startswith(("int", "bool")) and len(item.shape or ()) <= 1
    ]
    named = ", ".join(f"'{shorten_middle(name, _LONGEST_NAME)}'" for name in integers[:_MOST_ERRORS]) or "an input"
    found = diagnosis_of("config.profile_missing", step="configure")
    return replace(
        found,
        title="Whether it builds depends on the values of an input",
        why=f"The values of {named} are sizes, so the builder needs to know their range. It was tried with made-up values, and took "
        "none of them; that says nothing about the model.",
        place=Place("configure", tensor=integers[0] if integers else ""),
    )


def refused_tensor(error: ParserError) -> str:
    """Return the tensor that an error without a node is about, empty if it names none."""
    from trtlab.explain.refusals import named_tensor

    return error.tensor or named_tensor(error.text)
