"""The journal of a survey: what the worker was doing when it died is known, and no pass is done twice that killed it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import models
from trtlab.support.journal import CRASH, Journal, JournalingSurvey, JournalReader, journal_of, pass_key
from trtlab.support.passes import BuildPass, ParserPass

DIED = "The process ended with SIGSEGV."
ACCEPTED, BUILT = ParserPass(True), BuildPass(True)


class Died(BaseException):
    """Stands for the end of the worker: nothing of the pass is left but what was written before it."""


class ScriptedSurvey:
    """Dies on some models, refuses to build some, and counts what it was asked."""

    def __init__(self, deadly: set[str], refused: set[str]) -> None:
        self.deadly, self.refused = deadly, refused
        self.asked: list[tuple[str, str]] = []

    def parse(self, model: onnx.ModelProto, content: bytes) -> ParserPass:
        """Parse."""
        assert onnx.ModelProto.FromString(content) == model
        self._ask("parse", model)
        return ACCEPTED

    def build(self, model: onnx.ModelProto, content: bytes) -> BuildPass:
        """Build."""
        assert onnx.ModelProto.FromString(content) == model
        self._ask("build", model)
        name = model.graph.name
        return BuildPass(False, (f"{name} is refused",)) if name in self.refused else BUILT

    def _ask(self, what: str, model: onnx.ModelProto) -> None:
        self.asked.append((what, model.graph.name))
        if f"{what} {model.graph.name}" in self.deadly:
            raise Died


def named(name: str) -> onnx.ModelProto:
    model = models.relu()
    model.graph.name = name
    return model


def survive(tensorrt: ScriptedSurvey, work: Callable[[JournalingSurvey], None], most: int) -> JournalReader:
    """Do work again and again, as the kernel does, until the worker outlives it."""
    reader = JournalReader()
    while True:
        with contextlib.suppress(Died):
            # What crosses the pipe is JSON.
            work(JournalingSurvey(tensorrt, journal_of(reader.journal.to_dict()), reader.take))
            return reader
        assert reader.note_crash(DIED), "it died in a pass that was known to kill it"
        assert len(reader.journal.crashes) <= most


PASSES = st.lists(st.tuples(st.sampled_from(["parse", "build"]), st.sampled_from("abcdef")), max_size=12)


@settings(max_examples=200, deadline=None)
@given(passes=PASSES, deadly=st.sets(st.tuples(st.sampled_from(["parse", "build"]), st.sampled_from("abcdef"))))
def test_each_deadly_pass_kills_once_and_every_other_gets_its_answer(
    passes: list[tuple[str, str]], deadly: set[tuple[str, str]]
) -> None:
    killers = {f"{what} {name}" for what, name in deadly}
    tensorrt = ScriptedSurvey(killers, {"b", "d"})
    answers: list[ParserPass | BuildPass] = []

    def work(survey: JournalingSurvey) -> None:
        answers.clear()
        answers.extend(getattr(survey, what)(named(name)) for what, name in passes)

    reader = survive(tensorrt, work, len(deadly))
    met = {f"{what} {name}" for what, name in passes} & killers
    assert len(reader.journal.crashes) == len(met)
    assert len(answers) == len(passes)
    for (what, name), answer in zip(passes, answers, strict=True):
        if f"{what} {name}" in killers:
            assert not getattr(answer, "accepted", getattr(answer, "built", None))
            said = answer.errors[0].text if isinstance(answer, ParserPass) else answer.messages[0]
            assert DIED in said
        else:
            expected = (
                ACCEPTED if what == "parse" else BuildPass(False, (f"{name} is refused",)) if name in "bd" else BUILT
            )
            assert answer == expected
    for killer in met:
        assert tensorrt.asked.count(tuple(killer.split())) == 1  # type: ignore[arg-type]


def test_builds_that_were_done_before_a_crash_are_not_done_again() -> None:
    tensorrt = ScriptedSurvey({"build c"}, {"b"})

    def work(survey: JournalingSurvey) -> None:
        for name in "abc":
            survey.build(named(name))

    reader = survive(tensorrt, work, 1)
    assert tensorrt.asked == [("build", "a"), ("build", "b"), ("build", "c")]
    assert reader.journal.builds[pass_key("build", named("b").SerializeToString(deterministic=True))].messages == (
        "b is refused",
    )


def test_a_crash_is_an_error_of_its_own_code() -> None:
    key = pass_key("parse", named("a").SerializeToString(deterministic=True))
    survey = JournalingSurvey(ScriptedSurvey(set(), set()), Journal({key: DIED}), lambda _: None)
    [error] = survey.parse(named("a")).errors
    assert (error.code, error.text) == (CRASH, DIED)
    assert survey.parse(named("b")) == ACCEPTED


def test_a_crash_outside_a_pass_is_no_crash_of_tensorrt() -> None:
    """Then to try again would bring nothing new, and could go on for ever."""
    reader = JournalReader()
    assert not reader.note_crash(DIED)
    reader.take("trtlab.pass parse:1")
    reader.take("trtlab.pass ")
    assert not reader.note_crash(DIED)
    reader.take("trtlab.pass parse:1")
    assert reader.note_crash(DIED)
    reader.take("trtlab.pass parse:1")
    assert not reader.note_crash(DIED), "the same pass a second time"


@given(text=st.text())
def test_events_of_others_are_left_alone(text: str) -> None:
    reader = JournalReader()
    assert reader.take(text) == text.startswith("trtlab.pass ")


@given(
    messages=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_what_a_build_said_survives_the_way(messages: list[str], key: str) -> None:
    """Messages hold names of the model, so anything: quotes, brackets, line ends, the journal's own mark."""
    reader, done = JournalReader(), BuildPass(False, tuple(messages))
    survey = JournalingSurvey(ScriptedSurvey(set(), set()), Journal(), reader.take)
    assert survey.building(f"build:{key}", lambda: done) == done
    assert journal_of(reader.journal.to_dict()).builds == {f"build:{key}": done}
