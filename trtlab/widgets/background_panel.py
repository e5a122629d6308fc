"""What panels on a model share: they never block the kernel, never end in a traceback, and send changes ten times a second."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from trtlab._errors import CancelledError, TrtlabError

_PUMP_SECONDS = 0.1


class BackgroundPanel(anywidget.AnyWidget):
    """A panel whose work runs in one background thread (native code in the worker process), one task after the other.

    A second thread sends the page what changed. A panel says what to do with a message of its page (`_command`), what it shows
    (`_make_view`), how to stop what runs (`_stop_work`) and what to give back at its end (`_give_back`).
    """

    view = traitlets.Dict().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self._note = ""
        self._dirty, self._closing = threading.Event(), threading.Event()
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()

    def _start(self, name: str) -> None:
        """Begin to work and to listen to the page; to be called when everything else is there."""
        self.on_msg(self._receive)
        threading.Thread(target=self._work, name=name, daemon=True).start()
        threading.Thread(target=self._pump, name=f"{name}-pump", daemon=True).start()
        self.view = self._make_view()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything that was asked for has ended; return whether it has within `timeout` seconds."""
        ended = threading.Event()
        self._tasks.put(ended.set)
        return ended.wait(timeout)

    def close(self) -> None:
        """Cancel what runs, give the worker back, and take the panel from the page."""
        if not self._closing.is_set():
            self._closing.set()
            self._stop_work()
            self._tasks.put(None)
            self._dirty.set()
        super().close()

    # What a panel does itself

    def _command(self, message: dict[str, Any]) -> None:
        raise NotImplementedError

    def _make_view(self) -> dict[str, Any]:
        raise NotImplementedError

    def _stop_work(self) -> None:
        raise NotImplementedError

    def _give_back(self) -> None:
        raise NotImplementedError

    def _cancelled(self) -> None:
        """A task was cancelled."""

    def _task_ended(self) -> None:
        """A task has ended, however it did."""

    def _send_changes(self) -> None:
        """Send what does not stand in the view."""

    # The threads

    def _receive(self, _widget: Any, message: Any, _buffers: Any) -> None:  # noqa: ANN401 - ipywidgets' callback
        """Take a command of the page. Whatever is wrong with it is shown, and never ends in a traceback of the kernel."""
        try:
            self._command(message)
        except (TrtlabError, KeyError, TypeError, ValueError) as error:
            self._note = (
                str(error)
                if isinstance(error, TrtlabError)
                else f"The page sent something that is not understood: {error!r}"
            )
        self._dirty.set()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except CancelledError:
                self._cancelled()
            except TrtlabError as error:
                self._note = str(error)
            except Exception as error:  # noqa: BLE001 - shown in the panel; a background thread has nobody else to tell
                self._note = f"trtlab met an error of its own, please report it: {type(error).__name__}: {error}"
            self._task_ended()
            self._dirty.set()
        self._give_back()

    def _pump(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            self._dirty.clear()
            if self._closing.is_set():
                return
            self._send_changes()
            view = self._make_view()
            if view != self.view:
                self.view = view
            self._closing.wait(_PUMP_SECONDS)
