"""Netron inside JupyterLab: the graph is drawn, a node is selected, and no other host is asked for anything.

The server here has a base URL, as behind JupyterHub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.jupyterlab_server import JupyterLabServer, running_jupyterlab
from tests.browser.notebook_page import place_notebook, read_or_make_notebook, run_all_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.browser.conftest import Screenshot

BASE_URL: Final = "/user/bob"
DIGITS: Final = "sample_models/digits.onnx"
# Netron shows the finished graph by this class, and nothing but an open message by these.
DRAWN: Final = "body.default:not(.spinner)"
MESSAGE: Final = "body.alert, body.notification"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[JupyterLabServer]:
    """A JupyterLab with a base URL, a hidden file in its folder and a file beside it."""
    folder = tmp_path_factory.mktemp("netron")
    with running_jupyterlab(folder, pytestconfig.rootpath / "sample_models", base_url=BASE_URL) as server:
        model = (server.root / DIGITS).read_bytes()
        for name in (".hidden/a.onnx", "../outside.onnx", "odd/a b#c?d&é+%.onnx"):  # the server's folder shows the last
            (server.root / name).parent.mkdir(exist_ok=True)
            (server.root / name).write_bytes(model)
        (server.root / "broken.onnx").write_bytes(b"no model at all")
        yield server


class Viewer:
    """A page of Netron, and all that it asked for and complained about."""

    def __init__(self, page: Page, server: JupyterLabServer) -> None:
        self.page, self.server = page, server
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def open(self, model: str, node: str = "") -> Page:
        """Open a model and return the page."""
        fragment = f"#node={quote(node, safe='')}" if node else ""
        address = f"{self.server.url}/trtlab/netron/index.html?path={quote(model)}"
        self.page.goto(f"{address}&token={self.server.token}{fragment}")
        return self.page

    def outside(self) -> list[str]:
        """Return the requests that did not go to this server, below its base URL."""
        return [url for url in self.requests if not url.startswith((f"{self.server.url}/", "data:", "blob:"))]


@pytest.fixture
def viewer(server: JupyterLabServer, browser_context: BrowserContext) -> Iterator[Viewer]:
    """A new tab, in which nothing but requests to this machine get through."""
    page = browser_context.new_page()
    yield Viewer(page, server)
    page.close()


def test_graph_is_drawn_and_the_node_selected_without_another_host(viewer: Viewer, screenshot: Screenshot) -> None:
    page = viewer.open(DIGITS, "/features/conv2")
    page.wait_for_selector(DRAWN)
    expect(page.locator("g.graph-node")).to_have_count(9)
    expect(page.locator("#sidebar")).to_contain_text("/features/conv2")
    expect(page.locator("g.graph-node.select")).to_have_attribute("id", "node-name-/features/conv2")
    screenshot(page, "netron-node-selected")
    # A request that the page's policy stopped would be a complaint, one that it let through a request.
    page.wait_for_load_state("networkidle")
    assert viewer.outside() == []
    assert viewer.complaints == []
    assert any("/files/sample_models/digits.onnx" in url for url in viewer.requests)


def test_years_later_it_asks_for_no_update_and_no_cookies(viewer: Viewer) -> None:
    viewer.page.clock.set_system_time("2029-01-01T00:00:00Z")
    page = viewer.open(DIGITS)
    page.wait_for_selector(DRAWN)
    expect(page.locator("g.graph-node")).to_have_count(9)
    expect(page.locator(MESSAGE)).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert viewer.outside() == []
    assert viewer.complaints == []
    names = {cookie["name"] for cookie in page.context.cookies(viewer.server.url)}
    assert names & {"consent", "_ga", "_ga848W2NVWVH"} == set()


def test_a_far_node_is_scrolled_to(viewer: Viewer) -> None:
    page = viewer.open("sample_models/transformer.onnx", "/mask/Sub")
    page.wait_for_selector(DRAWN)
    node = page.locator("g.graph-node.select")
    expect(node).to_have_attribute("id", "node-name-/mask/Sub")
    expect(node).to_be_in_viewport(ratio=1)


def test_another_node_in_the_same_tab(viewer: Viewer) -> None:
    page = viewer.open(DIGITS, "/features/conv1")
    expect(page.locator("#sidebar")).to_contain_text("/features/conv1")
    before = len(viewer.requests)
    viewer.open(DIGITS, "/features/pool")
    expect(page.locator("#sidebar")).to_contain_text("/features/pool")
    assert [url for url in viewer.requests[before:] if "/files/" in url] == []  # it is not read again


@pytest.mark.parametrize("node", ["nowhere", '"><img src=x onerror=alert(1)>', "#canvas"])
def test_unknown_node_leaves_the_graph_alone(viewer: Viewer, node: str) -> None:
    page = viewer.open(DIGITS, node)
    page.wait_for_selector(DRAWN)
    page.wait_for_load_state("networkidle")
    expect(page.locator("g.graph-node")).to_have_count(9)
    expect(page.locator("g.graph-node.select")).to_have_count(0)
    assert viewer.complaints == []


def test_odd_names_of_files(viewer: Viewer) -> None:
    page = viewer.open("odd/a b#c?d&é+%.onnx")
    page.wait_for_selector(DRAWN)
    expect(page).to_have_title("a b#c?d&é+%.onnx")


def test_broken_model_is_said_once(viewer: Viewer) -> None:
    # The node's name looks like another model's address: Netron must not open that instead.
    page = viewer.open("broken.onnx", "sample_models/digits.onnx")
    expect(page.get_by_text("Unsupported file content")).to_be_visible()
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_text("Open Model")).to_be_visible()
    assert not any("digits.onnx" in urlsplit(url).path for url in viewer.requests)


@pytest.mark.parametrize(
    "model",
    [".hidden/a.onnx", "../outside.onnx", "nothing.onnx", "sample_models", "\0", "<img src=x onerror=alert(1)>"],
)
def test_what_is_not_served_is_said(viewer: Viewer, model: str) -> None:
    page = viewer.open(model)
    expect(page.get_by_role("heading", name="serves no file")).to_be_visible()
    expect(page.get_by_text("open_plain(")).to_be_visible()
    assert page.locator("img").count() == 0
    assert [line for line in viewer.complaints if "404" not in line] == []


def test_kernel_of_a_notebook_finds_the_address(
    server: JupyterLabServer, viewer: Viewer, browser_context: BrowserContext
) -> None:
    cell = (
        "from trtlab.netron import address\n"
        "found = address('../sample_models/digits.onnx', node='/classifier/linear1')\n"
        "print(found.address, found.reason)\n"
        "print(address('../../outside.onnx').reason)"
    )
    page = browser_context.new_page()
    page.goto(server.lab_address(place_notebook(read_or_make_notebook(cell), server, "netron")))
    run_all_cells(page, allow_errors=False)
    text = page.locator(".jp-OutputArea-output pre").first.inner_text()
    relative, reason = text.strip().splitlines()
    assert relative.strip() == ("trtlab/netron/index.html?path=sample_models/digits.onnx#node=%2Fclassifier%2Flinear1")
    assert "is not below" in reason
    page.close()
    server.end_kernels()
    viewer.page.goto(f"{server.url}/{relative.strip()}")  # logged in by now, as a user who opens a second tab is
    expect(viewer.page.locator("#sidebar")).to_contain_text("/classifier/linear1")
