"""Explain what ends a step of a build: TensorRT's own errors, the end of the worker, the file system."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace

from trtlab._engine_results import ParserError
from trtlab.explain.catalog import Language
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.diagnosis import Cause, Diagnosis
from trtlab.explain.exceptions import driver_is_here
from trtlab.explain.log import analyse_log
from trtlab.explain.parsing import with_refusal
from trtlab.explain.refusals import CPLUSPLUS, INTERNAL_WORDS, Refusal, explain_refusal
from trtlab.explain.wording import clean_message, first_reason, first_sentence
from trtlab.model.node_description import RefusalFacts
from trtlab.worker.ending import Ending


def diagnose_build(
    messages: Sequence[str], *, step: str = "build", version: str = "", language: Language = "en"
) -> Diagnosis:
    """Return the diagnosis of a build that TensorRT refused.

    Args:
        messages: The errors of its log, in order; together they decide.
        step: The step that failed.
        version: TensorRT's version (`10.8`, `rtx-1.7`), so that remedies fit it.
        language: Of the texts.
    """
    text = "".join(f"[E] {message}\n" for message in messages)
    found = analyse_log(text, lang=language, version=version, has_driver=driver_is_here()).diagnoses
    roots = [diagnosis for diagnosis in found if diagnosis.root and diagnosis.severity != "harmless"]
    root = next((diagnosis for diagnosis in roots if diagnosis.severity == "error"), next(iter(roots), None))
    # The tail about a missing driver counts only where there is nothing else.
    reason = first_reason("\n".join(filter(None, map(clean_message, messages))) or "\n".join(messages))
    original = "\n".join(messages)
    if root is None:
        root = diagnosis_of(
            "build.failed", {"reason": reason} if reason else {}, language=language, version=version, sure=False
        )
    place = replace(root.place, step=step)
    why = first_sentence(root.why) or reason or root.meaning
    return replace(root, place=place, why=why, original=original, lines=None)


def diagnose_build_of_node(
    messages: Sequence[str], *, facts: RefusalFacts, version: str = "", language: Language = "en"
) -> Diagnosis:
    """Return the diagnosis of one node that TensorRT parses and its builder refuses.

    The reason is never empty and never a line of TensorRT's source: the builder talks of its own layers, so a reason that is
    known (`data/restrictions.yaml`) is said in the words of the model.

    Args:
        messages: The errors of the builder's log, in order.
        facts: What the model says about the node; without a node, only what holds for any is said.
        version: TensorRT's version (`10.8`, `rtx-1.7`), so that remedies fit it.
        language: Of the texts.
    """
    found = diagnose_build(messages, version=version, language=language)
    text = "\n".join(filter(None, map(clean_message, messages)))
    refusal = explain_refusal(ParserError("", text), facts=facts, language=language, by="builder")
    given = {**found.facts, **refusal.facts, "reason": refusal.reason}
    if refusal.diagnosis not in ("", found.id):
        found = diagnosis_of(
            refusal.diagnosis, given, language=language, version=version, step="build", tensorrt_code=found.tensorrt_code,
            why=refusal.reason, original=found.original,
        )  # fmt: skip
    elif not refusal.restriction:
        return _in_plain_words(found, refusal, facts)
    return with_refusal(replace(found, facts=given), refusal)


def _in_plain_words(found: Diagnosis, refusal: Refusal, facts: RefusalFacts) -> Diagnosis:
    """Return the diagnosis of a refusal that nobody has explained: the catalog's sentence if it can be read, else a general one."""
    if INTERNAL_WORDS.search(found.why) or CPLUSPLUS.search(found.why):
        found = replace(found, why=refusal.reason if facts.node is not None else found.meaning)
    return with_refusal(found, refusal)


_ENDING_IDS = {
    "crash": "worker.crash", "killed": "worker.killed", "out_of_memory": "build.out_of_memory", "memory_limit": "build.out_of_memory",
    "time_limit": "worker.time_limit", "damaged": "worker.damaged", "exit": "worker.exit", "closed": "worker.closed",
}  # fmt: skip
_AFTER = {
    "en": "The notebook's kernel was not affected, and the next build starts a new process.",
    "zh": "notebook 的内核不受影响，下一次构建会启动新的进程。",
}
_LAST_LOGGED = {"en": "The last thing TensorRT logged before it.", "zh": "TensorRT 在此之前的最后一条日志。"}


def diagnose_ending(ending: Ending, *, step: str, last_message: str, language: Language = "en") -> Diagnosis:
    """Return the diagnosis of a worker that ended during a step.

    Args:
        ending: How it ended.
        step: The step that ran.
        last_message: The last thing that TensorRT logged before, if it did.
        language: Of the texts.
    """
    diagnosis = diagnosis_of(
        _ENDING_IDS.get(ending.kind, "worker.exit"),
        language=language,
        step=step,
        why=f"{ending.text} {_AFTER[language]}",
        tensorrt_code=ending.signal_name,
        original=ending.last_output,
        sure=ending.kind not in ("killed", "exit"),
    )
    last = (Cause(_LAST_LOGGED[language], last_message),) if last_message else ()
    return replace(diagnosis, causes=(*last, *diagnosis.causes))


def diagnose_file_error(error: OSError, *, step: str, path: str, language: Language = "en") -> Diagnosis:
    """Return the diagnosis of a file that could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        identifier = "file.disk_full"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        identifier = "file.not_writable"
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        identifier = "file.no_folder"
    else:
        identifier = "file.failed"
    kept = "没有留下写了一半的文件。" if language == "zh" else "Nothing was left half-written."
    why = f"{path}: {error.strerror or error}. {kept}"
    return diagnosis_of(identifier, {"path": path}, language=language, step=step, why=why, original=str(error))
