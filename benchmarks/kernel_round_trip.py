"""Measure how long a notebook cell waits while trtlab builds, in a real IPython kernel without a browser.

A kernel is started as JupyterLab starts one. A thread in it builds one model again and again (each build in trtlab's
worker process, with the whole verbose log coming into the kernel), while this program sends the cell `1+1` every 50 ms, on
time even if the last one is not answered yet. A round trip is the time from sending to the kernel's reply; the result
itself is published before the reply. Compared with the same kernel at rest.

With `--panel` the builds run in `trtlab.widgets.BuildPanel`, displayed by a cell, whose messages to the page are received
here and dropped: what drawing them costs is the browser's matter.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import zmq
from benchmark_models import MODELS
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from machine import machine_line

GOAL_SECONDS = 0.1
_PERIOD_SECONDS = 0.05
_START = """
import threading
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.session import BuildSession

plan = BuildPlan(profiles=(shape_profile({shapes!r}),))
stop, finished = threading.Event(), []

def work():
    while not stop.is_set():
        with BuildSession({model!r}, plan=plan, flavour="tensorrt_rtx") as session:
            report = session.run_all()
            finished.append((report.ok or stop.is_set(), len(report.log)))

thread = threading.Thread(target=work)
thread.start()
"""
_STOP = "stop.set(); thread.join()"
_START_PANEL = """
import threading
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.widgets import BuildPanel

panel = BuildPanel({model!r}, plan=BuildPlan(profiles=(shape_profile({shapes!r}),)), flavour="tensorrt_rtx", cache=False)
display(panel)
stop, finished = threading.Event(), []

def work():
    while not stop.is_set():
        panel._receive(panel, {{"command": "rerun", "step": "load"}}, [])
        panel.wait()
        report = panel.report()
        finished.append((report.ok or stop.is_set(), len(report.log)))

panel.wait()
thread = threading.Thread(target=work)
thread.start()
"""
_STOP_PANEL = "stop.set(); thread.join(); panel.close()"
_SUMMARY = "assert all(ok for ok, _ in finished), finished; print(len(finished), sum(lines for _, lines in finished))"


@dataclass(frozen=True)
class RoundTrips:
    """Round trips in seconds, while one thing went on in the kernel."""

    during: str
    count: int
    p50: float
    p95: float
    slowest: float
    builds: int = 0
    log_messages: int = 0
    widget_messages: int = 0


class Kernel:
    """A kernel and the client that talks to it as a notebook does."""

    def __init__(self) -> None:
        self._manager = KernelManager(kernel_name="python3")
        # Its warnings are about a terminal that it does not have.
        self._manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self.widget_messages = 0

    def run(self, code: str) -> str:
        """Run a cell, wait for it, and return what it printed."""
        printed: list[str] = []

        def take(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self._client.execute_interactive(code, timeout=600, output_hook=take)
        if reply["content"]["status"] != "ok":
            sys.exit("\n".join(reply["content"]["traceback"]))
        return "".join(printed)

    def round_trips(self, seconds: float) -> list[float]:
        """Send a cell every 50 ms for so many seconds; return how long each took."""
        return list(self._round_trips(seconds))

    def _round_trips(self, seconds: float) -> Iterator[float]:
        shell, published = self._client.shell_channel.socket, self._client.iopub_channel.socket
        poller = zmq.Poller()
        poller.register(shell, zmq.POLLIN)
        poller.register(published, zmq.POLLIN)
        sent: dict[str, float] = {}
        begin = next_time = time.perf_counter()
        while sent or next_time < begin + seconds:
            now = time.perf_counter()
            if next_time <= now and next_time < begin + seconds:
                sent[self._client.execute("1+1", store_history=False)] = now
                next_time += _PERIOD_SECONDS
            ready = dict(poller.poll(int(max(0, next_time - time.perf_counter()) * 1000)))
            if published in ready:
                self._drop_published()
            if shell in ready:
                reply = self._client.get_shell_msg(timeout=0)
                started = sent.pop(reply["parent_header"]["msg_id"], None)
                if started is not None:
                    yield time.perf_counter() - started

    def _drop_published(self) -> None:
        message = self._client.get_iopub_msg(timeout=0)
        self.widget_messages += message["msg_type"] == "comm_msg"

    def close(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def summarise(during: str, seconds: list[float], **counts: int) -> RoundTrips:
    """Return the percentiles of some round trips."""
    ranks = statistics.quantiles(seconds, n=20, method="inclusive")
    return RoundTrips(during, len(seconds), statistics.median(seconds), ranks[18], max(seconds), **counts)


def measure(model: str, shapes: object, seconds: float, *, panel: bool) -> list[RoundTrips]:
    """Measure one new kernel: at rest, then while it builds."""
    kernel = Kernel()
    try:
        kernel.run("1+1")
        results = [summarise("at rest", kernel.round_trips(seconds))]
        kernel.run((_START_PANEL if panel else _START).format(model=model, shapes=shapes))
        kernel.widget_messages = 0
        trips = kernel.round_trips(seconds)
        widget_messages = kernel.widget_messages
        kernel.run(_STOP_PANEL if panel else _STOP)
        builds, messages = map(int, kernel.run(_SUMMARY).split())
    finally:
        kernel.close()
    during = "builds in the panel" if panel else "builds"
    results.append(summarise(during, trips, builds=builds, log_messages=messages, widget_messages=widget_messages))
    return results


def main() -> None:
    """Measure, print a table or JSON, and exit with 1 if the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="new kernels, one after the other (default: 3)")
    parser.add_argument("--seconds", type=float, default=15, help="how long to send cells, each time (default: 15)")
    parser.add_argument(
        "--model", choices=list(MODELS), default="light_resnet50", help="(default: the one that logs most)"
    )
    parser.add_argument("--panel", action="store_true", help="build in the displayed panel")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    arguments = parser.parse_args()
    model = MODELS[arguments.model]
    if not arguments.json:
        print(machine_line())
        print(
            f"{'milliseconds, during':22} {'p50':>7} {'p95':>7} {'slowest':>8} {'cells':>6} builds  log messages  to the page"
        )
    results: list[RoundTrips] = []
    with tempfile.TemporaryDirectory(prefix="trtlab-benchmark-") as folder:
        path = str(model.file(Path(folder)))
        for _ in range(arguments.rounds):
            for result in measure(path, model.shapes, arguments.seconds, panel=arguments.panel):
                results.append(result)
                if not arguments.json:
                    show(result)
    passed = statistics.median(result.p95 for result in results if result.builds) < GOAL_SECONDS
    if arguments.json:
        document = {"machine": machine_line(), "goal_seconds": GOAL_SECONDS, "passed": passed}
        print(json.dumps({**document, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(f"goal: p95 under 100 ms while it builds (median of the rounds): {'met' if passed else 'MISSED'}")
    sys.exit(0 if passed else 1)


def show(result: RoundTrips) -> None:
    """Print one line of the table."""
    print(
        f"{result.during:22} {result.p50 * 1000:7.1f} {result.p95 * 1000:7.1f} {result.slowest * 1000:8.1f} "
        f"{result.count:6} {result.builds:6} {result.log_messages:13} {result.widget_messages:12}",
        flush=True,
    )


if __name__ == "__main__":
    main()
