"""Fixtures for the panel's page: one Chromium for this folder, and a fresh page for each test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.find_chromium import ChromiumMissingError, find_chromium
from tests.widgets.static.panel_page import ADDRESS, PanelPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run")
TIMEOUT_MILLISECONDS = 10_000


class OpenPanel(Protocol):
    """What the fixture `open_panel` gives."""

    def __call__(self, *, theme: str = "light", width: int = 1400, reduced_motion: bool = False) -> PanelPage:
        """Return a page on which a panel can be opened."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the browser, and leave them out where the user said so."""
    for item in items:
        if "panel_browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            if os.environ.get("TRTLAB_NO_BROWSER") == "1":
                item.add_marker(pytest.mark.skip(reason="left out: TRTLAB_NO_BROWSER=1"))


# Not "session": see tests/browser/conftest.py.
@pytest.fixture(scope="package")
def panel_browser() -> Iterator[Browser]:
    """One running Chromium."""
    try:
        executable = find_chromium()
    except ChromiumMissingError as error:
        pytest.fail(str(error), pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_panel(panel_browser: Browser) -> Iterator[OpenPanel]:
    """Open pages for panels; a JavaScript error on any of them fails the test."""
    errors: list[str] = []
    contexts = []

    def open_one(*, theme: str = "light", width: int = 1400, reduced_motion: bool = False) -> PanelPage:
        context = panel_browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce" if reduced_motion else "no-preference"
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=ADDRESS)
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return PanelPage(page, theme=theme)

    yield open_one
    for context in contexts:
        context.close()
    assert not errors, "the page threw:\n" + "\n".join(errors)


@pytest.fixture
def panel(open_panel: OpenPanel) -> PanelPage:
    """A page in the light theme, 1400 pixels wide."""
    return open_panel()
