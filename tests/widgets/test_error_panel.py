"""The error panel's kernel side: what it shows for each kind of subject, and that nothing the page sends can harm it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import trtlab
from trtlab.explain.catalog import LANGUAGES
from trtlab.widgets import ErrorPanel
from trtlab.widgets.error_words import WORDS

LOG = (
    "[05/07/2026-11:02:31] [I] Start parsing network model.\n"
    "[05/07/2026-11:02:40] [W] [TRT] Requested amount of GPU memory (8589934592 bytes) could not be allocated.\n"
    "[05/07/2026-11:02:41] [E] Error[10]: IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any "
    "implementation for node Conv_0.)\n"
)


def shown(what: object = None, **options: str) -> ErrorPanel:
    panel = ErrorPanel(what, **options)
    assert panel.wait(30)
    return panel


class Recorded(ErrorPanel):
    """Keeps what is sent to the page."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(*arguments, **options)

    def send(self, content: dict[str, Any], buffers: object = None) -> None:
        del buffers
        self.sent.append(content)


def told(panel: ErrorPanel, *buffers: bytes, **message: object) -> ErrorPanel:
    panel._receive(panel, message, [memoryview(buffer) for buffer in buffers])
    assert panel.wait(30)
    return panel


def test_log_is_shown_with_its_cause_its_marks_and_its_lines() -> None:
    panel = Recorded(LOG)
    assert panel.wait(30)
    view = panel.view
    assert view["headline"]["state"] == "error"
    assert view["headline"]["text"].endswith("(line 2)")
    assert [card["id"] for card in view["cards"]] == ["build.out_of_memory", "build.no_implementation"]
    assert [card["group"] for card in view["cards"]] == ["first", "consequence"]
    assert [mark[:3] for mark in view["marks"]] == [[2, 2, "root"], [3, 3, "consequence"]]
    told(panel, command="lines", generation=view["log"]["generation"], first=0, count=10)
    assert panel.sent[-1]["rows"][1] == (2, LOG.splitlines()[1])
    assert panel.diagnoses[0].id == "build.out_of_memory"
    assert panel.analysis is not None


def test_lines_of_an_earlier_log_are_not_sent() -> None:
    panel = Recorded(LOG)
    assert panel.wait(30)
    told(panel, command="lines", generation=panel.view["log"]["generation"] - 1, first=0, count=10)
    assert panel.sent == []


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("INVALID_ARGUMENT", "info"),
        (700, "info"),
        ("cuda 700", "info"),
        (None, "waiting"),
        ("all is well\n", "waiting"),
    ],
)
def test_codes_names_and_nothing(what: object, state: str) -> None:
    assert shown(what).view["headline"]["state"] == state


def test_exception_is_explained() -> None:
    try:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    except RuntimeError as error:
        panel = shown(error)
    assert panel.diagnoses[0].id == "runtime.cuda_illegal_access"
    assert "RuntimeError" in panel.view["source"]


def test_path_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "build.log"
    path.write_text(LOG)
    for what in (path, str(path)):
        panel = shown(what)
        assert panel.view["source"].startswith("build.log: 3 lines")
        assert str(path) in panel.view["python"]


def test_text_and_file_come_in_pieces() -> None:
    panel = shown()
    data = LOG.encode()
    told(panel, data[:100], command="upload", name="a.log", size=len(data), is_text=False, is_last=False)
    told(panel, data[100:], command="upload", is_last=True)
    assert panel.view["source"].startswith("a.log: 3 lines")
    told(panel, b"Error Code 10", command="upload", name="", size=13, is_text=True, is_last=True)
    assert panel.view["headline"]["state"] == "info"


def test_filters_choose_rows_and_marks_keep_their_rows() -> None:
    panel = told(shown(LOG), command="filter", show="marked", text="")
    assert panel.view["log"]["rows"] == 2
    assert panel.view["log"]["numbers"] == [0, 1]
    told(panel, command="filter", show="problems", text="CONV_0")
    assert panel.view["log"]["rows"] == 1
    assert panel.view["log"]["numbers"] == [-1, 0]


def test_language_is_switched_for_cards_labels_and_catalog() -> None:
    panel = told(shown(LOG), command="language", language="zh")
    assert panel.view["words"] == dict(WORDS["zh"])
    assert panel.view["cards"][0]["state_word"] == "错误"
    assert panel.diagnoses[0].language == "zh"
    told(panel, command="page", id="build.out_of_memory")
    assert panel.view["page"]["title"] == panel.diagnoses[0].title


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    english, chinese = (WORDS[language] for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert text.count("{}") == chinese[name].count("{}") or "{0}" in chinese[name], name


def test_catalog_is_searched() -> None:
    panel = told(shown(), command="catalog", query="out of memory", kind="diagnosis")
    rows = panel.view["catalog"]["rows"]
    assert "build.out_of_memory" in [row["id"] for row in rows]
    assert all(row["kind"] == "diagnosis" for row in rows)


def test_diagnoses_are_given_as_the_json_of_the_command_line() -> None:
    panel = Recorded(LOG)
    assert panel.wait(30)
    told(panel, command="diagnoses")
    document = json.loads(panel.sent[-1]["text"])
    assert document["schema"] == "trtlab.explain/1"
    assert document["diagnoses"][0]["id"] == "build.out_of_memory"


@pytest.mark.parametrize("what", ["INVALID_ARGUMENT", "cudaErrorIllegalAddress", 700, None])
def test_a_code_gives_the_very_diagnoses_of_explain(what: object) -> None:
    panel = shown()
    panel.explain(what)
    assert panel.wait(20)
    assert panel.diagnoses == trtlab.explain(what)
    assert panel.view["cards"][0]["title"] == panel.diagnoses[0].title


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"command": "nonsense"},
        {"command": "lines"},
        {"command": "language", "language": "xx"},
        {"command": "upload", "is_last": True},
        {"command": "upload", "name": "a", "size": 1 << 40, "is_text": False, "is_last": False},
        {"command": "open_path", "path": "/nowhere"},
        {"command": "filter", "show": "all"},
    ],
)
def test_whatever_is_wrong_with_a_command_is_said(message: dict[str, object]) -> None:
    panel = told(shown(LOG), **message)
    assert panel.view["headline"]["state"] == "failed"
    assert panel.view["headline"]["text"]
    assert panel.diagnoses[0].id == "build.out_of_memory", "what was shown before is still there"


def test_binary_file_is_said_to_be_no_log(tmp_path: Path) -> None:
    path = tmp_path / "model.engine"
    path.write_bytes(bytes(range(256)) * 100)
    panel = shown(str(path))
    assert panel.view["headline"]["state"] == "failed"
    assert "binary" in panel.view["headline"]["text"]


def test_reading_is_cancelled_by_the_next_log_and_by_the_button(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_text("".join(f"[E] something odd {number:x} failed\n" for number in range(400_000)))
    panel = shown()
    begun = threading.Event()
    panel.observe(lambda change: begun.set() if change["new"]["started"] else None, names="view")
    panel.explain(str(path))
    assert begun.wait(20)
    panel._receive(panel, {"command": "cancel"}, [])
    assert panel.wait(30)
    assert panel.view["headline"]["state"] == "cancelled"


def test_closed_panel_ends_its_thread() -> None:
    panel = shown(LOG)
    threads = {thread for thread in threading.enumerate() if thread.name == "trtlab-error-panel"}
    panel.close()
    for _ in range(100):
        if sum(thread.is_alive() for thread in threads) < len(threads):
            break
        threading.Event().wait(0.05)
    assert sum(thread.is_alive() for thread in threads) < len(threads)
