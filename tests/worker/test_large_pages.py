"""The worker asks the GNU C library for large pages, and leaves the user's own settings of it as they are."""

from __future__ import annotations

import pytest

from tests.worker.conftest import StartWorker

SURROUNDINGS = "trtlab.worker.testing:surroundings"


@pytest.mark.parametrize(
    ("own", "given"),
    [
        (None, "glibc.malloc.hugetlb=1"),
        ("glibc.malloc.perturb=3", "glibc.malloc.perturb=3:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
    ],
)
def test_settings_of_the_c_library(
    start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, own: str | None, given: str
) -> None:
    if own is None:
        monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    else:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    assert start_worker().call(SURROUNDINGS, {"variable": "GLIBC_TUNABLES"})[1] == given
