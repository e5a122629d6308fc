"""The progress monitor's events become a stack of open phases, whatever their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests import models
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.progress import Phase, Progress
from trtlab.build.session import BuildSession
from trtlab.build.steps import StepName, StepRecord
from trtlab.worker import LogRecord, PhaseEvent

START = Progress("build", 0.0, 0.0)


def after(*events: PhaseEvent | LogRecord) -> Progress:
    progress = START
    for event in events:
        progress = progress.after(event)
    return progress


def begin(name: str, parent: str | None = None, steps: int = 10) -> PhaseEvent:
    return PhaseEvent(1.0, "start", name, parent, 0, steps)


def test_phases_open_inside_each_other_and_close() -> None:
    two = after(begin("Building"), begin("Tactics", "Building", 4))
    assert two.phase_text == "Building › Tactics"
    assert two.phases == (Phase("Building", 0, 10), Phase("Tactics", 0, 4))
    advanced = two.after(PhaseEvent(2.0, "step", "Tactics", None, 3, 4))
    assert advanced.phases[1] == Phase("Tactics", 3, 4)
    assert advanced.last_sign == 2.0
    assert advanced.after(PhaseEvent(3.0, "finish", "Tactics")).phases == (Phase("Building", 0, 10),)
    assert advanced.after(PhaseEvent(3.0, "finish", "Building")).phases == ()


def test_a_step_that_does_not_know_its_total_keeps_it() -> None:
    assert after(begin("a"), PhaseEvent(1.0, "step", "a", None, 3, 0)).phases == (Phase("a", 3, 10),)


def test_a_sibling_takes_the_place_of_one_that_was_never_finished() -> None:
    assert after(begin("a"), begin("b", "a"), begin("c", "a")).phase_text == "a › c"
    assert after(begin("a"), begin("b", "a"), begin("c")).phase_text == "c"


def test_what_is_not_open_changes_nothing_but_the_last_sign() -> None:
    assert after(begin("a"), PhaseEvent(5.0, "step", "b", None, 1, 1), PhaseEvent(6.0, "finish", "c")).phase_text == "a"
    progress = after(LogRecord(7.0, "info", "text"))
    assert (progress.phases, progress.last_sign) == ((), 7.0)


names = st.sampled_from(["a", "b", "c", "d"])
events = st.builds(
    PhaseEvent,
    st.floats(0, 10),
    st.sampled_from(["start", "step", "finish"]),
    names,
    st.one_of(st.none(), names),
    st.integers(0, 9),
    st.integers(0, 9),
)


@given(st.lists(events))
def test_any_order_of_events_leaves_a_stack_that_can_be_shown(given_events: list[PhaseEvent]) -> None:
    progress = after(*given_events)
    assert len(progress.phases) <= len(given_events)
    assert progress.phase_text.count("›") == max(len(progress.phases) - 1, 0)
    assert progress.last_sign == (given_events[-1].time if given_events else 0.0)


def test_a_real_build_opens_phases_and_closes_all() -> None:
    class Listener:
        def __init__(self) -> None:
            self.seen: list[Progress] = []

        def step_changed(self, record: StepRecord) -> None:
            del record

        def logged(self, step: StepName, record: LogRecord) -> None:
            del step, record

        def progressed(self, progress: Progress) -> None:
            self.seen.append(progress)

    listener = Listener()
    plan = BuildPlan(profiles=(shape_profile({"x": ((1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8))}),))
    with BuildSession(models.convolution(), plan=plan, listener=listener) as session:
        assert session.run_all().ok
        assert session.progress is None
    assert max(len(progress.phases) for progress in listener.seen) >= 2
    assert listener.seen[-1].phases == ()
    assert {progress.step for progress in listener.seen} == {"build"}
    assert all(0 <= phase.done <= phase.total for progress in listener.seen for phase in progress.phases)
