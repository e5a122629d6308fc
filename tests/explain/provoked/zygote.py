"""A process that has TensorRT-RTX loaded and forks for each user's program that it is told to run.

Started as `python zygote.py FOLDER...`. Each folder holds `program.py` and the files that it reads; what the program and
TensorRT's native code write to standard output and standard error ends up in `output.txt` beside it, as a terminal would show
it. A program that ends by a signal, or that takes too long, takes nobody else with it.

It stands alone: importing anything else would make the forks slower, and pytest's own settings must not reach them.
"""

from __future__ import annotations

import importlib
import linecache
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType

_SECONDS = 60
_POLL_SECONDS = 0.002
_PROGRAM = "build_engine.py"  # what the user's file is called in tracebacks
_MODULE = "tensorrt_rtx"
_SHELL = {  # what a shell says of a program that ended by a signal
    signal.SIGSEGV: "Segmentation fault (core dumped)", signal.SIGABRT: "Aborted (core dumped)", signal.SIGKILL: "Killed",
    signal.SIGBUS: "Bus error (core dumped)", signal.SIGFPE: "Floating point exception (core dumped)", signal.SIGALRM: "Alarm clock",
}  # fmt: skip


def run(folder: Path) -> None:
    """Run the program of one folder in a fork, and say in its output how it ended, if a shell would."""
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    child = os.fork()
    if child == 0:
        try:
            _be_program(folder, output)
        finally:
            os._exit(1)
    status = _wait(child)
    if os.WIFSIGNALED(status):
        os.write(output, f"{_SHELL.get(signal.Signals(os.WTERMSIG(status)), 'Terminated')}\n".encode())
    os.close(output)


def _wait(child: int) -> int:
    latest = time.monotonic() + _SECONDS
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() > latest:
            os.kill(child, signal.SIGKILL)
            latest = float("inf")
        time.sleep(_POLL_SECONDS)


def _be_program(folder: Path, output: int) -> None:
    """Execute `program.py` as the main program of this process, and leave."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False, encoding="utf-8")  # noqa: SIM115 - it is standard output
    sys.stderr = open(2, "w", buffering=1, closefd=False, encoding="utf-8")  # noqa: SIM115
    os.chdir(folder)
    text = Path("program.py").read_text("utf-8")
    linecache.cache[_PROGRAM] = (len(text), None, text.splitlines(keepends=True), _PROGRAM)
    namespace: dict[str, object] = {"__name__": "__main__", "__file__": _PROGRAM}
    code = 0
    try:
        exec(compile(text, _PROGRAM, "exec"), namespace)  # noqa: S102 - that is what it is for
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            sys.stderr.write(f"{end.code}\n")
    except BaseException as error:  # noqa: BLE001 - as Python itself does
        code = 1
        _print_as_python_does(error)
    for name in list(namespace):  # as the end of the interpreter does
        namespace[name] = None
    sys.stdout.flush()
    os._exit(code)


def _print_as_python_does(error: BaseException) -> None:
    """Print a traceback without the frames of this file."""
    tail: TracebackType | None = error.__traceback__
    while tail is not None and tail.tb_frame.f_code.co_filename != _PROGRAM:
        tail = tail.tb_next
    traceback.print_exception(type(error), error, tail or error.__traceback__)


def main() -> None:
    """Load TensorRT-RTX once and run the program of each folder."""
    importlib.import_module(_MODULE)
    importlib.import_module("numpy")
    for name in sys.argv[1:]:
        run(Path(name))


if __name__ == "__main__":
    main()
