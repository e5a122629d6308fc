"""A log as the error panel shows it: any line at once, however long the log, without holding it in memory."""

from __future__ import annotations

import os
import re
import tempfile
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from trtlab.explain.log.lines import read_line
from trtlab.explain.log.reading import LogSource, blocks

# Where each 64th line begins is kept: 1 MB for a log of 8 million lines.
_LINES_A_MARK = 64
_LONGEST_SHOWN_LINE = 4000
_MOST_ROWS = 1_000_000
_CONTROL_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) != "\t"} | {127: 0x2421}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PROBLEMS = ("error", "fatal", "warning")


class LogText:
    """The lines of a log in a temporary file that has no name, so that it goes with the last reference to it.

    Attributes:
        name: What the log is called: a file's name, or "pasted text".
        line_count: Lines.
        byte_count: Bytes, as UTF-8.
    """

    def __init__(self, source: LogSource, *, name: str) -> None:
        """Read `source` once.

        Raises:
            InputError: It cannot be read or is not text.
            OSError: There is no room for it in the folder of temporary files.
        """
        self.name = name
        self.line_count = 0
        self.byte_count = 0
        self._marks = array("Q", [0])
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="trtlab-log-")  # noqa: SIM115 - kept open as long as this lives
        try:
            for block in blocks(source):
                self._take(block.content)
        except BaseException:
            self._file.close()
            raise
        self._file.flush()
        weakref.finalize(self, self._file.close)

    def _take(self, content: bytes) -> None:
        if not content:
            return
        if not content.endswith(b"\n"):
            content += b"\n"
        position = -1
        # Positions of every 64th line feed, found without making a list of all lines.
        for count, position in enumerate(_line_ends(content), start=self.line_count + 1):
            if count % _LINES_A_MARK == 0:
                self._marks.append(self.byte_count + position + 1)
        self.line_count = count
        self._file.write(content)
        self.byte_count += len(content)

    def stream(self) -> IO[bytes]:
        """Return the whole log as a file of its own position, for who reads it once; the caller closes it."""
        descriptor = os.open(f"/proc/self/fd/{self._file.fileno()}", os.O_RDONLY)
        return os.fdopen(descriptor, "rb")

    def lines(self, first: int, last: int) -> list[str]:
        """Return the lines `first` to `last`, counted from 1, without terminal colours; long ones are cut."""
        first, last = max(first, 1), min(last, self.line_count)
        if first > last:
            return []
        mark, after = (first - 1) // _LINES_A_MARK, (last - 1) // _LINES_A_MARK + 1
        start, end = self._marks[mark], self._marks[after] if after < len(self._marks) else self.byte_count
        content = os.pread(self._file.fileno(), end - start, start)
        skipped = first - 1 - mark * _LINES_A_MARK
        return [_shown(line) for line in content.split(b"\n")[skipped : skipped + last - first + 1]]

    def find(self, *, text: str = "", only_problems: bool = False) -> array[int]:
        """Return the numbers of the lines that hold `text` (in either case) and, if asked for, that say they are a problem.

        At most a million are returned, the first ones.
        """
        wanted = text.casefold()
        found = array("Q")
        with self.stream() as stream:
            for number, raw in enumerate(stream, start=1):
                line = raw.decode("utf-8", "replace")
                if wanted and wanted not in line.casefold():
                    continue
                if only_problems and read_line(line[:_LONGEST_SHOWN_LINE]).severity not in _PROBLEMS:
                    continue
                found.append(number)
                if len(found) >= _MOST_ROWS:
                    break
        return found

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def open_log(path: str | os.PathLike[str]) -> LogText:
    """Return the log in a file.

    Raises:
        InputError: The file cannot be read or is not text.
    """
    place = Path(path).expanduser()
    return LogText(place, name=place.name)


def _line_ends(content: bytes) -> Iterator[int]:
    position = content.find(b"\n")
    while position >= 0:
        yield position
        position = content.find(b"\n", position + 1)


def _shown(raw: bytes) -> str:
    """Return a line as text that a page can show: colours are left out, what else a terminal would obey becomes visible."""
    text = _COLOURS.sub("", raw[: 2 * _LONGEST_SHOWN_LINE].decode("utf-8", "replace")).translate(_CONTROL_PICTURES)
    is_cut = len(raw) > 2 * _LONGEST_SHOWN_LINE or len(text) > _LONGEST_SHOWN_LINE
    return f"{text[:_LONGEST_SHOWN_LINE]}…" if is_cut else text
