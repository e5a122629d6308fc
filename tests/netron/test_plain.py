"""Plain Netron: on this machine only, one model at a time, and the notebook's log left as it was."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import netron
import pytest

from trtlab._errors import InputError
from trtlab.netron import open_plain


@pytest.fixture(autouse=True)
def no_server_left() -> Iterator[None]:
    """End the servers: they would live as long as the test run."""
    yield
    netron.stop()


def read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 - our own server
        content: bytes = response.read()
    return content


def test_second_model_takes_the_place_of_the_first(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(name.encode())
    level, handlers = logging.getLogger().level, list(logging.getLogger().handlers)
    first = open_plain(tmp_path / "a.onnx", browse=False)
    assert first.startswith("http://127.0.0.1:")
    assert read(f"{first}/data/a.onnx") == b"a.onnx"
    second = open_plain(tmp_path / "b.onnx", browse=False)
    assert read(f"{second}/data/b.onnx") == b"b.onnx"
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the server is caught ending
        read(f"{first}/data/a.onnx")
    assert (logging.getLogger().level, list(logging.getLogger().handlers)) == (level, handlers)


def test_missing_file_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        open_plain(tmp_path / "a.onnx", browse=False)
