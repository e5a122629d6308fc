"""Diagnoses as HTML that needs no script: below a failing cell, in a saved notebook, in a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape

from trtlab.explain.catalog import DATA
from trtlab.explain.diagnosis import Diagnosis, Remedy

_WORDS = {
    "en": {
        "error": "Error", "warning": "Warning", "harmless": "Harmless", "consequence": "Follows from it", "where": "Where", "why": "Why",
        "do": "Do this", "others": "Other ways", "more": "More", "message": "The message", "meaning": "What it means",
        "causes": "Possible causes", "confirm": "To confirm", "confused": "Often taken for", "references": "To read",
        "unsure": "The evidence does not decide this.", "nothing": "Nothing was recognised",
        "nothing_hint": "Give more of the log: the first error, and the lines before it.", "also": "Also in it",
        "named": "Other pages of this name",
        "line": "line {}", "lines": "lines {}",
    },
    "zh": {
        "error": "错误", "warning": "警告", "harmless": "无害", "consequence": "由它引起", "where": "位置", "why": "原因",
        "do": "建议操作", "others": "其他办法", "more": "更多", "message": "原始消息", "meaning": "含义",
        "causes": "可能的原因", "confirm": "如何确认", "confused": "容易混淆", "references": "参考资料",
        "unsure": "现有信息不足以确定。", "nothing": "没有识别出任何内容",
        "nothing_hint": "请提供更多日志：第一条错误以及它之前的几行。", "also": "其中还有",
        "named": "同名的其他条目",
        "line": "第 {} 行", "lines": "第 {} 行",
    },
}  # fmt: skip
_ICONS = {"error": "✕", "warning": "▲", "harmless": "✓", "consequence": "↳"}
_LONGEST_ORIGINAL = 4000


def cards_html(diagnoses: Sequence[Diagnosis], *, language: str = "") -> str:
    """Return cards, root causes first and open; what follows from them and what is harmless folded.

    Every text is escaped: it comes from logs and models.
    """
    language = language or next((diagnosis.language for diagnosis in diagnoses), "en")
    words = _WORDS[language]
    if not diagnoses:
        body = f"<article class='harmless'><h4>{words['nothing']}</h4>{words['nothing_hint']}</article>"
    else:
        first = [diagnosis for diagnosis in diagnoses if diagnosis.root] or list(diagnoses[:1])
        rest = [diagnosis for diagnosis in diagnoses if diagnosis not in first]
        body = "".join(_card(diagnosis, words) for diagnosis in first)
        if rest:
            inner = "".join(_card(diagnosis, words) for diagnosis in rest)
            summary = f"{words['also']}: {_count(rest, words)}"
            if first[0].is_page:
                summary = f"{words['named']} ({len(rest)})"
            body += f"<details><summary>{escape(summary)}</summary>{inner}</details>"
    return f"<style>{_style()}</style><div class='trtlab-explained' lang='{language}'>{body}</div>"


@cache
def _style() -> str:
    return (DATA / "cards.css").read_text("utf-8")


def _count(diagnoses: Iterable[Diagnosis], words: dict[str, str]) -> str:
    kinds = [_kind(diagnosis) for diagnosis in diagnoses]
    return ", ".join(f"{kinds.count(kind)} {words[kind].lower()}" for kind in dict.fromkeys(kinds))


def _kind(diagnosis: Diagnosis) -> str:
    if diagnosis.root or diagnosis.is_page or diagnosis.severity == "harmless":
        return "harmless" if diagnosis.severity == "harmless" else diagnosis.severity
    return "consequence"


def _card(diagnosis: Diagnosis, words: dict[str, str]) -> str:
    kind = _kind(diagnosis)
    code = f"<small>{escape(diagnosis.tensorrt_code)}</small>" if diagnosis.tensorrt_code else ""
    state = f"<span class='state'>{_ICONS[kind]} {words[kind]}</span>"
    head = f"<h4>{state}{escape(diagnosis.title)}<small>{escape(diagnosis.id)}</small>{code}</h4>"
    rows = [
        (words["where"], escape(_where(diagnosis, words))),
        (words["meaning"] if diagnosis.is_page else words["why"], escape(diagnosis.why) or escape(diagnosis.meaning)),
        ("", f"<em>{words['unsure']}</em>" if not diagnosis.sure and not diagnosis.is_page else ""),
        (words["causes"], _causes(diagnosis, words) if diagnosis.is_page else ""),
        (words["do"], _remedy(diagnosis.remedies[0]) if diagnosis.remedies else ""),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows if text)
    return (
        f"<article class='{kind}'>{head}<dl>{listed}</dl>{_others(diagnosis, words)}{_more(diagnosis, words)}</article>"
    )


def _where(diagnosis: Diagnosis, words: dict[str, str]) -> str:
    parts = list(diagnosis.place.lines(diagnosis.language))
    if diagnosis.lines:
        first, last = diagnosis.lines
        numbers = str(first) if first == last else f"{first}-{last}"
        parts.append(words["line" if first == last else "lines"].format(numbers))
    return ", ".join(filter(None, parts))


def _remedy(remedy: Remedy) -> str:
    codes = (
        (f"<span class='release'>{escape(names)}</span>" if names else "") + f"<pre>{escape(code)}</pre>"
        for names, code in remedy.code_by_release()
    )
    return escape(remedy.text) + "".join(codes)


def _others(diagnosis: Diagnosis, words: dict[str, str]) -> str:
    if len(diagnosis.remedies) < 2:  # noqa: PLR2004 - the first is shown above
        return ""
    items = "".join(f"<li>{_remedy(remedy)}</li>" for remedy in diagnosis.remedies[1:])
    return f"<details><summary>{words['others']} ({len(diagnosis.remedies) - 1})</summary><ol>{items}</ol></details>"


def _causes(diagnosis: Diagnosis, words: dict[str, str]) -> str:
    items = "".join(
        f"<li>{escape(cause.text)}"
        + (f"<br><em>{words['confirm']}: {escape(cause.evidence)}</em>" if cause.evidence else "")
        + "</li>"
        for cause in diagnosis.causes
    )
    return f"<ol>{items}</ol>" if items else ""


def _more(diagnosis: Diagnosis, words: dict[str, str]) -> str:
    confused = "".join(f"<li>{escape(other.title)}: {escape(other.how)}</li>" for other in diagnosis.confused_with)
    links = "".join(
        f"<li><a href='{escape(url, quote=True)}' target='_blank' rel='noopener noreferrer'>{escape(url)}</a></li>"
        for url in diagnosis.references
        if url.startswith("https://")
    )
    original = diagnosis.original[:_LONGEST_ORIGINAL]
    parts = [
        (words["message"], f"<pre>{escape(original)}</pre>" if original else ""),
        (words["meaning"], escape(diagnosis.meaning) if diagnosis.why else ""),
        (words["causes"], "" if diagnosis.is_page else _causes(diagnosis, words)),
        (words["confused"], f"<ul>{confused}</ul>" if confused else ""),
        (words["references"], f"<ul>{links}</ul>" if links else ""),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in parts if text)
    return f"<details><summary>{words['more']}</summary><dl>{listed}</dl></details>" if listed else ""
