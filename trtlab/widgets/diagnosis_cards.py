"""Diagnoses and findings as the cards that the panels' pages show. Plain data; CONTRACT.md says its form."""

from __future__ import annotations

from typing import Any

from trtlab.explain.diagnosis import Diagnosis
from trtlab.model.description import Finding

_STATES = {"error": "error", "warning": "warning", "harmless": "harmless", "info": "info"}
_TITLES = {
    "en": {
        "causes": "Possible causes", "message": "The original message", "sure": "How sure", "meaning": "What it means",
        "unsure": "The evidence does not decide this; the causes below are the likely ones.", "confirm": "To confirm:",
        "confused": "Often taken for", "read": "Read more",
        "error": "error", "warning": "warning", "harmless": "harmless", "consequence": "follows from it",
    },
    "zh": {
        "causes": "可能的原因", "message": "原始消息", "sure": "把握程度", "meaning": "含义",
        "unsure": "现有信息不足以确定；下面是比较可能的原因。", "confirm": "如何确认：",
        "confused": "容易混淆", "read": "参考资料",
        "error": "错误", "warning": "警告", "harmless": "无害", "consequence": "由它引起",
    },
}  # fmt: skip


def diagnosis_card(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as a card, in its own language."""
    words = _TITLES[diagnosis.language]
    is_first = diagnosis.root or diagnosis.is_page or diagnosis.severity != "error"
    state = _STATES[diagnosis.severity] if is_first else "consequence"
    card = plain_card(state, diagnosis.title, why=diagnosis.why or diagnosis.meaning)
    card.update(
        code=diagnosis.tensorrt_code, id=diagnosis.id, where=list(diagnosis.place.lines(diagnosis.language)), more=_more(diagnosis, words),
        do=[{"text": remedy.text, "code": remedy.code_text()} for remedy in diagnosis.remedies],
        state_word=words.get(state, ""), lines=list(diagnosis.lines) if diagnosis.lines else None,
    )  # fmt: skip
    return card


def finding_card(finding: Finding) -> dict[str, Any]:
    """Return a finding of the check as a card."""
    card = plain_card(_STATES[finding.severity], finding.text)
    card["id"] = finding.id
    card["where"] = (
        [f"node {finding.node.label}"] if finding.node else [f"tensor '{finding.tensor}'"] if finding.tensor else []
    )
    if finding.original and finding.original not in finding.text:
        card["more"] = [{"title": "The original message", "text": finding.original}]
    return card


def plain_card(state: str, title: str, *, why: str = "") -> dict[str, Any]:
    """Return a card with a title and at most a reason."""
    return {
        "state": state, "state_word": "", "title": title, "code": "", "id": "", "where": [], "why": why, "do": [], "more": [],
        "lines": None,
    }  # fmt: skip


def _more(diagnosis: Diagnosis, words: dict[str, str]) -> list[dict[str, Any]]:
    """Return what is folded: the message, other causes and how to tell them apart, how sure this is, what to read."""
    causes = [
        {"text": cause.text, "note": f"{words['confirm']} {cause.evidence}" if cause.evidence else ""}
        for cause in diagnosis.causes
    ]
    confused = [{"text": other.title, "note": other.how} for other in diagnosis.confused_with]
    parts: list[dict[str, Any]] = [
        {"title": words["message"], "text": diagnosis.original},
        {"title": words["sure"], "text": "" if diagnosis.sure or diagnosis.is_page else words["unsure"]},
        {"title": words["causes"], "items": causes, "open": diagnosis.is_page},
        {"title": words["meaning"], "text": diagnosis.meaning if diagnosis.why else ""},
        {"title": words["confused"], "items": confused},
        {"title": words["read"], "links": [url for url in diagnosis.references if url.startswith("https://")]},
    ]
    return [part for part in parts if part.get("text") or part.get("items") or part.get("links")]
