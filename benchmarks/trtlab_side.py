"""trtlab's side of `build_overhead.py`: `trtlab.build` as a user calls it, with the cache off and an output file.

Started by the benchmark with a job as JSON; imports trtlab, says so, then builds once for each line it reads and
answers with the times. The first build of a process has a cold worker, the later ones a warm one.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import trtlab


def processor_seconds() -> float:
    """Return the processor time of this process, of its children that ended, and of those that run."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_process_clock, _children()))


def _children() -> list[int]:
    texts = (path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    return [int(word) for text in texts for word in text.split()]


def _process_clock(process: int) -> float:
    # The number of another process's CPU-time clock, as clock_getcpuclockid(3) makes it; /proc counts only hundredths.
    return time.clock_gettime((~process << 3) | 2)


def build(job: dict[str, str], shapes: dict[str, list[list[int]]]) -> dict[str, object]:
    """Build once; return wall seconds, processor seconds and seconds of each step."""
    started, processor = time.perf_counter(), processor_seconds()
    report = trtlab.build(job["model"], shapes=shapes, output=job["engine"], flavour="tensorrt_rtx", cache=False)
    seconds = time.perf_counter() - started
    steps: dict[str, float] = {step.name: step.seconds or 0.0 for step in report.steps}
    return {
        "seconds": seconds,
        "processor_seconds": processor_seconds() - processor,
        "steps": {**steps, "between": seconds - sum(steps.values())},
        "engine_bytes": report.engine.bytes if report.engine else 0,
        "log_messages": len(report.log),
    }


def main() -> None:
    """Serve builds until standard input ends."""
    job = json.loads(sys.argv[1])
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(build(job, job["shapes"])), flush=True)


if __name__ == "__main__":
    main()
