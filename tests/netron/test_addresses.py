"""Where Netron shows a model: what the kernel works out from the server's note, and what it says where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from trtlab.netron import address
from trtlab.netron.addresses import NOTE_VARIABLE, ServerNote


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that Jupyter shows, with a model in it."""
    root = tmp_path / "shown"
    (root / "models").mkdir(parents=True)
    (root / "models/a.onnx").touch()
    return root


@pytest.fixture
def note(root: Path, monkeypatch: pytest.MonkeyPatch) -> ServerNote:
    """The note of a server that shows `root`, in this process's environment, as kernels find it."""
    note = ServerNote(pid=4321, root=str(root))
    leave(note, monkeypatch)
    return note


def leave(note: ServerNote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", "4321")
    monkeypatch.setenv(NOTE_VARIABLE, note.write())


@pytest.mark.usefixtures("note")
class TestFound:
    def test_path_is_relative_to_the_shown_folder_wherever_the_kernel_works(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = "trtlab/netron/index.html?path=models/a.onnx"
        assert address(root / "models/a.onnx").address == expected
        monkeypatch.chdir(root / "models")
        assert address("a.onnx").address == expected
        assert address("../models/a.onnx").address == expected
        assert address("a.onnx").reason == ""

    def test_path_and_node_are_quoted(self, root: Path) -> None:
        (root / "50% & more#é.onnx").touch()
        found = address(root / "50% & more#é.onnx", node="/block 1/a&b+c#d")
        assert found.address == (
            "trtlab/netron/index.html?path=50%25%20%26%20more%23%C3%A9.onnx#node=%2Fblock%201%2Fa%26b%2Bc%23d"
        )

    def test_link_in_the_folder_keeps_its_own_name(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere.onnx").touch()
        (root / "link.onnx").symlink_to(tmp_path / "elsewhere.onnx")
        assert address(root / "link.onnx").address.endswith("?path=link.onnx")

    def test_folder_reached_by_another_name(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "other name").symlink_to(root)
        assert address(tmp_path / "other name/models/a.onnx").address.endswith("?path=models/a.onnx")


@pytest.mark.usefixtures("note")
class TestRefused:
    def test_outside_the_folder(self, tmp_path: Path, root: Path) -> None:
        (tmp_path / "outside.onnx").touch()
        for path in (tmp_path / "outside.onnx", root / "../outside.onnx"):
            found = address(path)
            assert found.address == ""
            assert f"not below {root}" in found.reason

    def test_no_such_file(self, root: Path) -> None:
        assert address(root / "b.onnx").reason == f"There is no file {root / 'b.onnx'}."
        assert address(root / "models").reason == f"There is no file {root / 'models'}."

    @pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000, b"bytes of a model", None, 3])
    def test_what_is_no_path_is_a_reason_and_no_exception(self, path: object) -> None:
        found = address(path)  # type: ignore[arg-type]
        assert found.address == ""
        assert found.reason.endswith(".")

    def test_name_that_is_no_text(self, root: Path) -> None:
        name = os.fsencode(root) + b"/\xff.onnx"
        with open(name, "wb"):  # noqa: PTH123 - pathlib takes no bytes
            pass
        assert "cannot be used" in address(os.fsdecode(name)).reason

    def test_hidden_unless_the_server_shows_hidden_files(
        self, root: Path, note: ServerNote, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (root / ".cache").mkdir()
        (root / ".cache/a.onnx").touch()
        assert "hidden" in address(root / ".cache/a.onnx").reason
        leave(replace(note, shows_hidden=True), monkeypatch)
        assert address(root / ".cache/a.onnx").address.endswith("?path=.cache/a.onnx")

    def test_netron_that_cannot_be_shown(self, root: Path, note: ServerNote, monkeypatch: pytest.MonkeyPatch) -> None:
        leave(replace(note, problem="Netron is not installed."), monkeypatch)
        assert address(root / "models/a.onnx").reason == "Netron is not installed."

    def test_server_without_a_folder(self, root: Path, note: ServerNote, monkeypatch: pytest.MonkeyPatch) -> None:
        leave(replace(note, root=""), monkeypatch)
        assert "folder" in address(root / "models/a.onnx").reason


class TestNoServer:
    def test_no_kernel(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("JPY_PARENT_PID", raising=False)
        assert "not started by a Jupyter server" in address(root / "models/a.onnx").reason

    @pytest.mark.parametrize(
        "text", [None, "", "{", "[]", "{}", '{"pid": 4321}', '{"pid": 4321, "root": "/", "new": 1}']
    )
    def test_server_without_the_extension_or_with_another_version(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
    ) -> None:
        monkeypatch.setenv("JPY_PARENT_PID", "4321")
        monkeypatch.delenv(NOTE_VARIABLE, raising=False)
        if text is not None:
            monkeypatch.setenv(NOTE_VARIABLE, text)
        assert "install trtlab in the environment" in address(root / "models/a.onnx").reason

    @pytest.mark.usefixtures("note")
    def test_note_of_another_server_is_not_taken(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JPY_PARENT_PID", "4322")  # started from a kernel of the first
        assert "install trtlab in the environment" in address(root / "models/a.onnx").reason


def test_asking_for_an_address_loads_no_server() -> None:
    program = "import sys, trtlab.netron as n; n.address('a'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "trtlab.netron" in loaded
    assert {"tornado", "jupyter_server", "netron", "onnx"} & set(loaded) == set()
