"""Survive what kills the worker in the middle of a survey.

TensorRT's parser and builder can crash. Before each pass the worker says what it is about to do; where it dies, the kernel
knows the pass, starts a new worker and has it survey again, with a note of what happened in that pass and of the builds
that were done before. So a crash becomes a result like any other, and the node that causes it is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trtlab._engine_results import ParserError
from trtlab._results import Result, from_dict
from trtlab.support.passes import BuildPass, ParserPass, TensorRt

if TYPE_CHECKING:
    from onnx import ModelProto

CRASH = "CRASH"
"""The code of an error that stands for a crash of the parser; messages about a crash of the builder begin with it."""

_MARK = "trtlab.pass "


@dataclass(frozen=True)
class Journal(Result):
    """What is known of earlier attempts.

    Attributes:
        crashes: Passes in which the worker died, and how.
        builds: What other builds came to.
    """

    crashes: dict[str, str] = field(default_factory=dict)
    builds: dict[str, BuildPass] = field(default_factory=dict)


class JournalingSurvey:
    """TensorRT as a survey needs it, with a journal of what it does.

    Args:
        tensorrt: What asks it.
        journal: What is known of earlier attempts.
        write: Tells the kernel; must have reached it before the next pass begins.
    """

    def __init__(self, tensorrt: TensorRt, journal: Journal, write: Callable[[str], object]) -> None:
        self._survey, self._journal, self._write = tensorrt, journal, write

    def parse(self, model: ModelProto) -> ParserPass:
        """Have the parser look at a model, unless it is known to crash on it."""
        content = model.SerializeToString(deterministic=True)
        return self.parsing(pass_key("parse", content), lambda: self._survey.parse(model, content))

    def parsing(self, key: str, parse: Callable[[], ParserPass]) -> ParserPass:
        """Do a pass of the parser under a key."""
        if key in self._journal.crashes:
            return ParserPass(False, (ParserError(CRASH, self._journal.crashes[key]),))
        self._write(f"{_MARK}{key}")
        found = parse()
        self._write(_MARK)
        return found

    def attempt(self, key: str, action: Callable[[], object]) -> bool:
        """Do something that can crash; return False, and do nothing, where it is known to."""
        if key in self._journal.crashes:
            return False
        self._write(f"{_MARK}{key}")
        action()
        self._write(_MARK)
        return True

    def build(self, model: ModelProto) -> BuildPass:
        """Have the builder make an engine of a model, unless it is known what comes of it."""
        content = model.SerializeToString(deterministic=True)
        return self.building(pass_key("build", content), lambda: self._survey.build(model, content))

    def building(self, key: str, build: Callable[[], BuildPass]) -> BuildPass:
        """Do a build under a key."""
        if key in self._journal.crashes:
            return BuildPass(False, (f"{CRASH}: {self._journal.crashes[key]}",))
        if key in self._journal.builds:
            return self._journal.builds[key]
        self._write(f"{_MARK}{key}")
        found = build()
        self._write(f"{_MARK}{json.dumps([key, found.to_dict()])}")
        return found


def pass_key(kind: str, content: bytes) -> str:
    """Return what a pass is known by."""
    return f"{kind}:{hashlib.sha256(content).hexdigest()}"


class JournalReader:
    """Keeps the journal on the kernel's side.

    Attributes:
        journal: What is known.
    """

    def __init__(self) -> None:
        self.journal = Journal()
        self._open = ""

    def take(self, text: str) -> bool:
        """Take an event of the worker; return whether it belongs to the journal."""
        if not text.startswith(_MARK):
            return False
        rest = text.removeprefix(_MARK)
        if rest.startswith("["):
            key, found = json.loads(rest)
            self.journal.builds[key] = from_dict(BuildPass, found)
            rest = ""
        self._open = rest
        return True

    def note_crash(self, how: str) -> bool:
        """Note that the worker died; return whether it was in a pass that is not known yet to kill it."""
        key, self._open = self._open, ""
        if not key or key in self.journal.crashes:
            return False
        self.journal.crashes[key] = how
        return True


def journal_of(values: Mapping[str, Any] | None) -> Journal:
    """Return the journal that the kernel sent."""
    return from_dict(Journal, values) if values else Journal()
