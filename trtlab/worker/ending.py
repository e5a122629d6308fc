"""How a child process ended, in words."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trtlab._format import format_bytes

EndingKind = Literal[
    "crash", "killed", "out_of_memory", "memory_limit", "time_limit", "exit", "damaged", "closed", "cancelled"
]

# What C++, Python, TensorRT and the system's libraries write when memory, or memory for a thread's stack, is refused.
_ALLOCATION_FAILED = re.compile(
    r"bad_alloc|MemoryError|cannot allocate memory|out of memory|OutOfMemory|can't start new thread", re.IGNORECASE
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
        kind: `crash` (a signal that native code raised), `killed` (a signal from outside), `out_of_memory` (the system had
            no more), `memory_limit`, `time_limit`, `exit`, or ended by trtlab: `damaged` (it could not be understood any
            more), `closed`, `cancelled`.
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
    name, exit_code = _signal_name(return_code), return_code if return_code >= 0 else None
    if name == "SIGKILL":
        return _killed(memory_kills, last_output)
    if return_code != 0 and _ALLOCATION_FAILED.search(last_output):
        return starved(memory_limit_bytes, signal_name=name, exit_code=exit_code, last_output=last_output)
    if exit_code is not None:
        text = f"The worker process ended by itself with exit code {exit_code}."
        return Ending("exit", text, "", exit_code, last_output)
    what = _CRASH_NAMES.get(-return_code)  # type: ignore[call-overload]  # a Signals member equals its number
    if what is None:
        return Ending("killed", f"The worker process was ended by the signal {name}.", name, None, last_output)
    text = f"The worker process was ended by {what} ({name})."
    if memory_limit_bytes:
        text += (
            f" It ran with a memory limit of {format_bytes(memory_limit_bytes)};"
            " native code that does not expect to be refused memory also ends like this."
        )
    return Ending("crash", text, name, None, last_output)


def _signal_name(return_code: int) -> str:
    if return_code >= 0:
        return ""
    try:
        return signal.Signals(-return_code).name
    except ValueError:  # a real-time signal
        return str(-return_code)


def starved(
    memory_limit_bytes: int | None, *, signal_name: str = "", exit_code: int | None = None, last_output: str = ""
) -> Ending:
    """Return the ending of a process that was refused memory."""
    if memory_limit_bytes:
        text = f"The worker process ran into its memory limit of {format_bytes(memory_limit_bytes)} and ended."
        return Ending("memory_limit", text, signal_name, exit_code, last_output)
    text = "The worker process could not get the memory it asked for and ended."
    return Ending("out_of_memory", text, signal_name, exit_code, last_output)


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
    """Return how many processes the memory killer has ended so far; 0 where that is not told.

    Counted for this control group where it has a count (that is so in containers), else for the whole system.
    """
    for path in (*_control_group_files(), Path("/proc/vmstat")):
        try:
            found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)
        except OSError:
            continue
        if found:
            return int(found[1])
    return 0


def _control_group_files() -> list[Path]:
    try:
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return []
    files = []
    for _, controllers, group in groups:  # https://man7.org/linux/man-pages/man7/cgroups.7.html
        folder = group.lstrip("/")
        if not controllers:  # version 2; inside a container the group is often mounted at the root
            files += [Path("/sys/fs/cgroup", folder, "memory.events"), Path("/sys/fs/cgroup/memory.events")]
        elif "memory" in controllers.split(","):
            files += [
                Path("/sys/fs/cgroup/memory", folder, "memory.oom_control"),
                Path("/sys/fs/cgroup/memory/memory.oom_control"),
            ]
    return files
