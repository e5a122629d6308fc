"""The build panel: build an engine step by step, by clicking.

The panel never blocks the kernel: steps run in one background thread (TensorRT itself in the worker process), and another
thread sends what changed to the page ten times a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import traitlets

from trtlab._errors import InputError, TrtlabError
from trtlab._format import shorten_middle
from trtlab.build.cache import EngineCache
from trtlab.build.plan import BuildPlan
from trtlab.build.progress import Progress
from trtlab.build.proposals import proposed_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.build.steps import STEP_NAMES, StepName, StepRecord
from trtlab.build.validation import validate
from trtlab.widgets import build_view, plan_editor, plan_options
from trtlab.widgets._esm import joined_module, stylesheet
from trtlab.widgets.background_panel import BackgroundPanel
from trtlab.widgets.log_buffer import LogBuffer
from trtlab.widgets.model_choices import find_models
from trtlab.worker import LogRecord, WorkerLimits

_RECORDS_A_MESSAGE = 1000


class BuildPanel(BackgroundPanel):
    """Build a TensorRT engine step by step in a notebook.

    Args:
        model: An ONNX file, or a folder whose models can be chosen; None takes the current folder.
        models: More files that can be chosen.
        plan: What to build; None proposes shape profiles from the model.
        output: Where the engine goes; None keeps it only in the cache.
        flavour: `tensorrt` or `tensorrt_rtx`; None chooses what can build here.
        cache: Whether an engine that was built before is taken instead of built again.
        limits: Memory and time limits of the worker process.

    Example:
        >>> from trtlab.widgets import BuildPanel  # doctest: +SKIP
        >>> panel = BuildPanel("model.onnx")  # doctest: +SKIP
        >>> panel.report()  # after a build, the same result that trtlab.build returns  # doctest: +SKIP
    """

    _esm = joined_module("build_panel.js")
    _css = stylesheet("build_panel.css")
    engine_report = traitlets.Dict().tag(sync=True)

    def __init__(  # noqa: PLR0913 - options are keyword-only, and most callers give one or two
        self,
        model: str | Path | None = None,
        *,
        models: Iterable[str | Path] = (),
        plan: BuildPlan | None = None,
        output: str | Path | None = None,
        flavour: str | None = None,
        cache: bool = True,
        limits: WorkerLimits | None = None,
    ) -> None:
        super().__init__()
        self._given_plan = plan
        self._plan = plan or BuildPlan()
        self._flavour = flavour or ""
        self._use_cache = cache
        self._limits = limits
        self._output = str(output) if output else ""
        self._choices = find_models(model, models)
        self._chosen = self._choices[0].value if model is not None and self._choices else ""
        self._session: BuildSession | None = None
        self._installation: Any = None
        self._is_answered = False
        self._last_report: BuildReport | None = None
        self._log = LogBuffer()
        self._sent = -1
        self._start("trtlab-build-panel")
        if self._chosen:
            self._tasks.put(self._open_model)

    def report(self) -> BuildReport | None:
        """Return the report of the model that is open, as far as it got; None before a model was opened."""
        return self._session.report() if self._session is not None else None

    @property
    def session(self) -> BuildSession | None:
        """The session behind the panel, None before a model was opened."""
        return self._session

    def __repr__(self) -> str:
        report = self.report()
        state = report.headline if report is not None else "opening the model" if self._chosen else "no model chosen"
        return f"BuildPanel({shorten_middle(self._chosen)!r}): {state}. A notebook with widgets shows it as a panel."

    # What the session says (in its threads)

    def step_changed(self, record: StepRecord) -> None:
        """Show a step's new state."""
        if record.state == "running":
            self._log.begin(record.name)
        else:
            self._last_report = None
        self._dirty.set()

    def logged(self, step: StepName, record: LogRecord) -> None:
        """Keep a log line for the page."""
        self._log.add(step, record)
        self._dirty.set()

    def progressed(self, progress: Progress) -> None:
        """Show that TensorRT went on."""
        del progress  # the view reads it from the session
        self._dirty.set()

    # What the page says (in the kernel's main thread)

    def _command(self, message: dict[str, Any]) -> None:
        command = message["command"]
        if command == "log_request":
            self._send_log(int(message["after"]))
            return
        self._note = ""
        if command == "cancel":
            if self._session is not None:
                self._session.cancel()
        elif command in ("next", "run_all", "run_to", "rerun", "answer"):
            self._run_command(command, message)
        elif command == "select_model":
            self._select(str(message["value"]))
        else:
            self._edit_command(command, message)

    def _run_command(self, command: str, message: dict[str, Any]) -> None:
        session = self._session
        if session is None or session.busy:
            return
        if command == "answer":
            self._is_answered = True
            if message["yes"]:
                self._tasks.put(lambda: self._save_over(session))
            return
        self._is_answered = False
        step: StepName | None = message.get("step")
        if step is None:
            self._tasks.put(session.next if command == "next" else lambda: self._run_all(session))
        elif step not in STEP_NAMES:
            raise InputError(f"There is no step {step!r}.")
        else:
            self._tasks.put(lambda: session.run_to(step) if command == "run_to" else session.rerun(step))

    @staticmethod
    def _run_all(session: BuildSession) -> None:
        if session.next_step is None:
            session.rerun("load")
        else:
            session.run_all()

    def _save_over(self, session: BuildSession) -> None:
        session.set_output(self._output or None, overwrite=True)
        session.run_all()

    def _edit_command(self, command: str, message: dict[str, Any]) -> None:
        session = self._session
        if session is not None and session.busy:
            raise InputError("A step is running. Cancel it, or wait until it has ended, before changing the plan.")
        if command == "set_output":
            self._output = str(message["path"]).strip()
            if session is not None:
                session.set_output(self._output or None)
        elif command == "set_option" and message["id"] in ("flavour", "cache"):
            if message["id"] == "flavour":
                self._flavour = str(message["value"])
            else:
                self._use_cache = bool(message["value"])
            self._tasks.put(self._open_model)
        else:
            self._set_plan(self._edited_plan(command, message))

    def _edited_plan(self, command: str, message: dict[str, Any]) -> BuildPlan:
        plan = self._plan
        if command == "set_option":
            return plan_editor.with_option(plan, message["id"], message["value"])
        if command == "set_profile":
            sizes = (int(message["min"]), int(message["opt"]), int(message["max"]))
            return plan_editor.with_sizes(
                plan, int(message["profile"]), str(message["tensor"]), int(message["axis"]), sizes
            )
        if command == "add_profile":
            return plan.with_profiles(*plan.profiles, *plan.profiles[-1:])
        if command == "remove_profile":
            kept = [profile for number, profile in enumerate(plan.profiles) if number != int(message["profile"])]
            return plan.with_profiles(*(kept or plan.profiles))
        if command == "propose_profiles":
            return self._proposed(plan.with_profiles())
        raise InputError(f"The page sent an unknown command {command!r}.")

    def _set_plan(self, plan: BuildPlan) -> None:
        self._plan = plan
        if self._session is not None:
            self._session.set_plan(plan)

    def _select(self, value: str) -> None:
        if value and value not in {choice.value for choice in self._choices}:
            raise InputError(f"{value!r} is not one of the models to choose from.")
        if self._session is not None:
            self._session.cancel()
        self._chosen = value
        self._given_plan = None
        self._tasks.put(self._open_model)

    # Work (in the panel's own thread)

    def _stop_work(self) -> None:
        if self._session is not None:
            self._session.cancel()

    def _give_back(self) -> None:
        if self._session is not None:
            self._session.close()

    def _open_model(self) -> None:
        """Start a session for the chosen model, load it, and propose a plan."""
        if self._session is not None:
            self._session.close()
        self._log.clear()
        self.send({"type": "log_reset"})
        self._session = None
        self._last_report = None
        if not self._chosen:
            return
        session = BuildSession(
            self._chosen, plan=self._plan, output=self._output or None, flavour=self._flavour or None,
            cache=EngineCache() if self._use_cache else None, limits=self._limits, listener=self,
        )  # fmt: skip
        self._session = session
        described = session.run_to("load").result
        if self._given_plan is None:
            keep = self._plan if described is not None and self._plan.profiles and self._fits(described) else None
            self._plan = keep or self._proposed(self._plan.with_profiles())
        session.set_plan(self._plan)
        self._dirty.set()
        try:
            self._installation = session.describe_installation()
        except TrtlabError as error:
            self._installation, self._note = None, str(error)

    def _fits(self, described: Any) -> bool:  # noqa: ANN401 - ModelDescription
        return not any(problem.profile is not None for problem in validate(self._plan, described))

    def _proposed(self, plan: BuildPlan) -> BuildPlan:
        described = self._session.step("load").result if self._session is not None else None
        profile = proposed_profile(described) if described is not None else None
        return plan.with_profiles(profile) if profile is not None else plan

    # Showing (in the pump's thread)

    def _send_changes(self) -> None:
        self._send_log(self._sent)
        self._show_report()

    def _send_log(self, after: int) -> None:
        while records := self._log.after(after, limit=_RECORDS_A_MESSAGE):
            self.send({"type": "log", "records": records})
            after = records[-1][0]
            self._sent = max(self._sent, after)

    def _show_report(self) -> None:
        session = self._session
        if session is None or session.busy:
            if session is None and self.engine_report:
                self.engine_report = {}
            return
        if self._last_report is None:
            self._last_report = session.report()
            shown = build_view.report_view(self._last_report)
            if shown != self.engine_report:
                self.engine_report = shown

    def _make_view(self) -> dict[str, Any]:
        session = self._session
        steps = session.steps if session is not None else tuple(StepRecord(name) for name in STEP_NAMES)
        busy = session is not None and session.busy
        model = steps[0].result
        problems = validate(self._plan, model, self._installation) if model is not None else ()
        general = ([self._note] if self._note else []) + (
            plan_editor.general_problems(self._plan, model, problems) if model else []
        )
        return {
            "headline": build_view.headline(steps, self._last_report, model, chosen=self._chosen),
            "models": [{"value": choice.value, "label": choice.label} for choice in self._choices],
            "model": self._chosen,
            "model_lines": build_view.model_lines(model, Path(self._chosen).name) if model is not None else [],
            "flavour": self._installation.title if self._installation else "",
            "busy": busy,
            "buttons": self._buttons(session, busy=busy),
            "steps": build_view.step_rows(steps, busy=busy, log_ranges=self._log.ranges()),
            "progress": build_view.progress_view(session.progress) if session is not None else None,
            "profiles": plan_editor.profile_rows(self._plan, model, problems) if model is not None else [],
            "profiles_note": self._profiles_note(model),
            "options": plan_options.options(
                self._plan, self._installation, flavour=self._flavour, cache=self._use_cache
            ),
            "problems": general,
            "output": {"path": self._output, "problem": ""},
            "ask": self._question(steps),
            "log": self._log.summary(),
        }

    @staticmethod
    def _buttons(session: BuildSession | None, *, busy: bool) -> dict[str, Any]:
        following = session.next_step if session is not None else None
        blocked = "Choose a model first." if session is None else "A step is running." if busy else ""
        ended = "" if following or blocked else "All steps are done. Rerun one from its row."
        return {
            "next": {
                "enabled": not (blocked or ended),
                "label": f"Next: {following}" if following else "Next",
                "reason": blocked or ended,
            },
            "run_all": {"enabled": not blocked, "label": "Run all", "reason": blocked},
            "cancel": {"enabled": busy, "label": "Cancel", "reason": "" if busy else "Nothing is running."},
        }

    @staticmethod
    def _profiles_note(model: Any) -> str:  # noqa: ANN401 - ModelDescription or None
        if model is None:
            return "Choose a model to see its dynamic dimensions."
        if not model.dynamic_inputs:
            return "This model has no dynamic dimensions; it needs no profile."
        unknown = [tensor.name for tensor in model.dynamic_inputs if tensor.shape is None]
        if unknown:
            return f"The rank of {', '.join(map(shorten_middle, unknown))} is unknown: give the shapes in Python, with plan=BuildPlan(...)."
        return ""

    def _question(self, steps: tuple[StepRecord, ...]) -> dict[str, str] | None:
        save = steps[STEP_NAMES.index("save")]
        if not self._is_answered and save.state == "failed" and save.diagnoses and save.diagnoses[0].id == "file.newer":
            return {"id": "overwrite", "text": save.diagnoses[0].title, "yes": "Replace it", "no": "Leave it"}
        return None
