"""The page that shows a model: Netron's own, with the model's address in it and without what phones home.

Netron reads its settings from `meta` elements. What this module relies on was the same from netron 8.0 to 9.3, and it is
looked for first: an unknown Netron is refused, since half of this would leave a page that calls other hosts.
"""

from __future__ import annotations

import html
import importlib.util
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from trtlab._errors import MissingError

FILE_NAMES: Final = r"[\w-]+\.(?:js|json|css|png|ico)"
STATIC: Final = Path(__file__).parent / "static"
SCRIPT: Final = "select_node.js"
SCRIPT_FOLDER: Final = "trtlab"

# No other host is asked, no other site frames the page, and only scripts that this server sends run.
# 'unsafe-inline' is for styles alone: Netron's page has its own in it. Pictures are made of data when exported.
POLICY: Final = (
    "default-src 'self'; script-src 'self'; connect-src 'self'; worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

_VERSION: Final = re.compile(r'<meta name="version" content="[^"]*">')
_DATE: Final = re.compile(r'<meta name="date" content="[^"]*">')
_START: Final = re.compile(r'<script type="text/javascript" src="index\.js"></script>')
# Each switches one thing off, or tells Netron what to open.
_IN_BROWSER_SCRIPT: Final = ("this._meta.file", "this._meta.identifier", "'0.0.0'", "this._getCookie('consent')")


class UnknownNetronError(MissingError):
    """The installed Netron is built differently, so that it cannot be shown safely."""


def find_netron() -> Path:
    """Return the folder of the installed Netron.

    Raises:
        MissingError: None is installed.
    """
    spec = importlib.util.find_spec("netron")
    if spec is None or spec.origin is None:
        raise MissingError("Netron is not installed where JupyterLab runs: python -m pip install netron")
    return Path(spec.origin).parent


def make_page(netron: Path, model: str) -> str:
    """Return the page that shows a model.

    Args:
        netron: The folder of the installed Netron.
        model: The model's path as Jupyter's server names it, relative to its folder.

    Raises:
        UnknownNetronError: Something that this relies on is not in this Netron.
    """
    page = _read(netron / "index.html")
    script = _read(netron / "browser.js")
    missing = [text for text in _IN_BROWSER_SCRIPT if text not in script]
    missing += [marker.pattern for marker in (_VERSION, _START) if len(marker.findall(page)) != 1]
    missing += ["its date"] * ('name="date"' in _DATE.sub("", page))
    if missing:
        raise UnknownNetronError(f"this Netron is built differently, {missing[0]} is not where it was")
    # The only version for which Netron sends no telemetry, and offers no error report to its makers.
    settings = _meta("type", "Python") + _meta("version", "0.0.0")
    # Relative to this page, and without a leading slash, which Netron takes away.
    settings += _meta("file", f"../../files/{quote(model)}") + _meta("identifier", model.rpartition("/")[2])
    page = _VERSION.sub(lambda _: settings, page)
    # Without its date Netron takes itself for new, and never asks to be updated.
    page = _DATE.sub("", page)
    ours = f'<script type="module" src="{SCRIPT_FOLDER}/{SCRIPT}"></script>'
    return _START.sub(lambda found: f"{ours}\n{found[0]}", page)


def problem() -> str:
    """Return why the installed Netron cannot be shown inside JupyterLab, or ""."""
    try:
        make_page(find_netron(), "model.onnx")
    except MissingError as error:
        return str(error)
    return ""


def message_page(title: str, text: str, *, model: str) -> str:
    """Return a page that says why a model is not shown, and how plain Netron is opened instead."""
    name = model or "model.onnx"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44em; margin: 15vh auto 0; padding: 0 1.5em; }}
h1 {{ font-size: 1.4em; }}
pre {{ padding: 0.7em 1em; overflow-x: auto; border: 1px solid; border-radius: 4px; }}
p, h1 {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{html.escape(title)}</h1>
<p>{html.escape(text)}</p>
<p>Plain Netron opens any file of the machine. It has a port of its own and asks other hosts. In a notebook:</p>
<pre>from trtlab.netron import open_plain
open_plain({html.escape(repr(name))})</pre>
<p>or in a terminal:</p>
<pre>{html.escape(_command(name))}</pre>
</body>
</html>
"""


def _command(name: str) -> str:
    import shlex

    return shlex.join(["netron", name])


def _meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{html.escape(content, quote=True)}">\n'


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownNetronError(f"this Netron is built differently, its {path.name} cannot be read") from error
