"""The extension in a real Jupyter server: for the logged-in user, nothing but the page, Netron's files and shown models."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.browser.jupyterlab_server import JupyterLabServer

MODEL = "index.html?path=some%20models/digits.onnx"
FOLDER = "/user/bob/trtlab/netron/"


@dataclass(frozen=True)
class Answer:
    """What the server answered to one request, before any redirection is followed."""

    status: int
    headers: dict[str, str]
    text: str


def ask(server: JupyterLabServer, path: str, *, method: str = "GET", login: bool = True) -> Answer:
    """Send the path as it is: a client that tidies up `..` would hide what the server makes of it."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request(method, path, headers={"Authorization": f"token {server.token}"} if login else {})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read().decode(errors="replace"))
    finally:
        connection.close()


def test_page_shows_the_model_relative_to_the_base_url(bobs_server: JupyterLabServer) -> None:
    answer = ask(bobs_server, FOLDER + MODEL)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<meta name="file" content="../../files/some%20models/digits.onnx">' in answer.text


@pytest.mark.parametrize(
    "name", ["index.js", "browser.js", "worker.js", "grapher.css", "onnx-metadata.json", "icon.png"]
)
def test_netrons_files_are_served(bobs_server: JupyterLabServer, name: str) -> None:
    assert ask(bobs_server, FOLDER + name).status == 200


def test_scripts_may_load_each_other(bobs_server: JupyterLabServer) -> None:
    answer = ask(bobs_server, FOLDER + "worker.js")
    assert answer.headers["content-type"] == "text/javascript"
    assert "sandbox" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", [MODEL, "worker.js", "trtlab/select_node.js"])
def test_policy_keeps_the_page_to_its_own_server(bobs_server: JupyterLabServer, name: str) -> None:
    policy = ask(bobs_server, FOLDER + name).headers["content-security-policy"]
    for rule in ("default-src 'self'", "connect-src 'self'", "script-src 'self';", "frame-ancestors 'self'"):
        assert rule in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("name", [MODEL, "index.js", "trtlab/select_node.js", "index.html"])
def test_nobody_else_gets_anything(bobs_server: JupyterLabServer, name: str) -> None:
    answer = ask(bobs_server, FOLDER + name, login=False)
    assert answer.status in (302, 403)
    assert "netron" not in answer.text.lower()
    if answer.status == 302:
        assert answer.headers["location"].startswith("/user/bob/login")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
@pytest.mark.parametrize("name", [MODEL, "index.js"])
def test_only_get(bobs_server: JupyterLabServer, name: str, method: str) -> None:
    assert ask(bobs_server, FOLDER + name, method=method).status == 405


@pytest.mark.parametrize(
    "name",
    [
        "server.py", "__init__.py", "nothing.js", "../netron/index.js", "..%2f..%2fetc/passwd", "%2e%2e/index.js",
        "../../../../../../etc/passwd", "trtlab/../server.py", "trtlab/index.js", "//etc/passwd", "/etc/passwd",
        "index.js%00.css", "..%5cserver.py",
    ],
)  # fmt: skip
def test_no_other_file_of_the_machine(bobs_server: JupyterLabServer, name: str) -> None:
    answer = ask(bobs_server, FOLDER + name)
    assert answer.status in (400, 404)
    assert "root:" not in answer.text
    assert "def " not in answer.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../outside.onnx", "../outside.onnx"),
        ("some%20models/../../outside.onnx", "outside.onnx"),
        ("..%2Foutside.onnx", "outside.onnx"),
        ("/etc/passwd", "etc/passwd"),
        (".hidden/a.onnx", ".hidden/a.onnx"),
        ("some%20models", "some models"),
        ("a%00b", "serves no file"),
        ("%3Cimg%20src=x%20onerror=alert(1)%3E", "&lt;img src=x"),
        ("", "No model was named"),
    ],
)
def test_what_jupyter_does_not_show_is_said_in_words(bobs_server: JupyterLabServer, path: str, said: str) -> None:
    answer = ask(bobs_server, f"{FOLDER}index.html?path={path}")
    assert answer.status == 404
    assert said in answer.text
    assert "open_plain(" in answer.text
    assert "<img" not in answer.text
    assert "index.js" not in answer.text


def test_hidden_models_are_not_read_either(bobs_server: JupyterLabServer) -> None:
    assert ask(bobs_server, "/user/bob/files/.hidden/a.onnx").status == 404
    assert ask(bobs_server, "/user/bob/files/some%20models/digits.onnx").status == 200
