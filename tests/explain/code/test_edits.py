"""Changes of a text come together from the inside out, and never overlap."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from trtlab.explain.code.edits import Edit, Texts


def always(text: str) -> Callable[[], str]:
    return lambda: text


def test_an_outer_change_contains_the_inner_ones() -> None:
    texts = Texts(["set(number(1))"])
    assert texts.make(Edit(0, 4, 10, always("index")))
    assert texts.make(Edit(0, 0, 14, lambda: f"<{texts.part(0, 4, 13)}>"))
    assert texts.whole() == ["<index(1)>"]


def test_half_over_another_one_is_refused() -> None:
    texts = Texts(["abcdef"])
    assert texts.make(Edit(0, 1, 4, always("X")))
    assert not texts.make(Edit(0, 3, 6, always("Y")))
    assert not texts.make(Edit(0, 2, 2, always("Y"))), "nothing can be inserted into what is gone"
    assert texts.whole() == ["aXef"]


def test_what_is_inserted_at_an_end_belongs_to_neither_side() -> None:
    texts = Texts(["ab", "c"])
    assert texts.make(Edit(0, 1, 1, always("-")))
    assert texts.part(0, 0, 1) == "a"
    assert texts.part(0, 1, 2) == "b"
    assert texts.part(0, 0, 2) == "a-b"
    assert texts.make(Edit(0, 1, 2, always("B")))
    assert texts.make(Edit(0, 0, 1, always("A")))
    assert texts.whole() == ["A-B", "c"]


@given(
    st.text(max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.text("xyz", max_size=3)), max_size=8),
)
def test_any_changes_leave_the_rest_as_it_was(text: str, wanted: list[tuple[int, int, str]]) -> None:
    texts = Texts([text])
    made: list[tuple[int, int, str]] = []
    for first, second, replacement in sorted(wanted, key=lambda entry: abs(entry[1] - entry[0])):
        start, end = sorted((min(first, len(text)), min(second, len(text))))
        overlaps = any(low < end and start < high for low, high, _ in made)
        if not overlaps and texts.make(Edit(0, start, end, always(replacement))):
            made.append((start, end, replacement))
    expected, position = "", 0
    for start, end, replacement in sorted(made, key=lambda entry: entry[:2]):
        expected += text[position:start] + replacement
        position = end
    assert texts.whole() == [expected + text[position:]]
