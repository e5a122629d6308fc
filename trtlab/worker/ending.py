"""How a child process ended, in words."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trtlab._format import format_bytes

EndingKind = Literal["crash", "killed", "out_of_memory", "memory_limit", "time_limit", "exit", "closed", "cancelled"]

_ALLOCATION_FAILED = re.compile(
    r"bad_alloc|MemoryError|[Cc]annot allocate memory|out of memory|OutOfMemory", re.IGNORECASE
)
_CRASH_NAMES = {
    signal.SIGSEGV: "a segmentation fault: native code used memory that is not its own",
    signal.SIGABRT: "an abort: native code met a state it could not go on from",
    signal.SIGBUS: "a bus error: native code read memory that is gone (a file that was cut short while in use, a full /dev/shm)",
    signal.SIGFPE: "an arithmetic fault in native code (a division by zero)",
    signal.SIGILL: "an illegal instruction: a library was built for another processor",
}


@dataclass(frozen=True)
class Ending:
    """How and why a worker's process ended.

    Attributes:
        kind: `crash` (a signal that native code raised), `killed` (SIGKILL from outside), `out_of_memory` (the system's
            memory killer), `memory_limit`, `time_limit`, `exit`, `closed` or `cancelled` (by trtlab itself).
        text: What happened, in a sentence.
        signal_name: `SIGSEGV` and the like; empty if no signal ended it.
        exit_code: The process's exit code, None after a signal.
        last_output: The last lines that the process wrote to its standard error.
    """

    kind: EndingKind
    text: str
    signal_name: str = ""
    exit_code: int | None = None
    last_output: str = ""


def describe_ending(return_code: int, *, last_output: str, memory_limit_bytes: int | None, memory_kills: int) -> Ending:
    """Return what a return code and the traces around it mean.

    Args:
        return_code: As `subprocess.Popen.returncode` has it: negative for signals.
        last_output: The last lines of standard error.
        memory_limit_bytes: The limit the process ran under, if any.
        memory_kills: How many processes the system's memory killer ended in this control group meanwhile.
    """
    if return_code >= 0:
        return Ending(
            "exit", f"The worker process ended by itself with exit code {return_code}.", "", return_code, last_output
        )
    try:
        number = signal.Signals(-return_code)
    except ValueError:
        return Ending(
            "crash", f"The worker process was ended by signal {-return_code}.", str(-return_code), None, last_output
        )
    if number == signal.SIGKILL:
        return _killed(memory_kills, last_output)
    if memory_limit_bytes and _ALLOCATION_FAILED.search(last_output):
        text = f"The worker process ran into its memory limit of {format_bytes(memory_limit_bytes)} and was aborted."
        return Ending("memory_limit", text, number.name, None, last_output)
    if _ALLOCATION_FAILED.search(last_output):
        return Ending(
            "out_of_memory",
            "The worker process could not get the memory it asked for and was aborted.",
            number.name,
            None,
            last_output,
        )
    what = _CRASH_NAMES.get(number, f"the signal {number.name}")
    kind: EndingKind = "crash" if number in _CRASH_NAMES else "killed"
    return Ending(kind, f"The worker process was ended by {what} ({number.name}).", number.name, None, last_output)


def _killed(memory_kills: int, last_output: str) -> Ending:
    if memory_kills > 0:
        text = "The system ended the worker process because memory ran out (the out-of-memory killer, SIGKILL)."
        return Ending("out_of_memory", text, "SIGKILL", None, last_output)
    text = (
        "The worker process was killed from outside (SIGKILL). If nobody did so by hand, it was most likely the system's "
        "out-of-memory killer; its log says: dmesg | grep -i 'killed process'."
    )
    return Ending("killed", text, "SIGKILL", None, last_output)


def memory_kill_count() -> int:
    """Return how many processes the memory killer has ended in this control group so far; 0 where that is not told."""
    for name in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        try:
            text = Path(name).read_text()
        except OSError:
            continue
        found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        if found:
            return int(found[1])
    return 0
