"""`trtlab explain`: explain a log, a code or a name, list the catalog, or check a script for calls that are gone."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtlab._format import printable

if TYPE_CHECKING:
    from rich.console import Console

    from trtlab.explain.diagnosis import Diagnosis

_ICONS = {"error": ("✕", "bold red"), "warning": ("▲", "yellow"), "harmless": ("✓", "green")}
_FEW = 3
_FEW_CAUSES = 4
_WORDS = {
    "en": {
        "nothing": "Nothing was recognised.", "where": "Where", "why": "Why", "sure": "Sure", "cause": "Cause",
        "unsure": "The evidence does not decide this.", "confirm": "To confirm", "do": "Do this", "or": "Or",
        "line": "line {}", "lines": "lines {} to {}", "rest": "{} more follow from it or are harmless (--all shows them).",
        "pages": "{} more pages have this name (--all shows them):",
    },
    "zh": {
        "nothing": "没有识别出任何内容。", "where": "位置", "why": "原因", "sure": "把握", "cause": "可能的原因",
        "unsure": "现有信息不足以确定。", "confirm": "如何确认", "do": "建议操作", "or": "或者",
        "line": "第 {} 行", "lines": "第 {} 至 {} 行", "rest": "另有 {} 项由它引起或无害（--all 全部显示）。",
        "pages": "另有 {} 个条目也叫这个名字（--all 全部显示）：",
    },
}  # fmt: skip


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `explain` command."""
    parser = subparsers.add_parser(
        "explain",
        help="explain a TensorRT log, error code or name",
        description="Read a log of TensorRT (trtexec, Python, ONNX Runtime, Triton and others) and say which line is the cause, why, and "
        "what to do; or explain a code or name, such as INVALID_ARGUMENT, 'Error Code 10' or 'cuda 700'.",
        epilog="Exit codes: 0 nothing wrong was recognised; 1 a problem was recognised; 2 wrong usage or unreadable input. "
        "A code or name that is explained gives 0.",
    )
    parser.add_argument(
        "what", metavar="FILE|-|CODE", nargs="*", help="a log file, - for standard input, or a code or name"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the texts")
    parser.add_argument(
        "--tensorrt", metavar="VERSION", default="", help="TensorRT's version (10.8, rtx-1.7), so that remedies fit it"
    )
    parser.add_argument("--all", action="store_true", help="show what follows from the cause and what is harmless, too")
    parser.add_argument("--list", action="store_true", help="list the catalog, or what of it holds the given words")
    parser.add_argument(
        "--code", metavar="SCRIPT", help="name the TensorRT calls in a script or notebook that a release no longer has"
    )
    parser.add_argument(
        "--release", metavar="RELEASE", help="for --code: that release (11.4, rtx-1.7.1) instead of the installed one"
    )
    parser.add_argument(
        "--changed", action="store_true", help="for --code: print the changed script, where changes are mechanical"
    )


def run(arguments: argparse.Namespace) -> int:
    """Explain, and return the exit code."""
    if arguments.code:
        return _run_code(arguments)
    if arguments.list:
        return _run_list(arguments)
    from trtlab._errors import EXIT_OK, EXIT_PROBLEM
    from trtlab.explain.api import to_json

    found, is_page = _explained(arguments)
    if arguments.json:
        sys.stdout.write(json.dumps(to_json(found), ensure_ascii=False) + "\n")
    else:
        _print(found, everything=arguments.all, language=arguments.lang)
    return EXIT_PROBLEM if not is_page and any(diagnosis.severity != "harmless" for diagnosis in found) else EXIT_OK


def _explained(arguments: argparse.Namespace) -> tuple[Sequence[Diagnosis], bool]:
    """Return the diagnoses, and whether they are pages about a name instead of what a log says."""
    from trtlab._errors import InputError
    from trtlab.explain.api import explain
    from trtlab.explain.log import analyse_log

    words: list[str] = arguments.what
    if not words and sys.stdin.isatty():
        raise InputError("Give a log file, - for standard input, or a code or name. `trtlab explain --help` says more.")
    if words in ([], ["-"]):
        return analyse_log(sys.stdin.buffer, lang=arguments.lang, version=arguments.tensorrt).diagnoses, False
    text = " ".join(words)
    if len(words) == 1 and Path(text).is_file():
        return analyse_log(Path(text), lang=arguments.lang, version=arguments.tensorrt).diagnoses, False
    found = explain(text, lang=arguments.lang, version=arguments.tensorrt)
    if not found and len(words) == 1 and ("/" in text or Path(text).suffix in (".log", ".txt")):
        raise InputError(f"There is no file {text}.")
    if not found:
        raise InputError(
            f"{text!r} is no file, code or name that the catalog knows, and no message. Try: trtlab explain --list {text}"
        )
    return found, found[0].lines is None


def _run_list(arguments: argparse.Namespace) -> int:
    from trtlab._errors import EXIT_OK
    from trtlab.explain.catalog import search

    pages = search(" ".join(arguments.what))
    if arguments.json:
        listed = [
            {"id": page.id, "kind": page.kind, "title": page.title.to(arguments.lang), "number": page.number}
            for page in pages
        ]
        sys.stdout.write(json.dumps({"schema": "trtlab.explain.list/1", "pages": listed}, ensure_ascii=False) + "\n")
        return EXIT_OK
    width = max((len(page.id) for page in pages), default=0)
    for page in pages:
        sys.stdout.write(f"{page.id:{width}}  {page.title.to(arguments.lang)}\n")
    if not pages:
        sys.stderr.write("Nothing in the catalog holds these words.\n")
    return EXIT_OK


def _run_code(arguments: argparse.Namespace) -> int:
    from trtlab._errors import EXIT_OK, EXIT_PROBLEM
    from trtlab.explain.code import check_code, render_text

    report = check_code(Path(arguments.code), release=arguments.release)
    if arguments.json:
        sys.stdout.write(json.dumps({"schema": "trtlab.explain.code/1", **report.to_dict()}, ensure_ascii=False) + "\n")
    elif arguments.changed:
        sys.stdout.write(report.changed if report.changed is not None else _source(Path(arguments.code)))
    else:
        sys.stdout.write(render_text(report, lang=arguments.lang))
    return EXIT_PROBLEM if report.findings else EXIT_OK


def _source(path: Path) -> str:
    """Return a script as Python reads it, a notebook as it is."""
    import tokenize

    if path.suffix == ".ipynb":
        return path.read_text("utf-8")
    with tokenize.open(path) as stream:
        return stream.read()


def _print(found: Sequence[Diagnosis], *, everything: bool, language: str) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=False, emoji=False)
    words = _WORDS[language]
    if not found:
        console.print(words["nothing"])
        return
    is_page = found[0].is_page
    shown = [diagnosis for diagnosis in found if everything or diagnosis.root] or list(found[:1])
    for index, diagnosis in enumerate(shown):
        if index:
            console.print()
        _print_one(console, diagnosis, words, with_causes=is_page or not diagnosis.sure)
    rest = [diagnosis for diagnosis in found if diagnosis not in shown]
    if rest:
        console.print()
        console.print((words["pages"] if is_page else words["rest"]).format(len(rest)), style="dim")
    for diagnosis in rest if is_page else ():
        console.print(f"  {diagnosis.id}  {diagnosis.title}", style="dim", soft_wrap=True)


def _print_one(console: Console, diagnosis: Diagnosis, words: dict[str, str], *, with_causes: bool) -> None:
    from rich.text import Text

    icon, style = _ICONS[diagnosis.severity]
    code = f"  {diagnosis.tensorrt_code}" if diagnosis.tensorrt_code else ""
    console.print(Text.assemble((f"{icon} {diagnosis.title}", style), (f"  [{diagnosis.id}]{code}", "dim")))
    where = list(diagnosis.place.lines(diagnosis.language))
    if diagnosis.lines:
        first, last = diagnosis.lines
        where.append(words["line"].format(first) if first == last else words["lines"].format(first, last))
    rows = [(words["where"], ", ".join(where)), (words["why"], diagnosis.why or diagnosis.meaning)]
    if not diagnosis.sure and not diagnosis.is_page:
        rows.append((words["sure"], words["unsure"]))
    for name, text in rows:
        if text:
            console.print(Text.assemble((f"  {name}: ", "bold"), printable(text)))
    for number, cause in enumerate(diagnosis.causes[:_FEW_CAUSES] if with_causes else (), start=1):
        confirm = (f" {words['confirm']}: {printable(cause.evidence)}", "dim") if cause.evidence else ""
        console.print(Text.assemble((f"  {words['cause']} {number}: ", "bold"), printable(cause.text), confirm))
    for number, remedy in enumerate(diagnosis.remedies[:_FEW], start=1):
        name = words["do"] if number == 1 else words["or"]
        console.print(Text.assemble((f"  {name}: ", "bold green" if number == 1 else "bold"), printable(remedy.text)))
        for line in remedy.code_text().splitlines():
            # Not wrapped: it is there to be copied.
            console.print(Text(f"      {printable(line)}", "cyan"), soft_wrap=True)
    for url in diagnosis.references[:1]:
        console.print(Text(f"  {url}", "dim"), soft_wrap=True)
