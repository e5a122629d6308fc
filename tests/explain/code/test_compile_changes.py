"""The table of changes is sound, and the file that is loaded is what the YAML and the releases say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trtlab import releases
from trtlab.explain.code.changes import table
from trtlab.explain.code.compile_changes import SOURCE, TARGET, compiled
from trtlab.explain.code.rules import RULES


def test_the_generated_file_is_what_the_yaml_and_the_releases_say() -> None:
    assert TARGET.read_bytes() == compiled(), "python -m trtlab.explain.code.compile_changes makes it anew"


def test_every_rule_is_used_and_every_change_names_a_rule_that_there_is() -> None:
    used = {change.how for change in table().changes if change.how}
    assert used == set(RULES)


def test_what_a_rule_needs_exists_in_some_release() -> None:
    every = frozenset().union(*(releases.symbols(each.flavour, each.version) for each in releases.releases()))
    for change in table().changes:
        assert set(change.needs) <= every, change.symbols


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("how: strict_types", "how: no_such_rule", "there is no rule 'no_such_rule'"),
        ("- symbols: [BuilderFlag.WEIGHTLESS]", "- symbols: [BuilderFlag.NEVER_WAS]", "BuilderFlag.WEIGHTLESS is gone and has no words"),
        ("- symbols: [BuilderFlag.WEIGHTLESS]", "- symbols: [BuilderFlag.REFIT]", "BuilderFlag.REFIT is gone from no release"),
        ("- symbols: [ITensor.dtype]", "- symbols: [ITensor.name]", "ITensor.dtype can only be read now and has no words"),
    ],
)  # fmt: skip
def test_a_wrong_yaml_says_what_is_wrong(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = SOURCE.read_text("utf-8")
    assert old in text
    path = tmp_path / "changes.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=re.escape(problem)):
        compiled(path)


def test_a_change_without_a_page_or_in_one_language_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "changes.yaml"
    path.write_text(
        'pages: {a: "http://example.com"}\nchanges:\n'
        "- {symbols: [BuilderFlag.WEIGHTLESS], en: Use STRIP_PLAN!, zh: STRIP_PLAN, pages: [a]}\n",
        "utf-8",
    )
    with pytest.raises(ValueError, match="not Chinese") as caught:
        compiled(path)
    assert "is no https address" in str(caught.value)
    assert "no exclamation marks" in str(caught.value)
