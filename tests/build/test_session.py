"""A build step by step: what runs when, what is kept, what a change resets, and who is told what in which order."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests import models
from trtlab._engine_results import BuiltEngine, InspectResult, ParseResult
from trtlab._errors import InputError
from trtlab.build.cache import EngineCache
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.progress import Progress
from trtlab.build.session import BuildSession
from trtlab.build.steps import STEP_NAMES, StepName, StepRecord, StepState
from trtlab.model.description import ModelDescription
from trtlab.worker import LogRecord

SMALL = BuildPlan(profiles=(shape_profile({"x": ((1, 4), (2, 4), (4, 4))}),))
LARGE = BuildPlan(profiles=(shape_profile({"x": ((1, 4), (8, 4), (16, 4))}),))
WRONG = BuildPlan(profiles=(shape_profile({"x": ((3, 4), (2, 4), (1, 4))}),))
ENDED = {"done", "skipped"}


def states(session: BuildSession) -> list[StepState]:
    return [step.state for step in session.steps]


def test_one_step_at_a_time() -> None:
    with BuildSession(models.relu(), plan=SMALL) as session:
        assert states(session) == ["waiting"] * 7
        for number, name in enumerate(STEP_NAMES):
            assert session.next_step == name
            record = session.next()
            assert record is not None
            assert record.name == name
            assert record.state == ("skipped" if name == "save" else "done"), record
            assert record.seconds is not None
            assert record.started is not None
            assert record.line
            assert states(session)[number + 1 :] == ["waiting"] * (6 - number)
        assert session.next_step is None
        assert session.next() is None
        report = session.report()
    assert report.ok
    kinds: dict[StepName, type] = {
        "load": ModelDescription,
        "check": tuple,
        "parse": ParseResult,
        "build": BuiltEngine,
        "inspect": InspectResult,
    }
    assert all(isinstance(report.step(step).result, kind) for step, kind in kinds.items())
    assert report.step("parse").log
    assert report.step("build").log
    assert {record.severity for record in report.step("build").log} >= {"info", "verbose"}


def test_run_to_runs_what_is_missing_and_no_more() -> None:
    with BuildSession(models.relu(), plan=SMALL) as session:
        assert session.run_to("parse").state == "done"
        assert states(session) == ["done"] * 3 + ["waiting"] * 4
        started = session.step("load").started
        session.run_to("build")
        assert session.step("load").started == started, "it was not run again"
        assert session.run_to("load").started == started


@pytest.mark.parametrize("first", STEP_NAMES)
def test_rerun_runs_that_step_and_all_behind_it(first: StepName, tmp_path: Path) -> None:
    with BuildSession(models.relu(), plan=SMALL, output=tmp_path / "x.engine") as session:
        session.run_all()
        before = {step.name: step.started for step in session.steps}
        report = session.rerun(first)
        assert report.ok
        position = STEP_NAMES.index(first)
        again = [step.name for step in session.steps if step.started != before[step.name]]
        assert again == list(STEP_NAMES[position:])


def test_a_model_that_was_changed_on_disk_is_read_again_by_rerun(tmp_path: Path) -> None:
    path = models.save(models.relu(), tmp_path / "model.onnx")
    with BuildSession(path, plan=SMALL) as session:
        first = session.run_all()
        models.save(models.chain(3), path)
        renamed = BuildPlan(profiles=(shape_profile({"t0": ((1, 4), (2, 4), (4, 4))}),))
        session.set_plan(renamed)
        second = session.rerun("load")
    assert second.ok, second
    assert first.model is not None
    assert second.model is not None
    assert (first.model.node_count, second.model.node_count) == (1, 3)
    assert first.model.sha256 != second.model.sha256


def test_another_plan_resets_from_configure_on() -> None:
    with BuildSession(models.relu(), plan=SMALL) as session:
        small = session.run_all()
        session.set_plan(SMALL)
        assert session.next_step is None, "the same plan changes nothing"
        session.set_plan(LARGE)
        assert states(session) == ["done"] * 3 + ["waiting"] * 4
        assert not session.report().ok
        assert session.report().memory is None
        large = session.run_all()
    assert large.ok
    assert large.plan == LARGE
    assert small.step("load").started == large.step("load").started


def test_a_wrong_plan_fails_at_configure_and_can_be_corrected() -> None:
    with BuildSession(models.relu(), plan=WRONG) as session:
        report = session.run_all()
        assert states(session) == ["done", "done", "done", "failed", "waiting", "waiting", "waiting"]
        assert session.next_step == "configure"
        assert report.diagnoses
        session.set_plan(SMALL)
        assert session.run_all().ok
        assert session.report().diagnoses == ()


def test_a_failed_step_can_be_tried_again() -> None:
    with BuildSession(models.model([models.node("Det", ["x"], ["y"])], [models.value("x", (2, 4, 4))])) as session:
        session.run_all()
        first = session.step("parse")
        assert first.state == "failed"
        session.run_all()
        assert session.step("parse").started != first.started
        assert session.step("parse").diagnoses == first.diagnoses


def test_an_unknown_step() -> None:
    with BuildSession(models.relu()) as session:
        for call in (session.run_to, session.rerun):
            with pytest.raises(InputError, match=r"There is no step 'bild'\. The steps are: load, check"):
                call("bild")  # type: ignore[arg-type]


def test_what_is_no_model() -> None:
    with pytest.raises(InputError, match=r"A model is a path, bytes or an onnx\.ModelProto, not int"):
        BuildSession(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["path", "text", "bytes", "bytearray", "memoryview", "proto"])
def test_every_form_of_a_model(form: str, tmp_path: Path) -> None:
    proto = models.relu()
    path = models.save(proto, tmp_path / "model.onnx")
    content = path.read_bytes()
    forms: dict[str, Any] = {
        "path": path,
        "text": str(path),
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "proto": proto,
    }
    with BuildSession(forms[form], plan=SMALL) as session:
        description = session.run_to("load").result
    assert description.path == (str(path) if form in ("path", "text") else "")


class Notes:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def step_changed(self, record: StepRecord) -> None:
        self.told.append(("state", record.name, record.state))

    def logged(self, step: StepName, record: LogRecord) -> None:
        self.told.append(("log", step, record.message))

    def progressed(self, progress: Progress) -> None:
        self.told.append(("progress", progress.step, progress.phase_text))


def test_a_listener_hears_everything_in_order() -> None:
    notes = Notes()
    with BuildSession(models.relu(), plan=SMALL, listener=notes) as session:
        report = session.run_all()
    running = [name for kind, name, what in notes.told if (kind, what) == ("state", "running")]
    assert running == list(STEP_NAMES)
    for name in STEP_NAMES:
        own = [(kind, what) for kind, step, what in notes.told if step == name]
        begin, end = own.index(("state", "running")), len(own) - 1
        assert own[end] == ("state", report.step(name).state)
        assert all(kind in ("log", "progress") for kind, _ in own[begin + 1 : end]), "nothing else between"
        assert [what for kind, what in own if kind == "log"] == [record.message for record in report.step(name).log]
    for position, (kind, step, _) in enumerate(notes.told):
        if kind == "log":
            assert notes.told.index(("state", step, "running")) < position


class Meddler(Notes):
    """A listener that tries, while a step runs, what must wait until it has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.session: BuildSession | None = None
        self.refused: list[str] = []

    def step_changed(self, record: StepRecord) -> None:
        super().step_changed(record)
        if record.state != "running" or self.session is None:
            return
        assert self.session.busy
        for name, argument in (("set_plan", LARGE), ("run_all", None), ("set_output", None)):
            other = threading.Thread(target=self._try, args=(name, argument))
            other.start()
            other.join(5)

    def _try(self, name: str, argument: BuildPlan | None) -> None:
        call = getattr(self.session, name)
        try:
            call(*([] if name == "run_all" else [argument]))
        except InputError as error:
            self.refused.append(f"{name}: {error}")


def test_nothing_can_be_changed_while_a_step_runs() -> None:
    meddler = Meddler()
    with BuildSession(models.relu(), plan=SMALL, listener=meddler) as session:
        meddler.session = session
        assert session.run_to("check").state == "done"
        meddler.session = None
        assert session.plan == SMALL
    assert [text.partition(":")[0] for text in meddler.refused] == ["set_plan", "run_all", "set_output"] * 2
    assert all("A step is running" in text for text in meddler.refused)


def test_closing_twice_and_using_a_session_again_after_that() -> None:
    session = BuildSession(models.relu(), plan=SMALL)
    assert session.run_all().ok
    session.close()
    session.close()
    assert session.report().ok, "what was done can still be read"


class Steps(RuleBasedStateMachine):
    """Runs, repeats and changes in any order: the states never contradict each other, and all ends well."""

    def __init__(self) -> None:
        super().__init__()
        self.session = BuildSession(models.relu(), plan=SMALL)

    @rule()
    def next_step(self) -> None:
        before = self.session.next_step
        record = self.session.next()
        assert (record is None) == (before is None)

    @rule(name=st.sampled_from(STEP_NAMES))
    def run_to(self, name: StepName) -> None:
        self.session.run_to(name)

    @rule(name=st.sampled_from(STEP_NAMES))
    def rerun(self, name: StepName) -> None:
        self.session.rerun(name)

    @rule(plan=st.sampled_from([SMALL, LARGE, WRONG]))
    def set_plan(self, plan: BuildPlan) -> None:
        changed = plan != self.session.plan
        self.session.set_plan(plan)
        assert self.session.plan == plan
        if changed:
            assert states(self.session)[3:] == ["waiting"] * 4

    @precondition(lambda self: self.session.plan != WRONG)
    @rule()
    def run_all(self) -> None:
        report = self.session.run_all()
        assert report.ok
        assert report.plan == self.session.plan
        largest = report.plan.profiles[0].shapes["x"].max[0]
        assert report.memory is not None
        assert report.model is not None
        assert largest in (4, 16)

    @invariant()
    def states_fit_together(self) -> None:
        found = states(self.session)
        assert set(found) <= set(get_args(StepState))
        assert "running" not in found
        assert not self.session.busy
        done = [state in ENDED for state in found]
        assert done == sorted(done, reverse=True), "no step is done behind one that is not"
        assert sum(state == "failed" for state in found) <= 1
        report = self.session.report()
        assert report.ok == (done[4] and done[5])
        for step in report.steps:
            assert (step.seconds is None) == (step.state == "waiting")
            assert bool(step.diagnoses) == (step.state == "failed")
            assert step.state != "waiting" or (not step.log and step.result is None)

    def teardown(self) -> None:
        self.session.close()


TestSteps = Steps.TestCase
TestSteps.settings = settings(
    max_examples=8, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_cache_serves_a_second_session_and_says_so() -> None:
    cache = EngineCache()
    with BuildSession(models.relu(), plan=SMALL, cache=cache) as session:
        first = session.run_all()
    with BuildSession(models.relu(), plan=SMALL, cache=cache) as session:
        second = session.run_all()
    assert (first.from_cache, second.from_cache) == (False, True)
    assert second.step("build").state_word == "from cache"
    assert second.layers == first.layers
    assert second.memory == first.memory
    assert first.engine is not None
    assert second.engine is not None
    assert first.engine.sha256 == second.engine.sha256
    with BuildSession(models.relu(), plan=LARGE, cache=cache) as session:
        assert not session.run_all().from_cache


def test_a_problem_of_the_plan_comes_with_the_page_about_it() -> None:
    with BuildSession(models.SAMPLES / "transformer.onnx") as session:
        session.run_all()
        [diagnosis, *_] = session.step("configure").diagnoses
    assert diagnosis.id == "config.profile_missing"
    assert "dynamic inputs" in diagnosis.title
    assert "trtlab.build(model, shapes=" in diagnosis.remedies[0].code
    assert len(diagnosis.remedies) > 1
    assert diagnosis.causes
    assert diagnosis.references
