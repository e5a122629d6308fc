"""The ring buffer loses nothing and mixes nothing up, also when it is full, and outlives its writer."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtlab.worker import ring_buffer
from trtlab.worker.ring_buffer import RingReader, RingWriter, create


def ring(size: int) -> tuple[RingWriter, RingReader]:
    descriptor = create(size)
    return RingWriter(os.dup(descriptor)), RingReader(descriptor)


@settings(deadline=None)
@given(size=st.integers(1, 300), pieces=st.lists(st.binary(max_size=200), max_size=30))
def test_what_is_written_is_taken_in_order(size: int, pieces: list[bytes]) -> None:
    writer, reader = ring(size)
    taken = bytearray()
    for piece in pieces:
        # Pieces larger than the ring would wait for a reader, which has a test of its own.
        for start in range(0, len(piece), size):
            writer.write(piece[start : start + size])
            taken += reader.take()
    assert taken == b"".join(pieces)
    assert reader.take() == b""


@pytest.mark.parametrize("stores_in_order", [True, False])
def test_a_full_ring_makes_its_writers_wait_and_keeps_their_lines_whole(
    monkeypatch: pytest.MonkeyPatch, stores_in_order: bool
) -> None:
    monkeypatch.setattr(ring_buffer, "_STORES_IN_ORDER", stores_in_order)
    writer, reader = ring(1000)
    sent = [[b"%d-%d-%s\n" % (number, count, b"x" * (count % 3000)) for count in range(300)] for number in range(3)]
    threads = [threading.Thread(target=lambda lines=lines: [writer.write(line) for line in lines]) for lines in sent]
    for thread in threads:
        thread.start()
    data = bytearray()
    while any(thread.is_alive() for thread in threads):
        data += reader.take()
    data += reader.take()
    received = bytes(data).splitlines(keepends=True)
    for number, lines in enumerate(sent):
        assert [line for line in received if line.startswith(b"%d-" % number)] == lines


def test_what_a_killed_process_wrote_is_still_there() -> None:
    descriptor = create(1000)
    child = os.fork()
    if child == 0:
        RingWriter(descriptor).write(b"the last line\n")
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    os.waitpid(child, 0)
    assert RingReader(descriptor).take() == b"the last line\n"


def test_a_count_that_was_overwritten_is_noticed() -> None:
    descriptor = create(1000)
    reader = RingReader(os.dup(descriptor))
    os.pwrite(descriptor, b"\xff" * 8, 0)
    with pytest.raises(ValueError, match="was overwritten"):
        reader.take()
    os.close(descriptor)
