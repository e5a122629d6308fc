"""The graph panel: the ONNX graph, and every node of it that TensorRT does not take, in one look.

The panel never blocks the kernel: checks run in one background thread (TensorRT itself in the worker process), and another
thread sends what changed to the page ten times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from trtlab._errors import InputError, TrtlabError
from trtlab._format import shorten_middle
from trtlab._results import from_dict
from trtlab.model.description import ModelDescription
from trtlab.support.reduction import CutModel, cut_in, output_path, reduce_in
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveyProgress, SurveySession
from trtlab.support.verdicts import Depth
from trtlab.widgets import graph_panel_view as view_parts
from trtlab.widgets._esm import joined_module, stylesheet
from trtlab.widgets.background_panel import BackgroundPanel
from trtlab.widgets.graph_data import details_message, graph_trait
from trtlab.widgets.graph_view import overlay_trait
from trtlab.widgets.model_choices import find_models
from trtlab.widgets.still_picture import StillPicture
from trtlab.worker import WorkerLimits

if TYPE_CHECKING:
    from trtlab.build.report import BuildReport
    from trtlab.support.releases import ReleaseTable

_TITLES: dict[str, str] = {"quick": "Quick check", "full": "Full check"}
_ACTIONS = "trtlab.model.graph_actions"


class GraphPanel(BackgroundPanel):
    """Show an ONNX graph in a notebook, and every node of it that TensorRT does not take.

    Args:
        model: An ONNX file, or a folder whose models can be chosen; None takes the current folder.
        models: More files that can be chosen.
        flavour: `tensorrt` or `tensorrt_rtx`; None chooses what can build here.
        depth: What is checked as soon as a model is open: `quick` (the parser alone), `full` (the builder too), or None.
        limits: Memory and time limits of the worker process.

    Attributes:
        selected: Numbers of the selected nodes, in both directions.

    Example:
        >>> from trtlab.widgets import GraphPanel  # doctest: +SKIP
        >>> panel = GraphPanel("model.onnx")  # doctest: +SKIP
        >>> panel.report()  # what trtlab.check returns  # doctest: +SKIP
    """

    _esm = joined_module("graph_panel.js")
    _css = stylesheet("graph_panel.css")
    graph = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    overlay = traitlets.Dict().tag(sync=True)
    engine = traitlets.Dict().tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        models: Iterable[str | Path] = (),
        flavour: str | None = None,
        depth: Depth | None = "quick",
        limits: WorkerLimits | None = None,
    ) -> None:
        super().__init__()
        self._flavour, self._limits, self._first_depth = flavour, limits, depth
        self._choices = find_models(model, models)
        self._chosen = self._choices[0].value if model is not None and self._choices else ""
        self._session: SurveySession | None = None
        self._model: ModelDescription | None = None
        self._report: SupportReport | None = None
        self._releases: ReleaseTable | None = None
        self._running = ""
        self._started: float | None = None
        self._progress = ""
        self._was_cancelled = False
        self._netron, self._netron_reason = "", "Choose a model first."
        self._still = StillPicture(f"Graph of {shorten_middle(Path(self._chosen).name)}")
        self._start("trtlab-graph-panel")
        if self._chosen:
            self._tasks.put(self._open_model)

    def report(self) -> SupportReport | None:
        """Return the report of the last check of the model that is open; None before one has ended."""
        return self._report

    def check(self, *, depth: Depth = "full") -> None:
        """Check the model that is open; the panel shows it, and `report()` returns it when it has ended (`wait()`)."""
        self._tasks.put(lambda: self._check(depth))

    def show_overlay(self, values: Mapping[int | str, float], *, name: str, unit: str, source: str = "") -> None:
        """Colour the nodes by a number, with a legend; see `GraphView.show_overlay`."""
        self.overlay = overlay_trait(values, self._names(), name=name, unit=unit, source=source)

    def hide_overlay(self) -> None:
        """Show no numbers on the nodes."""
        self.overlay = {}

    def show_engine(self, report: BuildReport) -> None:
        """Show which nodes a build has fused into which layer of its engine."""
        numbers = {name: number for number, name in reversed(list(enumerate(self._names()))) if name}
        self.engine = view_parts.engine_trait(report.layers, report.layers_source, numbers)

    def _ipython_display_(self) -> None:
        """Show the panel, and below it the picture that a notebook without its kernel shows."""
        from IPython.display import display

        data, metadata = self._repr_mimebundle_() or ({"text/plain": repr(self)}, {})
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        self._still.show()

    def __repr__(self) -> str:
        state = self._headline()["text"]
        return f"GraphPanel({shorten_middle(self._chosen)!r}): {state}. A notebook with widgets shows it as a panel."

    def _names(self) -> list[str]:
        names: list[str] = self.graph.get("nodes", {}).get("name", [])
        return names

    # What the page says (in the kernel's main thread)

    def _command(self, message: dict[str, Any]) -> None:
        command = message["command"]
        if command == "cancel":
            if self._session is not None:
                self._session.cancel()
        elif command == "survey":
            depth: Depth = "full" if message["depth"] == "full" else "quick"
            self._tasks.put(lambda: self._check(depth))
        elif command == "select_model":
            self._select(str(message["value"]))
        elif command == "details":
            number = int(message["node"])
            self._tasks.put(lambda: self._send_details(number))
        elif command == "cut":
            numbers, path = [int(number) for number in message["nodes"]], str(message.get("path", ""))
            self._tasks.put(lambda: self._save(path, "part", lambda to: cut_in(self._open_session(), numbers, to)))
        elif command == "reduce":
            number, path = int(message["node"]), str(message.get("path", ""))
            self._tasks.put(lambda: self._reduce(number, path))
        elif command == "picture":
            self._still.set(message.get("svg"))
        else:
            raise InputError(f"The page sent an unknown command {command!r}.")

    def _select(self, value: str) -> None:
        if value and value not in {choice.value for choice in self._choices}:
            raise InputError(f"{value!r} is not one of the models to choose from.")
        if self._session is not None:
            self._session.cancel()
        self._chosen = value
        self._tasks.put(self._open_model)

    # Work (in the panel's own thread)

    def _stop_work(self) -> None:
        if self._session is not None:
            self._session.cancel()

    def _give_back(self) -> None:
        if self._session is not None:
            self._session.close()

    def _cancelled(self) -> None:
        self._was_cancelled = True

    def _task_ended(self) -> None:
        self._running, self._started, self._progress = "", None, ""

    def _open_session(self) -> SurveySession:
        if self._session is None:
            raise InputError("No model is open. Choose one first.")
        return self._session

    def _begin(self, what: str) -> None:
        self._note, self._was_cancelled = "", False
        self._running, self._started = what, time.time()
        self._dirty.set()

    def _open_model(self) -> None:
        """Read the chosen model, show its graph, and check it."""
        if self._session is not None:
            self._session.close()
        self._session = self._model = self._report = self._releases = None
        self.graph, self.status, self.engine, self.overlay, self.selected = {}, {}, {}, {}, []
        self._netron, self._netron_reason = "", "Choose a model first."
        if not self._chosen:
            return
        self._begin("Reading the model")
        session = SurveySession(
            self._chosen,
            flavour=self._flavour,
            limits=self._limits,
            on_progress=self._take_progress,
            on_verdict=self._show_report,
        )
        self._session = session
        self._model = session.load()
        self._show_graph(session)
        self._find_netron()
        if self._first_depth is not None:
            self._check(self._first_depth)

    def _show_graph(self, session: SurveySession) -> None:
        from trtlab.model.graph_document import GraphDocument

        self._progress = "laying out the graph"
        self._dirty.set()
        document = from_dict(GraphDocument, session.call(f"{_ACTIONS}:graph"))
        trait = graph_trait(
            document, title=Path(self._chosen).name, identifier=self._model.sha256 if self._model else ""
        )
        self.status = view_parts.status_trait(None, len(trait["nodes"]["name"]))
        self.graph = trait

    def _find_netron(self) -> None:
        from trtlab.netron import address

        found = address(self._chosen)
        self._netron, self._netron_reason = found.address, found.reason

    def _check(self, depth: Depth) -> None:
        session = self._open_session()
        self._begin(_TITLES[depth])
        report = session.check(depth=depth)
        self._show_report(report)
        if self._releases is None:
            self._releases = report.other_releases()

    def _show_report(self, report: SupportReport) -> None:
        self._report = report.with_source(self._chosen)
        self.status = view_parts.status_trait(report, len(report.nodes))
        self._dirty.set()

    def _send_details(self, number: int) -> None:
        session = self._open_session()
        verdict = self._report.nodes[number] if self._report is not None else None
        details = session.call(f"{_ACTIONS}:node_details", number=number)
        card = view_parts.verdict_card(verdict) if verdict is not None else None
        status = view_parts.status_of(verdict) if verdict is not None else view_parts.NOT_LOOKED_AT
        names = [str(tensor["name"]) for tensor in (*details["inputs"], *details["outputs"])]
        parsed = session.call("trtlab.engine.survey_actions:tensor_types", names=names) if verdict is not None else {}
        self.send(details_message(details, status=status, card=card, parsed=parsed))

    def _reduce(self, number: int, path: str) -> None:
        report = self._report
        if report is None or not 0 <= number < len(report.nodes) or report.nodes[number].status != "unsupported":
            self.send(
                {"type": "saved", "text": "TensorRT does not refuse this node, so there is nothing to reduce it to."}
            )
            return
        self._save(path, f"node{number}", lambda to: reduce_in(self._open_session(), report, number, to))

    def _save(self, path: str, what: str, make: Callable[[Path], CutModel]) -> None:
        """Save a part of the model, and say in the page what came out or what went wrong."""
        self._begin("Cutting the model")
        try:
            assert self._model is not None  # noqa: S101 - for the type checker: a session is open
            saved = make(output_path(path.strip() or None, self._model, what))
        except TrtlabError as error:
            self.send({"type": "saved", "text": str(error)})
        else:
            self.send({"type": "saved", "text": repr(saved)})

    def _take_progress(self, progress: SurveyProgress) -> None:
        self._progress = str(progress)
        self._dirty.set()

    # Showing (in the pump's thread)

    def _headline(self) -> dict[str, str]:
        return view_parts.headline(
            self._report, chosen=self._chosen, model=self._model, running=self._running, note=self._note,
            was_cancelled=self._was_cancelled,
        )  # fmt: skip

    def _make_view(self) -> dict[str, Any]:
        report = self._report
        is_running = bool(self._running)
        count = len(self._names())
        return {
            "headline": self._headline(),
            "started": self._started,
            "progress": self._progress if is_running else "",
            "depth": report.depth if report else "",
            "buttons": view_parts.buttons(
                is_open=self._model is not None,
                is_running=is_running,
                netron=self._netron,
                netron_reason=self._netron_reason,
            ),
            "models": [{"value": choice.value, "label": choice.label} for choice in self._choices],
            "model": self._chosen,
            "model_lines": view_parts.described(self._model, self._chosen),
            "flavour": report.installation.title if report and is_running else "",
            "counts": view_parts.counts(report, count),
            "findings": view_parts.finding_cards(report),
            "partition_text": report.partition.text if report is not None and not report.supported else "",
            "releases": view_parts.release_trait(self._releases),
            "note": self._note,
            "netron": self._netron,
            "python": view_parts.python_text(self._chosen, report.depth if report else ""),
        }
