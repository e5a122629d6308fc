"""Runs after tests/browser in a whole run, and fails where Playwright's event loop was left open there."""

from __future__ import annotations

import asyncio


def test_asyncio_can_run() -> None:
    async def answer() -> int:
        return 42

    assert asyncio.run(answer()) == 42
