"""Where TensorRT is while it works, from its progress monitor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trtlab._results import Result
from trtlab.worker.events import Event, PhaseEvent


@dataclass(frozen=True)
class Phase(Result):
    """A phase of the builder, with its own count of steps."""

    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Progress(Result):
    """What is going on now.

    Attributes:
        step: The step that runs.
        started: When it began, in seconds since the epoch.
        last_sign: When the worker last said anything.
        phases: TensorRT's phases that are open, the outermost first. Their counts are TensorRT's; phases differ so much
            in length that no percentage of the whole can be made from them.
    """

    step: str
    started: float
    last_sign: float
    phases: tuple[Phase, ...] = ()

    def after(self, event: Event) -> Progress:
        """Return the progress after an event."""
        if not isinstance(event, PhaseEvent):
            return Progress(self.step, self.started, event.time, self.phases)  # `replace` takes twice as long
        names = [phase.name for phase in self.phases]
        phases = self.phases
        if event.kind == "start":
            kept = phases[: names.index(event.parent) + 1] if event.parent in names else ()
            phases = (*kept, Phase(event.name, 0, event.steps))
        elif event.name in names:
            position = names.index(event.name)
            if event.kind == "finish":
                phases = phases[:position]
            else:
                changed = Phase(event.name, event.step, event.steps or phases[position].total)
                phases = (*phases[:position], changed, *phases[position + 1 :])
        return replace(self, phases=phases, last_sign=event.time)

    @property
    def phase_text(self) -> str:
        """The open phases in one line."""
        return " › ".join(phase.name for phase in self.phases)
