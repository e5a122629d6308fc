"""The error panel's log: every line at its number, whatever the log is like, and nothing left behind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtlab._errors import InputError
from trtlab.widgets.log_text import LogText, open_log


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x1b"), max_size=30), max_size=300),
    data=st.data(),
)
def test_lines_are_those_of_the_text(lines: list[str], data: st.DataObject) -> None:
    log = LogText("".join(f"{line}\n" for line in lines), name="log")
    assert log.line_count == len(lines)
    first = data.draw(st.integers(1, max(1, len(lines))))
    last = data.draw(st.integers(first, max(first, len(lines)) + 3))
    found = log.lines(first, last)
    assert len(found) == len(lines[first - 1 : last])
    for shown, line in zip(found, lines[first - 1 : last], strict=True):
        assert all(ord(letter) >= 32 or letter == "\t" for letter in shown)
        assert not line.isprintable() or shown == line
    log.close()


def test_a_line_far_down_a_long_log_is_found_at_once() -> None:
    log = LogText(io.BytesIO(b"".join(b"line %d\n" % number for number in range(1, 300_001))), name="log")
    assert log.line_count == 300_000
    assert log.lines(299_999, 300_000) == ["line 299999", "line 300000"]
    assert log.lines(64, 66) == ["line 64", "line 65", "line 66"]
    assert log.lines(300_001, 300_010) == []


def test_colours_are_left_out_and_other_escapes_are_seen() -> None:
    log = LogText("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\n", name="log")
    assert log.lines(1, 1) == ["red ␛]0;title␇ ␛[2J"]


def test_long_lines_are_cut_for_the_page_only() -> None:
    log = LogText("x" * 100_000 + "\nend\n", name="log")
    assert len(log.lines(1, 1)[0]) == 4001
    assert log.lines(2, 2) == ["end"]
    assert log.byte_count == 100_005


def test_searching_finds_words_in_either_case_and_problems_by_their_prefix() -> None:
    log = LogText("[I] Alpha\n[E] beta\nalpha again\n[W] ALPHA\n", name="log")
    assert list(log.find(text="alpha")) == [1, 3, 4]
    assert list(log.find(only_problems=True)) == [2, 4]
    assert list(log.find(text="alpha", only_problems=True)) == [4]


def test_utf_16_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.log"
    path.write_bytes("first\r\nsecond 错误\r\n".encode("utf-16"))
    assert open_log(path).lines(1, 2) == ["first", "second 错误"]


@pytest.mark.parametrize("content", [bytes(range(256)) * 100, b"\x00" * 1000])
def test_binary_is_refused_and_leaves_no_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.engine"
    path.write_bytes(content)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(InputError, match="binary"):
        open_log(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
