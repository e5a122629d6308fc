"""A code report as text for a terminal."""

from __future__ import annotations

from trtlab.explain.catalog import Language, check_language
from trtlab.explain.code.report import CodeFinding, CodeReport

_WORDS = {
    "en": {
        "none": "uses nothing that this release lacks.",
        "no_import": "does not import TensorRT.",
        "found": "names that this release lacks",
        "one": "name that this release lacks",
        "do": "Do this",
        "unsure": "The object's type is not known here; the name is TensorRT's.",
        "documented": "According to documentation; no bindings of these releases were read.",
        "guarded": "more behind a test of the release; it may never be reached there.",
        "mechanical": "of them can be changed mechanically: --changed prints the whole changed script.",
        "read": "Its bindings were not read; those of {} stand for it.",
        "installed": "installed here",
        "unread": "Not read",
    },
    "zh": {
        "none": "没有用到该版本缺少的内容。",
        "no_import": "没有导入 TensorRT。",
        "found": "处用到了该版本没有的名称",
        "one": "处用到了该版本没有的名称",
        "do": "建议操作",
        "unsure": "此处无法确定对象的类型，仅凭名称判断属于 TensorRT。",
        "documented": "依据文档；没有读取这些版本的绑定。",
        "guarded": "处位于版本判断之后，可能不会执行到。",
        "mechanical": "处可以自动修改：--changed 输出修改后的完整脚本。",
        "read": "没有读取该版本的绑定，以 {} 的绑定代替。",
        "installed": "本机已安装",
        "unread": "未读取",
    },
}


def render_text(report: CodeReport, *, lang: str = "en") -> str:
    """Return a report as lines of plain text that end with a newline.

    Args:
        report: What `check_code` found.
        lang: `en` or `zh`.

    Raises:
        InputError: Another language.
    """
    language = check_language(lang)
    words = _WORDS[language]
    stop = "：" if language == "zh" else ": "
    installed = f" ({words['installed']})" if report.installed else ""
    head = f"{_safe(report.name)} → {report.release_name}{installed}{stop}"
    if not report.findings:
        lines = [f"✓ {head}{words['none'] if report.uses_tensorrt else words['no_import']}"]
    else:
        count = len(report.findings)
        lines = [f"✕ {head}{count} {words['one' if count == 1 else 'found']}"]
        for finding in report.findings:
            lines += ["", *_lines(finding, language)]
        lines.append("")
    mechanical = sum(finding.mechanical for finding in report.findings)
    lines += [f"{mechanical} {words['mechanical']}"] if mechanical else []
    lines += [f"{len(report.guarded)} {words['guarded']}"] if report.guarded else []
    if not report.read_release.startswith(report.release) and not report.release.startswith(report.read_release):
        lines.append(words["read"].format(report.read_release))
    lines += [f"{words['unread']}{stop}{_safe(reason)}" for _, reason in report.unread]
    return "\n".join(lines).rstrip("\n") + "\n"


def _lines(finding: CodeFinding, language: Language) -> list[str]:
    words = _WORDS[language]
    stop = "：" if language == "zh" else ": "
    lines = [f"  {finding.place(language)}{stop}{_safe(finding.sentence(language))}"]
    if finding.replacement.en:
        lines.append(f"    {words['do']}{stop}{finding.replacement.to(language)}")
    if not finding.certain:
        lines.append(f"    {words['unsure']}")
    if finding.sure == "documentation":
        lines.append(f"    {words['documented']}")
    return lines


def _safe(text: str) -> str:
    """Return untrusted text without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
