"""A report as text for a terminal and as HTML for a notebook, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.explain.code.scripts import checked
from trtlab._errors import InputError
from trtlab.explain.code import check_code, render_text


def test_text_names_place_reason_and_replacement() -> None:
    text = render_text(check_code("import tensorrt as trt\ntrt.BuilderFlag.FP16\n", release="11.4", name="old.py"))
    assert text.splitlines()[0] == "✕ old.py → TensorRT 11.4: 1 name that this release lacks"
    assert "  line 2, column 17: BuilderFlag.FP16 is gone since TensorRT 11.0 (10.16 still had it)." in text
    assert "    Do this: Networks are strongly typed here." in text
    assert "mechanically" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_text_says_what_is_uncertain_documented_guarded_and_changed() -> None:
    source = "import tensorrt as trt\ndef f(engine, builder):\n    engine.num_bindings\n    builder.fp16_mode\n"
    text = render_text(check_code(source + "if trt.__version__ < '10':\n    trt.UffParser\n", release="10.8"))
    assert "2 names that this release lacks" in text
    assert text.count("The object's type is not known here; the name is TensorRT's.") == 2
    assert text.count("According to documentation; no bindings of these releases were read.") == 1
    assert "1 of them can be changed mechanically: --changed prints the whole changed script." in text
    assert "1 more behind a test of the release; it may never be reached there." in text


def test_chinese_has_the_same_parts_and_no_english_sentence() -> None:
    text = render_text(checked("config.max_workspace_size = 1\nbuilder.fp16_mode = x"), lang="zh")
    assert "处用到了该版本没有的名称" in text
    assert "第 12 行，第 8 列：IBuilderConfig.max_workspace_size 从 TensorRT 10.0 起没有了（8.6 还有）。" in text
    assert "建议操作：" in text
    assert "可以自动修改" in text
    assert "依据文档" in text
    assert " is gone" not in text


def test_nothing_found_is_said_with_a_reason() -> None:
    assert render_text(checked("", "11.4")) == "✓ the script → TensorRT 11.4: uses nothing that this release lacks.\n"
    assert (
        render_text(check_code("x = 1", release="rtx-1.7"))
        == "✓ the script → TensorRT-RTX 1.7: does not import TensorRT.\n"
    )


def test_another_release_that_stands_for_the_one_asked_for_is_named() -> None:
    assert "Its bindings were not read; those of 8.6.1 stand for it." in render_text(checked("", "8.2"))
    assert "stand for it" not in render_text(checked("", "10.8.0.43"))


def test_cells_that_were_not_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "x = ("}]}))
    assert "Not read: book.ipynb, cell 1 is not Python 3 at line 1" in render_text(check_code(path, release="10.8"))


def test_other_kinds_of_findings_have_sentences_of_their_own() -> None:
    kinds = {
        "import tensorrt_rtx as trt": "This release is not the module tensorrt_rtx.",
        "import tensorrt as trt\ntrt.ComputeCapability": "ComputeCapability is in TensorRT-RTX only.",
        "import tensorrt as trt\ndef f(c: trt.IExecutionContext):\n    c.active_optimization_profile = 1":
            "IExecutionContext.active_optimization_profile can only be read since TensorRT 10.0 (8.6 could still set it).",
    }  # fmt: skip
    for source, sentence in kinds.items():
        report = check_code(source, release="11.4")
        assert sentence in render_text(report)
        for finding in report.findings:
            assert finding.sentence("zh").endswith("。")
            assert finding.replacement.zh


def test_a_script_cannot_drive_the_terminal_or_the_page() -> None:
    evil = "x\x1b[2J<script>.py"
    report = check_code("import tensorrt as trt\ntrt.BuilderFlag.FP16  # <script>\n", release="11.4", name=evil)
    assert "\x1b" not in render_text(report)
    bundle = report._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"]
    changed = check_code("import tensorrt\ndef f(engine):\n    engine.num_bindings  # <script>", release="10.8")
    assert "<script>" not in changed._repr_mimebundle_()["text/html"]
    assert "&lt;script&gt;" in changed._repr_mimebundle_()["text/html"]


def test_repr_is_a_few_lines() -> None:
    assert len(repr(checked("engine.num_bindings\n" * 9)).splitlines()) == 5
    assert "nothing that it lacks" in repr(checked(""))
    assert "✓" in checked("")._repr_mimebundle_()["text/html"]


def test_another_language_is_refused() -> None:
    with pytest.raises(InputError, match="lang='fr'"):
        render_text(checked(""), lang="fr")
