"""The words for each way to end, from return codes and traces made by hand."""

from __future__ import annotations

import pytest

from trtlab.worker.ending import Ending, describe_ending, memory_kill_count

GIBIBYTE = 2**30


def describe(code: int, *, said: str = "", limit: int | None = None, kills: int = 0) -> Ending:
    """Describe an ending."""
    return describe_ending(code, last_output=said, memory_limit_bytes=limit, memory_kills=kills)


def test_the_memory_killer_is_told_from_a_kill_by_hand() -> None:
    assert describe(-9).kind == "killed"
    assert "most likely the system's out-of-memory killer" in describe(-9).text
    assert describe(-9, kills=1) == Ending(
        "out_of_memory",
        "The system ended the worker process because memory ran out (the out-of-memory killer, SIGKILL).",
        "SIGKILL",
    )


@pytest.mark.parametrize(
    "said",
    [
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "MemoryError",
        "OSError: [Errno 12] Cannot allocate memory",
        "RuntimeError: can't start new thread",
        "Error Code 2: OutOfMemory (Requested size was 68719477168 bytes.)",
    ],
)
@pytest.mark.parametrize("code", [-6, -11, 1])
def test_refused_memory_is_recognised_by_what_was_said(said: str, code: int) -> None:
    limited = describe(code, said=f"before\n{said}\nafter", limit=GIBIBYTE)
    assert limited.kind == "memory_limit"
    assert limited.text == "The worker process ran into its memory limit of 1.00 GiB and ended."
    assert describe(code, said=said).kind == "out_of_memory"
    assert limited.exit_code == (1 if code == 1 else None)


def test_a_clean_exit_is_no_memory_problem_whatever_was_said() -> None:
    assert describe(0, said="MemoryError").kind == "exit"


@pytest.mark.parametrize("code", [-34, -64, -200])
def test_signals_without_a_name_keep_their_number(code: int) -> None:
    ending = describe(code)
    assert ending.kind == "killed"
    assert ending.signal_name in {str(-code), "SIGRTMIN", "SIGRTMAX"}
    assert ending.signal_name in ending.text


def test_every_return_code_has_an_ending_in_one_sentence() -> None:
    for code in (*range(-64, 0), *range(256)):
        ending = describe(code, said="the last line", limit=GIBIBYTE)
        assert ending.text.startswith(("The worker process", "The system"))
        assert ending.last_output == "the last line"
        assert (ending.exit_code is None) == (code < 0) == bool(ending.signal_name)


def test_the_count_of_memory_kills_can_be_read_here() -> None:
    assert memory_kill_count() >= 0
    assert memory_kill_count() <= memory_kill_count()
