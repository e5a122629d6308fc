"""Find the messages of a log that mean something, at some tens of megabytes a second.

The lines of a log repeat, apart from their numbers. So each line is looked up without its digits among those that are known to
be of no interest; only new ones are searched for the pieces of text that rules look for, and only what holds one is taken apart
and given to the rules, with what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from trtlab.explain.log.lines import Line, read_line
from trtlab.explain.log.reading import Block
from trtlab.explain.log.rules import Recogniser, Rule

_DIGITS = b"0123456789"
_VERBOSE = re.compile(rb"^[^\n]{0,60}?(?:\[V\]|\[X\]|\[V:onnxruntime|\bVERBOSE\b|\bDEBUG\b)")
_PARSING = b"Parsing node: "
_VERSION = re.compile(
    rb"(?:TensorRT[ -]?(?:RTX )?(?:version|Version)?:?\s*v?|\[TensorRT v|tensorrt(?:-rtx|-cu\d+)?==)(\d+\.\d+\.\d+(?:\.\d+)?|\d{4,6}\])"
)
# Messages of several lines: how many more belong to one at most, and how long a message may get.
_MOST_FOLLOWING = 8
_LONGEST_MESSAGE = 6000
_BEFORE = 2048
_MOST_DULL = 100_000
_MOST_REPEATED = 5000
_FEW, _MANY = 3, 100
# Rules of a lower rank only name a category; the lines below may say more.
_VAGUE_RANK = 20


@dataclass(frozen=True)
class Match:
    """A message that a rule fits.

    Attributes:
        rule: The rule.
        facts: What the message says.
        first: Its first line in the log, counted from 1.
        last: Its last line.
        message: Its text without colours; of the first line without its prefixes.
        line: The first line, taken apart.
    """

    rule: Rule
    facts: dict[str, str]
    first: int
    last: int
    message: str
    line: Line


@dataclass
class _Repeated:
    """A message that came before, and how often."""

    match: Match
    count: int = 0


@dataclass
class Scan:
    """Goes through the blocks of one log.

    Attributes:
        line_count: Lines seen so far.
        version: TensorRT's version, as soon as a line says it.
    """

    line_count: int = 0
    version: str = ""
    _recogniser: Recogniser = field(default_factory=Recogniser)
    _dull: set[bytes] = field(default_factory=set)
    _repeated: dict[bytes, _Repeated] = field(default_factory=dict)
    _lines: list[bytes] = field(default_factory=list)
    _parsing: str = ""

    def matches(self, block: Block) -> Iterator[Match]:
        """Yield the matches in a block, in the order of its lines. The last lines wait for the next one: they may go on there."""
        if not self.version and (found := _VERSION.search(block.content)):
            self.version = _version(found[1].decode())
        # What was held back has no part that is new, so both lists are cut at the same places.
        content = b"\n".join((*self._lines, block.content)) if self._lines else block.content
        first = block.first_line - len(self._lines)
        lines = content.split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        keys = content.translate(None, _DIGITS).split(b"\n")
        self.line_count = first - 1 + len(lines)
        end = len(lines) if block.is_last else max(0, len(lines) - _MOST_FOLLOWING)
        self._lines = lines[end:]
        yield from self._matches_in(lines, keys, end, first)
        self._parsing = self._parsing_before(lines, end)

    def _matches_in(self, lines: list[bytes], keys: list[bytes], end: int, first: int) -> Iterator[Match]:
        dull, beyond = self._dull, 0
        for index in [index for index, key in enumerate(keys[:end]) if key not in dull]:
            if index < beyond or keys[index] in dull:
                continue  # belongs to the message before, or was learnt meanwhile
            if self._is_dull(keys[index]):
                self._learn(keys[index])
                continue
            known = self._repeated.get(keys[index])
            if known is not None and known.count >= (_FEW if known.match.rule.role == "harmless" else _MANY):
                # The same but for its numbers, again and again: it counts, and has nothing new to say.
                length = known.match.last - known.match.first
                beyond = index + length + 1
                yield replace(known.match, first=first + index, last=first + index + length)
                continue
            match, beyond = self._match_at(lines, index, first)
            if match is not None:
                self._repeated.setdefault(keys[index], _Repeated(match)).count += 1
                if len(self._repeated) > _MOST_REPEATED:
                    self._repeated.clear()
                yield match
            elif beyond == index + 1 and not _can_go_on(read_line(_decoded(lines[index]))):
                self._learn(keys[index])

    def _learn(self, key: bytes) -> None:
        """Remember that lines like this say nothing."""
        if len(self._dull) >= _MOST_DULL:
            self._dull.clear()
        self._dull.add(key)

    def _is_dull(self, key: bytes) -> bool:
        return _VERBOSE.match(key) is not None or not self._recogniser.holds_a_piece(key)

    def _match_at(self, lines: list[bytes], index: int, first: int) -> tuple[Match | None, int]:
        """Return the match of the message that begins at a line, and the index of the line behind it."""
        line = read_line(_decoded(lines[index]))
        if line.severity == "verbose":
            return None, index + 1
        quiet = line.severity == "info"
        found = self._recogniser.recognise(line.message, quiet=quiet)
        count = 0
        message = line.message
        if (found is None or found[0].rank <= _VAGUE_RANK) and _can_go_on(line):
            # A reason may stand lines below, and terminals and mails break lines in the middle of words.
            following = _following_lines(lines, index)
            for glue in (" ", "") if following else ():
                longer = self._recogniser.recognise(_joined(line, following, glue), quiet=quiet)
                if longer is not None and (found is None or longer[0].rank > found[0].rank):
                    found, count = longer, self._lines_needed(line, following, glue, longer[0], quiet=quiet)
                    message = _joined(line, following[:count], glue)
                    if longer[0].rank > _VAGUE_RANK:
                        break
        if found is None:
            return None, index + 1
        rule, facts = found
        if rule.id.startswith("parse.") and (node := _IN_NODE.search(message)):
            facts = {**{name: value for name, value in node.groupdict().items() if value}, **facts}
        if "node" not in facts and rule.id.startswith("parse.") and (parsing := self._parsing_before(lines, index)):
            facts = {**_node_of(parsing), **facts}
        return Match(rule, facts, first + index, first + index + count, message, line), index + count + 1

    def _lines_needed(self, line: Line, following: list[str], glue: str, rule: Rule, *, quiet: bool) -> int:
        """Return how many of the lines below are needed for the rule to fit."""
        for count in range(1, len(following)):
            found = self._recogniser.recognise(_joined(line, following[:count], glue), quiet=quiet)
            if found is not None and found[0] is rule:
                return count
        return len(following)

    def _parsing_before(self, lines: list[bytes], index: int) -> str:
        """Return what the last `Parsing node:` before a line says."""
        for position in range(index - 1, max(-1, index - 2000), -1):
            if _PARSING in lines[position]:
                return _decoded(lines[position]).partition(_PARSING.decode())[2]
        return self._parsing


# How trtexec and the parser's own error print where they were.
_IN_NODE = re.compile(r"In node -?\d+ (?:with name: (?P<node>[^\n]{0,2000}?) and operator: (?P<operator>\S+) )?\(")


def _can_go_on(line: Line) -> bool:
    """Return whether a line can be the first of a message whose reason stands below: errors can, a list of layers cannot."""
    return line.severity in ("error", "fatal", "warning") or _ALARMING.search(line.message) is not None


_ALARMING = re.compile(
    r"[Ee]rror|ERROR|[Ff]ail|FAIL|[Aa]ssert|[Ee]xception|[Ww]arning|WARN|While parsing|[Uu]nsupported|[Cc]annot|[Uu]nable|[Cc]ould not"
)


def _node_of(parsing: str) -> dict[str, str]:
    name, bracket, operator = parsing.rstrip().rpartition(" [")
    return {"node": name, "operator": operator.rstrip("]")} if bracket else {}


def _decoded(line: bytes) -> str:
    if len(line) > _LONGEST_MESSAGE:
        # A message in a line of megabytes: what is around the first word that says something went wrong.
        hits = (line.find(word) for word in (b"rror", b"ail", b"RROR", b"annot", b"not "))
        hit = min((position for position in hits if position >= 0), default=0)
        begin = max(0, hit - _BEFORE)
        line = line[begin : begin + _LONGEST_MESSAGE]
    return line.decode("utf-8", "replace")


def _following_lines(lines: list[bytes], index: int) -> list[str]:
    """Return the lines below that can belong to the same message."""
    following: list[str] = []
    for content in lines[index + 1 : index + 1 + _MOST_FOLLOWING]:
        line = read_line(_decoded(content))
        # A prefix with a severity begins another message; one without can be repeated on each line of one message.
        if line.severity or line.text.startswith(("Traceback ", "&&&& ")):
            break
        following.append(line.message.strip())
    while following and not following[-1]:
        following.pop()
    return following


def _joined(line: Line, following: list[str], glue: str) -> str:
    return glue.join((line.message.rstrip(), *following))[:_LONGEST_MESSAGE]


def _version(text: str) -> str:
    """Return a version with dots: `8601` is how trtexec writes 8.6.1, `100800` 10.8.0."""
    if "." in text:
        return text
    text = text.rstrip("]")
    number = int(text)
    if len(text) >= 5:  # noqa: PLR2004 - from TensorRT 10 on
        return f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    return f"{number // 1000}.{number // 100 % 10}.{number % 100}"
