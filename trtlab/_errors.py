"""trtlab's own errors: one small tree, each carrying what happened, why, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trtlab.build.report import BuildReport
    from trtlab.explain.diagnosis import Diagnosis

# Exit codes of the command line; the meaning of each is part of its contract.
EXIT_OK = 0
EXIT_PROBLEM = 1
EXIT_USAGE = 2
EXIT_MISSING = 3


class TrtlabError(Exception):
    """Base of every error that trtlab raises on purpose.

    Attributes:
        diagnoses: What is known about the cause, root cause first. Empty when the message says it all.
        exit_code: What the command line exits with when this error ends a command.
    """

    exit_code = EXIT_PROBLEM

    def __init__(self, message: str, *, diagnoses: Sequence[Diagnosis] = ()) -> None:
        super().__init__(message)
        self.diagnoses: tuple[Diagnosis, ...] = tuple(diagnoses)


class InputError(TrtlabError):
    """The caller gave something that cannot be used: a wrong argument, a file that cannot be read."""

    exit_code = EXIT_USAGE


class PlanError(InputError):
    """A build plan does not fit its model or this TensorRT. `problems` holds all that is wrong with it, at once."""

    def __init__(self, message: str, *, problems: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class MissingError(TrtlabError):
    """Something that this machine would need is not here (no TensorRT, no GPU); the message says what to install."""

    exit_code = EXIT_MISSING


class OutputExistsError(TrtlabError):
    """A file would be replaced that is newer than this build, or that is not an engine."""

    exit_code = EXIT_USAGE


class CancelledError(TrtlabError):
    """What was under way stopped because it was asked to."""


class WorkerError(TrtlabError):
    """The child process ended, or was ended, before it answered."""


class ActionError(TrtlabError):
    """An action inside the child process failed with a Python exception.

    Attributes:
        kind: Class name of the exception in the child.
        details: The child's traceback, for bug reports.
        facts: What else is known: of an error of the system its `errno` and the `path` it is about.
    """

    def __init__(
        self, message: str, *, kind: str = "Exception", details: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.details = details
        self.facts = dict(facts or {})


class CheckError(TrtlabError):
    """A check of a model broke off before it was done; `diagnoses` say why."""


class BuildError(TrtlabError):
    """A build did not reach an engine.

    Attributes:
        report: All that was done until then, the steps and the log lines of each included.
    """

    def __init__(self, message: str, *, report: BuildReport, diagnoses: Sequence[Diagnosis] = ()) -> None:
        super().__init__(message, diagnoses=diagnoses)
        self.report = report
