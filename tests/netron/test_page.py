"""Netron's page for one model: what is put in, what is taken out, and netrons that are built differently."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from trtlab._errors import MissingError
from trtlab.netron import page as netron_page
from trtlab.netron.page import UnknownNetronError, find_netron, make_page, message_page


class Tags(HTMLParser):
    """The tags of a page, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.scripts: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.names.add(tag)
        if tag == "meta" and "name" in values:
            assert values["name"] not in self.metas, f"two of {values['name']}"
            self.metas[values["name"]] = values["content"]
        if tag == "script":
            self.scripts.append(values.get("src", "inline"))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The two files of the installed Netron that count, to be changed."""
    for name in ("index.html", "browser.js"):
        shutil.copy(find_netron() / name, tmp_path / name)
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_page_names_the_model_and_neither_version_nor_date() -> None:
    tags = Tags(make_page(find_netron(), "models/a b.onnx"))
    assert tags.metas["file"] == "../../files/models/a%20b.onnx"
    assert tags.metas["identifier"] == "a b.onnx"
    assert tags.metas["version"] == "0.0.0"  # with any other it reports its use
    assert "date" not in tags.metas  # with one it asks to be updated half a year later


def test_our_script_comes_before_netrons() -> None:
    assert Tags(make_page(find_netron(), "a.onnx")).scripts == ["trtlab/select_node.js", "index.js"]


def test_path_cannot_become_markup() -> None:
    path = 'x"><script src="evil.js"></script>/\\1&amp;.onnx'
    tags = Tags(make_page(find_netron(), path))
    assert tags.scripts == ["trtlab/select_node.js", "index.js"]
    assert tags.metas["identifier"] == "\\1&amp;.onnx"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("index.html", '<meta name="version"', '<meta name="release"'),
        ("index.html", 'src="index.js"', 'src="start.js"'),
        ("index.html", '<meta name="date" content', '<meta name="date" lang="en" content'),
        ("browser.js", "this._meta.file", "this._settings.file"),
        ("browser.js", "'0.0.0'", "'dev'"),
        ("browser.js", "_getCookie('consent')", "_getCookie('agreed')"),
    ],
)
def test_netron_that_is_built_differently_is_refused(copied: Path, file: str, old: str, new: str) -> None:
    make_page(copied, "a.onnx")
    change(copied / file, old, new)
    with pytest.raises(UnknownNetronError, match="built differently"):
        make_page(copied, "a.onnx")


def test_missing_files_are_refused(copied: Path) -> None:
    (copied / "browser.js").unlink()
    with pytest.raises(UnknownNetronError, match=r"browser\.js cannot be read"):
        make_page(copied, "a.onnx")


def test_no_netron_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingError, match="pip install netron"):
        find_netron()
    assert "not installed" in netron_page.problem()


def test_installed_netron_can_be_shown() -> None:
    assert netron_page.problem() == ""


def test_message_page_escapes_and_says_how_plain_netron_opens() -> None:
    text = message_page("<b>title", "<i>text", model="it's <a>.onnx")
    assert {"b", "i", "a"} & Tags(text).names == set()
    assert "open_plain(" in text
    assert "netron &#x27;it&#x27;" in text
