"""The catalog is complete in both languages, and what it tells people to type can be typed."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import shlex

import pytest

import trtlab
from tests.explain.processes import run_python
from tests.explain.promised import PROMISED
from trtlab.cli import COMMANDS
from trtlab.explain.catalog import FACT, LANGUAGES, Entry, catalog, search
from trtlab.explain.compile_catalog import problems_of
from trtlab.explain.diagnosing import diagnosis_of
from trtlab.explain.facts import FACTS
from trtlab.explain.log.rules import rules

NAMES = (
    "PARSE_ERROR",
    "UNSUPPORTED_NODE",
    "INVALID_ARGUMENT",
    "INTERNAL_ERROR",
    "EXECUTION_FAILED",
    "CALIBRATION_FAILED",
)
ENTRIES = [pytest.param(entry, id=entry.id) for entry in catalog().values()]


def test_every_promised_id_is_there() -> None:
    assert [name for name in PROMISED if catalog()[name].kind != "diagnosis"] == []
    assert [name for name in NAMES if catalog()[f"name.{name}"].kind != "name"] == []


def test_every_member_of_tensorrts_enumerations_has_a_page_with_its_number() -> None:
    """The members are asked of the bindings that are installed here."""
    output = run_python("""
        import json, tensorrt_rtx as trt
        core = trt.ErrorCodeTRT if hasattr(trt, "ErrorCodeTRT") else trt.ErrorCode
        for kind, enum in (("nvinfer1", core), ("nvonnxparser", trt.ErrorCode)):
            for name, member in enum.__members__.items():
                print(kind, name, int(member))
    """)
    members = [line.split() for line in output.splitlines()]
    assert len(members) >= 25
    for kind, name, number in members:
        entry = catalog()[f"{kind}.ErrorCode.{name}"]
        assert entry.number == int(number)
        enum = f"{kind}.ErrorCode"
        assert trtlab.explain(name, enum=enum)[0].id == trtlab.explain(int(number), enum=enum)[0].id == entry.id


@pytest.mark.parametrize("entry", ENTRIES)
def test_page_is_complete_and_is_found_by_each_of_its_names(entry: Entry) -> None:
    assert problems_of(entry) == []
    for language in LANGUAGES:
        diagnosis = diagnosis_of(entry.id, language=language)
        assert diagnosis.title
        assert diagnosis.meaning
        assert all(cause.text and cause.evidence for cause in diagnosis.causes)
        assert diagnosis.remedies
        assert diagnosis.references
    assert entry.id in [page.id for page in search(entry.id)]
    assert any(found.id == entry.id for found in trtlab.explain(entry.id))


@pytest.mark.parametrize("entry", ENTRIES)
def test_sentences_are_whole_whatever_facts_are_known(entry: Entry) -> None:
    for text in entry.why:
        facts = dict.fromkeys(FACT.findall(text.en), "5")
        for language in LANGUAGES:
            why = diagnosis_of(entry.id, facts, language=language).why
            assert why
            assert not re.search(r"[{}]", why.replace("{ForeignNode", "")), why
    for fact in FACTS:
        assert "{" not in diagnosis_of(entry.id, {fact: "7"}).why


def codes(entry: Entry) -> list[str]:
    return [code for remedy in entry.remedies for code in (remedy.code, *remedy.code_for.values()) if code]


def is_python(code: str) -> bool:
    """Return whether it is Python and not a command or C++."""
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    if any(
        re.match(r"[\w./-]+ --?\w", line) or line.rstrip().endswith((";", "{", "}")) or "->" in line for line in lines
    ):
        return False
    first = lines[0]
    return bool(re.match(r"(import|from|with|for|if|def|class|assert|print|\w[\w.\[\]\"']* =|\w+(\.\w+)+\()", first))


PYTHON = [
    pytest.param(code, id=f"{entry.id}-{number}")
    for entry in catalog().values()
    for number, code in enumerate(codes(entry))
    if is_python(code)
]


@pytest.mark.parametrize("code", PYTHON)
def test_python_code_of_remedies_can_be_compiled(code: str) -> None:
    ast.parse(code)


def commands() -> list[str]:
    found = {
        line.split(" # ")[0].strip()
        for entry in catalog().values()
        for code in codes(entry)
        for line in code.splitlines()
        if line.startswith("trtlab ")
    }
    return sorted(found)


@pytest.mark.parametrize("command", commands())
def test_trtlab_commands_of_remedies_exist_with_these_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(re.split(r" [|>] | 2>", command)[0])
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    for module in COMMANDS.values():
        importlib.import_module(module).add_parser(subparsers)
    try:
        parser.parse_args(words[1:])
    except SystemExit as end:
        if end.code != 0:  # `--help` ends this way, too
            pytest.fail(capsys.readouterr().err)


def test_every_diagnosis_that_a_rule_can_give_has_a_page() -> None:
    ids = {name for rule in rules() for name in (rule.id, rule.alone, *rule.follows, *rule.absorbs) if name}
    assert ids <= catalog().keys()


def test_search_finds_pages_by_words_of_either_language() -> None:
    assert search("illegal memory access")[0].id in ("cuda.700", "runtime.cuda_illegal_access")
    assert "build.out_of_memory" in [page.id for page in search("内存 构建")]
    assert search("no such words anywhere in it") == ()
