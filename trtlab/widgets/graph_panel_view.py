"""What the graph panel shows, as plain data made from results. See GRAPH_CONTRACT.md for its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtlab._format import plural, shorten_middle
from trtlab.explain.diagnosis import Diagnosis
from trtlab.support.report import NodeVerdict, SupportReport
from trtlab.widgets.build_view import model_lines
from trtlab.widgets.diagnosis_cards import diagnosis_card, finding_card, plain_card

if TYPE_CHECKING:
    from trtlab.model.description import ModelDescription
    from trtlab.support.releases import ReleaseTable

# Beyond these, a card holds only what happened and what to do: all of it for thousands of nodes would be megabytes.
_WHOLE_CARDS = 200
_SHOWN_FINDINGS = 100
NOT_LOOKED_AT, SUPPORTED, BY_PARSER, BY_BUILDER, UNKNOWN = range(5)
_STATUS_WORDS = ("not looked at", "supported", "refused by the parser", "refused by the builder", "could not be judged")


def status_of(verdict: NodeVerdict) -> int:
    """Return the number of a node's status."""
    if verdict.status == "unsupported":
        return BY_BUILDER if verdict.refused_by == "builder" else BY_PARSER
    return SUPPORTED if verdict.status == "supported" else UNKNOWN


def status_trait(report: SupportReport | None, node_count: int) -> dict[str, Any]:
    """Return the trait `status`."""
    if report is None:
        return {"of": [NOT_LOOKED_AT] * node_count, "problems": [], "partitions": []}
    partitions = [-1] * len(report.nodes)
    for part_number, part in enumerate(report.partition.parts):
        for number in part.nodes:
            partitions[number] = part_number
    return {
        "of": [status_of(verdict) for verdict in report.nodes],
        "problems": [*_whole_problems(report), *_node_problems(report)],
        "partitions": partitions,
    }


def _whole_problems(report: SupportReport) -> list[dict[str, Any]]:
    """Return the problems that belong to no node."""
    found = [(f"{tensor.kind} '{shorten_middle(tensor.name)}'", tensor.diagnosis) for tensor in report.tensors]
    found += [("the model", diagnosis) for diagnosis in report.diagnoses]
    return [
        {
            "node": -1, "title": diagnosis.title, "where": where, "word": "refused", "state": "error", "card": diagnosis_card(diagnosis),
        }
        for where, diagnosis in found
    ]  # fmt: skip


def _node_problems(report: SupportReport) -> list[dict[str, Any]]:
    return [_problem(verdict, is_whole=place < _WHOLE_CARDS) for place, verdict in enumerate(report.problems)]


def _problem(verdict: NodeVerdict, *, is_whole: bool) -> dict[str, Any]:
    is_refused = verdict.status == "unsupported"
    card = verdict_card(verdict)
    if card is not None and not is_whole:
        card = {**card, "more": [], "do": card["do"][:1]}
    node = verdict.node
    scope = f" in {node.scope}" if node.scope else ""
    return {
        "node": verdict.number,
        "title": _short(verdict.reason),
        "operator": f"{node.domain}.{node.op_type}" if node.domain else node.op_type,
        "where": shorten_middle(f"{node.name or f'#{node.index}'}{scope}", 200),
        "word": f"refused by the {verdict.refused_by}" if is_refused and verdict.refused_by else "could not be judged",
        "brief": verdict.refused_by or "not judged",
        "state": "error" if is_refused else "unknown",
        "card": card,
    }


def _short(reason: str) -> str:
    first = " ".join(reason.split())
    end = first.find(". ")
    return shorten_middle(first if end < 0 else first[: end + 1], 140)


def verdict_card(verdict: NodeVerdict) -> dict[str, Any] | None:
    """Return the card of a node; None for one that TensorRT takes as it is."""
    if verdict.status == "unsupported" and verdict.diagnosis is not None:
        return diagnosis_card(verdict.diagnosis)
    if not verdict.reason:
        return None
    if verdict.status == "supported":
        card = plain_card("info", "Accepted on an assumption", why=verdict.reason)
    else:
        card = plain_card("warning", "Could not be judged", why=verdict.reason)
        if verdict.diagnosis is not None:
            seen: Diagnosis = replace(verdict.diagnosis, severity="warning")
            card["more"] = [{"title": "What TensorRT said", "text": verdict.message}, *diagnosis_card(seen)["more"]]
    card["where"] = [f"node {verdict.node.label}"]
    return card


def counts(report: SupportReport | None, node_count: int) -> list[dict[str, Any]]:
    """Return how many nodes have each status; those that none has are left out."""
    found = [NOT_LOOKED_AT] * node_count if report is None else [status_of(verdict) for verdict in report.nodes]
    return [
        {"status": status, "word": word, "count": found.count(status)}
        for status, word in enumerate(_STATUS_WORDS)
        if found.count(status)
    ]


def headline(
    report: SupportReport | None,
    *,
    chosen: str,
    model: ModelDescription | None,
    running: str,
    note: str,
    was_cancelled: bool,
) -> dict[str, str]:
    """Return the line at the top: the verdict, or what to do next."""
    if running:
        return {"state": "running", "text": f"{running} is running" if model is not None else "Reading the model"}
    if was_cancelled:
        return {"state": "cancelled", "text": "The check was cancelled. Run it again when you want it."}
    if report is not None:
        if report.supported:
            return {"state": "done", "text": report.headline}
        return {"state": "failed", "text": report.headline}
    if not chosen:
        return {"state": "waiting", "text": "Choose a model to look at."}
    if note:
        return {"state": "failed", "text": note.splitlines()[0]}
    return {"state": "waiting", "text": "Quick check asks TensorRT's parser about every node."}


def buttons(*, is_open: bool, is_running: bool, netron: str, netron_reason: str) -> dict[str, dict[str, Any]]:
    """Return the buttons, with the reason where one cannot be used."""
    reason = "" if is_open and not is_running else "A check is running." if is_running else "Choose a model first."
    return {
        "quick": {"enabled": not reason, "label": "Quick check", "reason": reason},
        "full": {"enabled": not reason, "label": "Full check", "reason": reason},
        "cancel": {"enabled": is_running, "label": "Cancel", "reason": "" if is_running else "Nothing is running."},
        "netron": {"enabled": bool(netron), "label": "Open in Netron", "reason": "" if netron else netron_reason},
    }


def described(model: ModelDescription | None, chosen: str) -> list[str]:
    """Return what is in the model, in a few lines."""
    return [] if model is None else model_lines(model, Path(chosen).name)


def finding_cards(report: SupportReport | None) -> list[dict[str, Any]]:
    """Return the cards of what is known before any parse."""
    if report is None:
        return []
    shown = [finding_card(finding) for finding in report.findings[:_SHOWN_FINDINGS]]
    rest = len(report.findings) - len(shown)
    if rest > 0:
        shown.append(plain_card("info", f"and {plural(rest, 'more finding')}: report().findings has them all"))
    return shown


def release_trait(table: ReleaseTable | None) -> dict[str, Any]:
    """Return what other releases say of the model's operators."""
    if table is None:
        return {}
    return {
        "columns": [str(column.release) for column in table.columns],
        "rows": [
            {
                "operator": row.name,
                "count": row.count,
                "cells": [{"verdict": cell.verdict, "note": cell.note, "sure": cell.sure} for cell in row.cells],
            }
            for row in table.rows
        ],
        "note": table.note,
    }


def engine_trait(layers: Sequence[Any], source: str, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Return which nodes were fused into which layer of an engine."""
    rows = [
        {
            "name": layer.name,
            "type": layer.type,
            "nodes": [numbers[name] for name in layer.onnx_nodes if name in numbers],
        }
        for layer in layers
    ]
    return {"source": source, "layers": [row for row in rows if row["nodes"]]}


def python_text(chosen: str, depth: str) -> str:
    """Return the same in Python."""
    lines = ["import trtlab", "", f"report = trtlab.check({chosen!r}, depth={depth or 'quick'!r})", "print(report)"]
    lines += ["for verdict in report.problems:", "    print(verdict)"]
    return "\n".join(lines)
