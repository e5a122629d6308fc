"""Fixtures for tests in a real JupyterLab and a real Chromium.

A test asks for `open_notebook` (and `set_theme`, `screenshot`, `page_errors`) and needs to know no more:

    def test_click(open_notebook):
        page = open_notebook(["import ipywidgets", "ipywidgets.Button(description='Press')"])
        page.get_by_role("button", name="Press").click()

Every test that uses the browser carries the marker `browser`; TRTLAB_NO_BROWSER=1 leaves them out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.find_chromium import ChromiumMissingError, find_chromium
from tests.browser.jupyterlab_server import JupyterLabServer, running_jupyterlab
from tests.browser.notebook_page import (
    NotebookSource,
    Theme,
    change_theme,
    place_notebook,
    read_or_make_notebook,
    run_all_cells,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import BrowserContext, Locator, Page

CHROMIUM_OPTIONS: Final = (
    "--no-sandbox",  # with it Chromium refuses to start as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WINDOW: Final = {"width": 1400, "height": 1000}
PAGE_TIMEOUT_MILLISECONDS: Final = 60_000
FAILED: Final = pytest.StashKey[bool]()


class OpenNotebook(Protocol):
    """What the fixture `open_notebook` gives."""

    def __call__(self, source: NotebookSource, *, run: bool = True, allow_errors: bool = False) -> Page:
        """Open a notebook file, or a notebook made of these cells, and return its page, with all cells run."""


class SetTheme(Protocol):
    """What the fixture `set_theme` gives."""

    def __call__(self, page: Page, theme: Theme) -> None:
        """Show JupyterLab in `theme` until the test ends."""


class Screenshot(Protocol):
    """What the fixture `screenshot` gives."""

    def __call__(self, of: Page | Locator, name: str) -> Path:
        """Write a picture of a page or of a part of it to test-results/`name`.png."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the browser, and leave them out where the user said so."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            if os.environ.get("TRTLAB_NO_BROWSER") == "1":
                item.add_marker(pytest.mark.skip(reason="left out: TRTLAB_NO_BROWSER=1"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test failed, for `open_notebook` to take a picture of what it saw."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or (call.when == "call" and report.failed)
    return report


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium to use; where there is none, every test that needs it fails and says so."""
    try:
        return find_chromium()
    except ChromiumMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def jupyterlab(
    chromium: Path,  # noqa: ARG001 - without one there is no use in a server
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[JupyterLabServer]:
    """One JupyterLab for all browser tests."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    with running_jupyterlab(folder, pytestconfig.rootpath / "sample_models") as server:
        yield server


# Not "session": while Playwright is open its event loop counts as running in this thread, and asyncio.run() fails in
# every test. This way it is closed when the last test of this folder has ended.
@pytest.fixture(scope="package")
def browser_context(chromium: Path) -> Iterator[BrowserContext]:
    """One running Chromium for all browser tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        context = browser.new_context(viewport=WINDOW)  # type: ignore[arg-type]
        context.set_default_timeout(PAGE_TIMEOUT_MILLISECONDS)
        yield context
        browser.close()


@pytest.fixture
def page_errors() -> Iterator[list[str]]:
    """JavaScript exceptions that no code caught. A test that expects some removes them from the list."""
    errors: list[str] = []
    yield errors
    assert not errors, "the page threw:\n" + "\n".join(errors)


@pytest.fixture
def open_notebook(
    jupyterlab: JupyterLabServer,
    browser_context: BrowserContext,
    page_errors: list[str],
    screenshot: Screenshot,
    request: pytest.FixtureRequest,
) -> Iterator[OpenNotebook]:
    """Open notebooks in JupyterLab; their pages and kernels end with the test."""
    pages: list[Page] = []
    test_name = _file_name(request.node.name)

    def open_one(source: NotebookSource, *, run: bool = True, allow_errors: bool = False) -> Page:
        stem = source.stem if isinstance(source, Path) else test_name
        name = place_notebook(read_or_make_notebook(source), jupyterlab, stem)
        page = browser_context.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: page_errors.append(str(error)))
        page.goto(jupyterlab.lab_address(name))
        if run:
            run_all_cells(page, allow_errors=allow_errors)
        return page

    yield open_one
    for number, page in enumerate(pages):
        if request.node.stash.get(FAILED, False):
            screenshot(page, f"failed-{test_name}-{number}")
        page.close()
    jupyterlab.end_kernels()


@pytest.fixture
def set_theme(open_notebook: OpenNotebook) -> Iterator[SetTheme]:  # noqa: ARG001 - its pages must close after this
    """Change JupyterLab's theme; it is light again after the test, since the server remembers it."""
    changed: list[Page] = []

    def set_one(page: Page, theme: Theme) -> None:
        changed.append(page)
        change_theme(page, theme)

    yield set_one
    if changed:
        change_theme(changed[0], "Light")


@pytest.fixture
def screenshot(pytestconfig: pytest.Config) -> Screenshot:
    """Take pictures, for people to look at."""

    def take(of: Page | Locator, name: str) -> Path:
        path = pytestconfig.rootpath / "test-results" / f"{_file_name(name)}.png"
        of.screenshot(path=path)
        return path

    return take


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-")
