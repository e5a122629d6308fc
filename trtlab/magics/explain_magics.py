"""`%trt_explain` and `%%trt_watch`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from IPython.core.display_functions import display
from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from trtlab._errors import InputError, MissingError, TrtlabError
from trtlab.explain.api import explain
from trtlab.explain.cards import cards_html
from trtlab.explain.catalog import check_language
from trtlab.explain.code import check_code
from trtlab.explain.diagnosis import Diagnoses, Diagnosis
from trtlab.explain.exceptions import concerns_tensorrt, driver_is_here, exception_text
from trtlab.explain.log import analyse_log
from trtlab.magics.output_watch import OutputWatch


class AutoExplain:
    """Shows an explanation below every failing cell that concerns TensorRT, CUDA or ONNX, while it is on."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._watch: OutputWatch | None = None
        self.is_on = False
        self.language = "en"

    def start(self, language: str) -> None:
        """Turn it on."""
        self.language = language
        if not self.is_on:
            self._shell.events.register("pre_run_cell", self._begin)
            self._shell.events.register("post_run_cell", self._end)
            self.is_on = True

    def stop(self) -> None:
        """Turn it off."""
        if self.is_on:
            self._shell.events.unregister("pre_run_cell", self._begin)
            self._shell.events.unregister("post_run_cell", self._end)
            self._take_output()
            self.is_on = False

    def _begin(self, info: object) -> None:
        del info
        self._take_output()
        self._watch = OutputWatch()
        self._watch.start()

    def _end(self, result: ExecutionResult) -> None:
        text = self._take_output()
        error = result.error_in_exec or result.error_before_exec
        if error is None or isinstance(error, (KeyboardInterrupt, SystemExit)):
            return
        found = diagnoses_of_cell(text, error, language=self.language)
        if any(diagnosis.severity == "error" for diagnosis in found) or concerns_tensorrt(error):
            show(found, language=self.language)

    def _take_output(self) -> str:
        watch, self._watch = self._watch, None
        return watch.stop() if watch is not None else ""


@magics_class
class ExplainMagics(Magics):
    """The magics that explain."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.auto = AutoExplain(shell)

    @magic_arguments()
    @argument(
        "what",
        nargs="*",
        help="a code, name or number; a path of a log; or the name of a variable. Nothing: the last exception",
    )
    @argument("--lang", default="en", help="language of the texts: en or zh")
    @argument(
        "--auto", choices=("on", "off"), help="explain below every failing cell that concerns TensorRT, CUDA or ONNX"
    )
    @line_cell_magic
    def trt_explain(self, line: str, cell: str | None = None) -> None:
        """Explain a code, a log or an exception: `%trt_explain INVALID_ARGUMENT`, or a log as a cell below `%%trt_explain`."""
        arguments = parse_argstring(self.trt_explain, line)
        language = _language(arguments.lang)
        if arguments.auto:
            if arguments.auto == "on":
                self.auto.start(language)
            else:
                self.auto.stop()
            return
        try:
            found = explain(self._subject(" ".join(arguments.what), cell), lang=language)
        except TrtlabError as error:
            raise UsageError(str(error)) from error
        show(found, language=language)

    @magic_arguments()
    @argument("--lang", default="en", help="language of the texts: en or zh")
    @argument(
        "--release",
        help="check the cell's code against this TensorRT release, such as 11.4; default: the installed one",
    )
    @cell_magic
    def trt_watch(self, line: str, cell: str) -> None:
        """Run a cell, keep what TensorRT and native code write in it, and show below it what went wrong.

        An exception is shown as always; it does not stop `Run All`.
        """
        arguments = parse_argstring(self.trt_watch, line)
        language = _language(arguments.lang)
        watch = OutputWatch()
        watch.start()
        try:
            result = self._shell().run_cell(cell, store_history=False)
        finally:
            text = watch.stop()
        error = result.error_in_exec or result.error_before_exec
        if isinstance(error, KeyboardInterrupt):
            return
        found = diagnoses_of_cell(text, error, language=language)
        self._show_removed(cell, arguments.release)
        if found or error is not None:
            show(found, language=language)

    def _show_removed(self, cell: str, release: str | None) -> None:
        """Show which TensorRT calls of a cell the release does not have."""
        try:
            removed = check_code(cell, release=release, name="this cell", namespace=self._shell().user_ns)
        except MissingError:
            return  # there is no TensorRT here that the cell could be held against, and none was named
        except InputError as error:
            if release is not None:
                raise UsageError(str(error)) from error
            return  # the cell is no Python; IPython has said so
        if removed.findings:
            display(removed)

    def _subject(self, words: str, cell: str | None) -> Any:  # noqa: ANN401 - whatever explain() takes
        if cell is not None:
            return cell
        namespace = self._shell().user_ns
        if not words:
            last = getattr(sys, "last_value", None)
            if last is None:
                raise UsageError("There is no exception yet. Give a code, a name, a path of a log or a variable.")
            return last
        return namespace[words] if words.isidentifier() and words in namespace else words

    def _shell(self) -> InteractiveShell:
        if self.shell is None:
            raise UsageError("This needs a running IPython.")
        return self.shell


def diagnoses_of_cell(text: str, error: BaseException | None, *, language: str) -> Diagnoses:
    """Return what the output of a cell and the exception that ended it say together: the log holds the cause of an exception."""
    if error is not None:
        known = getattr(error, "diagnoses", ())
        if known and all(isinstance(item, Diagnosis) for item in known):
            return Diagnoses(known)
        text = f"{text.rstrip()}\n{exception_text(error)}"
    found: Sequence[Diagnosis] = analyse_log(text, lang=language, has_driver=driver_is_here()).diagnoses
    return Diagnoses(found)


def show(found: Diagnoses, *, language: str) -> None:
    """Display cards, as plain text where there is no HTML."""
    display({"text/plain": repr(found), "text/html": cards_html(found, language=language)}, raw=True)


def _language(name: str) -> str:
    try:
        return check_language(name)
    except TrtlabError as error:
        raise UsageError(str(error)) from error
