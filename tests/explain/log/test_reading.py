"""Whatever a log comes in, its lines are the same; what is no log is refused with a reason."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab._errors import InputError
from trtlab.explain.log import reading
from trtlab.explain.log.reading import blocks

TEXT = "first line\nzweite Zeile é\n第三行\n"


def joined(source: reading.LogSource) -> str:
    return b"".join(block.content for block in blocks(source)).decode()


def test_every_kind_of_source_gives_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "build.log"
    path.write_text(TEXT, "utf-8")
    with path.open("rb") as binary, path.open(encoding="utf-8") as text:
        sources: list[reading.LogSource] = [TEXT, TEXT.encode(), path, io.BytesIO(TEXT.encode()), binary, text]
        assert [joined(source) for source in sources] == [TEXT] * len(sources)


def test_windows_line_ends_utf_16_and_progress_bars() -> None:
    assert joined("a\r\nb\r\n") == "a\nb\n"
    assert joined("\ufeffa\r\nb".encode("utf-16-le")) == "a\nb", "the mark of the encoding is no part of the text"
    assert joined("\ufeffa\nb".encode()) == "a\nb"
    assert joined("10 %\r50 %\r100 %\nnext") == "100 %\nnext"


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), max_size=30),
    size=st.integers(1, 40),
)
def test_blocks_hold_whole_lines_with_their_numbers(lines: list[str], size: int) -> None:
    text = "\n".join(lines)
    before = reading._BLOCK_BYTES
    reading._BLOCK_BYTES = size
    try:
        found = list(blocks(text))
    finally:
        reading._BLOCK_BYTES = before
    assert b"".join(block.content for block in found).decode() == text
    assert [block.is_last for block in found] == [False] * (len(found) - 1) + [True]
    number = 1
    for block in found:
        assert block.first_line == number
        assert block.is_last or block.content.endswith(b"\n")
        number += block.content.count(b"\n")


def test_a_line_without_end_comes_in_pieces() -> None:
    found = list(blocks(b"x" * 5_000_000))
    assert len(found) > 3
    assert sum(len(block.content) for block in found) == 5_000_000


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02" * 1000, b"ftrt\x01\x00\x00\x00" + bytes(500), b"PK\x03\x04" + bytes(range(256)) * 4]
)
def test_binary_files_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="not a log: it is binary"):
        list(blocks(content))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.log cannot be read: No such file"):
        list(blocks(tmp_path / "nothing.log"))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        list(blocks(tmp_path))


def test_invalid_utf_8_is_text_all_the_same() -> None:
    assert list(blocks(b"caf\xe9 failed\n" * 10))
