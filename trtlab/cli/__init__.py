"""The command line: finds the command, runs it, and turns every way it can end into an exit code.

A command is a module with two functions, `add_parser(subparsers)` and `run(arguments)`. Only the module of the command
that was asked for is imported.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, Final, Protocol, cast

import trtlab
from trtlab._errors import TrtlabError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "build": "trtlab.cli.build",
    "check": "trtlab.cli.check",
    "explain": "trtlab.cli.explain",
    "lab": "trtlab.cli.lab",
}

# What a shell reports for a program that SIGINT or SIGPIPE ended: 128 and the signal's number.
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141


class Command(Protocol):
    """What a module in `COMMANDS` offers."""

    def add_parser(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the command's own parser, under its name."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, whatever happens.

    Args:
        argv: The words after `trtlab`; those of this process where none are given.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        exit_code = _dispatch(words)
        # A reader that has gone away is noticed here, and not while the interpreter shuts down.
        sys.stdout.flush()
    except TrtlabError as error:
        sys.stderr.write(f"trtlab: {error}\n")
        return error.exit_code
    except BrokenPipeError:
        _discard_output()
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except SystemExit as request:
        # argparse ends this way, having said why: 0 after --help and --version, 2 after wrong usage.
        return request.code if isinstance(request.code, int) else 0
    return exit_code


def _dispatch(words: list[str]) -> int:
    command_name = next((word for word in words if not word.startswith("-")), None)
    # All of them are needed only to list them: in the help, and where the name is wrong or missing.
    wanted = [command_name] if command_name in COMMANDS else list(COMMANDS)
    commands = {name: cast("Command", importlib.import_module(COMMANDS[name])) for name in wanted}
    arguments = _parser(commands).parse_args(words)
    return commands[arguments.command].run(arguments)


def _parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trtlab",
        description="Interactive TensorRT troubleshooting: from a failure to a verified fix.",
        epilog="Exit codes: 0 fine; 1 a problem was found and reported; 2 wrong usage or unreadable input; "
        "3 something needed is missing here.",
    )
    parser.add_argument("--version", action="version", version=f"trtlab {trtlab.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="command", required=True)
    for command in commands.values():
        command.add_parser(subparsers)
    return parser


def _discard_output() -> None:
    # What is still buffered would raise once more when the interpreter flushes it on its way out.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
