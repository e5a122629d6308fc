"""From a log to its diagnoses."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

from trtlab._engine_results import ParserError
from trtlab._errors import CancelledError
from trtlab.explain.catalog import Language, check_language
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Diagnosis, LineMark, LineRole, LogAnalysis, Remedy
from trtlab.explain.evidence import causes_from, completed_facts
from trtlab.explain.log.findings import Finding, Findings
from trtlab.explain.log.reading import LogSource, blocks
from trtlab.explain.log.scanning import Scan
from trtlab.explain.parsing import with_refusal
from trtlab.explain.refusals import explain_refusal

_TOOLS: tuple[tuple[str, str], ...] = (
    ("TensorRT.trtexec", "trtexec"),
    ("onnxruntime", "ONNX Runtime"), ("TensorRT EP", "ONNX Runtime"), ("TRT-LLM", "TensorRT-LLM"),
    ("torch_tensorrt", "Torch-TensorRT"), ("Torch-TensorRT", "Torch-TensorRT"), ("nvdsinfer", "DeepStream"), ("NvDsInfer", "DeepStream"),
    ("nvinfer_server", "DeepStream"),
    ("triton", "Triton"), ("retrier.cc", "Triton"), ("polygraphy", "Polygraphy"), ("ultralytics", "Ultralytics"),
    ("trt_engine_op", "TensorFlow-TensorRT"), ("Traceback (most recent call last)", "Python"),
)  # fmt: skip
_CODE = re.compile(r"Error Code (\d+): ([A-Z][A-Za-z ]*?)\s*(?:\(|\.|$)|Error Code: (\d+)|\bError\[(\d+)\]")
_PARSER_CODE = re.compile(
    r"(?:^|\s)\[(\d{1,2})\] (?:Assertion failed|No importer|Invalid Node)|\b(UNSUPPORTED_\w+|INVALID_\w+|MODEL_DESERIALIZE_FAILED): "
)
# What the parser says behind its code: `UNSUPPORTED_NODE: Assertion failed: ...`, `[8] Assertion failed: ...`.
_REFUSED = re.compile(
    r"(?:\b(?:UNSUPPORTED_NODE\w*|INVALID_(?:NODE|VALUE)|INTERNAL_ERROR): |\[\d{1,2}\] )(?P<text>Assertion failed: [^\n]*|false\b[^\n]*)"
)
# A program says what it is in its first lines.
_TOOL_LINES = 20_000


def analyse_log(
    source: LogSource,
    *,
    lang: str = "en",
    version: str = "",
    has_driver: bool | None = None,
    cancelled: threading.Event | None = None,
) -> LogAnalysis:
    """Read a whole log and return what it says, root cause first.

    Args:
        source: The log: its text, its bytes, a path (an `os.PathLike`; a plain string is always the text), or an open file. Of any
            size; it is read once, in blocks.
        lang: Language of the texts, `en` or `zh`.
        version: TensorRT's version (`10.8`, `rtx-1.7`), where the caller knows it; else what the log says.
        has_driver: Whether the machine that wrote the log has an NVIDIA driver, where the caller knows it: TensorRT's message is
            the same for none and for one that is too old.
        cancelled: Stops the reading when it is set.

    Returns:
        What was recognised; nothing rather than a guess.

    Raises:
        InputError: The source cannot be read or is not text, or the language is unknown.
        CancelledError: `cancelled` was set.
    """
    language = check_language(lang)
    scan, findings, tool = Scan(), Findings(), ""
    for block in blocks(source):
        if cancelled is not None and cancelled.is_set():
            raise CancelledError("Reading the log was cancelled.")
        for match in scan.matches(block):
            findings.add(match)
        if not tool and block.first_line <= _TOOL_LINES:
            tool = _tool_in(block.content)
    version = version or scan.version
    judged = findings.judged()
    diagnoses: list[Diagnosis] = []
    marks: list[LineMark] = []
    for finding in _grouped(judged):
        if finding.role == "consequence" and not diagnoses:
            continue  # follows from something that the log does not hold, and says nothing by itself
        diagnosis = _diagnosis(
            finding, version=version, language=language, has_driver=has_driver, is_first=not diagnoses
        )
        marks += _marks(finding, diagnosis, len(diagnoses))
        diagnoses.append(diagnosis)
    marks.sort(key=lambda mark: (mark.first, mark.last))
    return LogAnalysis(tuple(diagnoses), tuple(marks), scan.line_count, tool, version)


def _tool_in(content: bytes) -> str:
    return next((name for piece, name in _TOOLS if piece.encode() in content), "")


def _grouped(judged: list[Finding]) -> list[Finding]:
    """Return causes, then consequences, then what is harmless, each kind in the order of the log."""
    rank = {"cause": 0, "hint": 1, "consequence": 2, "harmless": 3}
    first = judged[:1]
    return first + sorted(judged[1:], key=lambda finding: rank[finding.role])


def _diagnosis(
    finding: Finding, *, version: str, language: Language, has_driver: bool | None, is_first: bool
) -> Diagnosis:
    match = finding.match
    identifier, facts = completed_facts(finding.id, match.facts, match.message, version=version, has_driver=has_driver)
    severity = match.rule.severity or None
    if finding.role == "hint" and not is_first:
        severity = "warning"
    diagnosis = diagnosis_of(
        identifier,
        facts,
        language=language,
        version=version,
        severity=severity,
        root=finding.role == "cause" and (is_first or (severity != "warning" and match.rule.role == "cause")),
        tensorrt_code=code_in(match.message) or code_in(match.line.text),
        original=match.message,
        lines=(match.first, match.last),
        sure=match.rule.sure,
    )
    known = causes_from(identifier, facts, language=language)
    if known:
        diagnosis = replace(diagnosis, causes=(*known, *diagnosis.causes))
    if identifier == "api.removed":
        return _with_replacement(diagnosis)
    return _with_parsers_reason(diagnosis, match.message) if identifier.startswith("parse.") else diagnosis


def _with_replacement(diagnosis: Diagnosis) -> Diagnosis:
    """Say since when a name is gone, and first of all what replaces it."""
    from trtlab.explain.code.changes import removed_symbol  # its table is only read where a name is missing

    symbol = diagnosis.facts.get("symbol", "")
    change = removed_symbol(diagnosis.facts.get("function", "tensorrt"), symbol) or removed_symbol(None, symbol)
    if change is None:
        return diagnosis
    language = check_language(diagnosis.language)
    remedies = (Remedy(change.replacement.to(language)), *diagnosis.remedies)
    references = (*change.references, *(url for url in diagnosis.references if url not in change.references))
    return replace(diagnosis, why=change.sentence(language), remedies=remedies, references=references)


def _with_parsers_reason(diagnosis: Diagnosis, message: str) -> Diagnosis:
    """Say what the parser means where it names only a condition of its source, or the word `false`."""
    said = _REFUSED.search(message)
    operator = diagnosis.place.operator
    if said is None or not operator:
        return diagnosis
    error = ParserError(code="", text=said["text"].strip(), node_name=diagnosis.place.node, operator=operator)
    refusal = explain_refusal(error, known=diagnosis.facts, language=check_language(diagnosis.language))
    return with_refusal(diagnosis, refusal) if refusal.restriction else diagnosis


def code_in(text: str) -> str:
    """Return the code that a message gives: `Error Code 4: Internal Error`, or the parser's `[8] UNSUPPORTED_NODE`."""
    found = _CODE.search(text)
    if found:
        number = next(filter(None, (found[1], found[3], found[4])))
        return f"Error Code {number}: {found[2]}" if found[2] else f"Error Code {number}"
    parser = _PARSER_CODE.search(text)
    if parser is None:
        return ""
    return parser[2] or PARSER_CODES.get(int(parser[1]), f"[{parser[1]}]")


PARSER_CODES = {
    0: "SUCCESS", 1: "INTERNAL_ERROR", 2: "MEM_ALLOC_FAILED", 3: "MODEL_DESERIALIZE_FAILED", 4: "INVALID_VALUE", 5: "INVALID_GRAPH",
    6: "INVALID_NODE", 7: "UNSUPPORTED_GRAPH", 8: "UNSUPPORTED_NODE", 9: "UNSUPPORTED_NODE_ATTR", 10: "UNSUPPORTED_NODE_INPUT",
    11: "UNSUPPORTED_NODE_DATATYPE", 12: "UNSUPPORTED_NODE_DYNAMIC", 13: "UNSUPPORTED_NODE_SHAPE", 14: "REFIT_FAILED",
}  # fmt: skip


def _marks(finding: Finding, diagnosis: Diagnosis, index: int) -> list[LineMark]:
    role: LineRole = "harmless"
    if finding.role == "consequence":
        role = "consequence"
    elif finding.role == "hint" and index > 0:
        role = "evidence"
    elif finding.role != "harmless":
        role = "root" if diagnosis.root and index == 0 else "error"
    return [LineMark(first, last, role, index) for first, last in finding.spans]
