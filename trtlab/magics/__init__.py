"""What `%load_ext trtlab` gives: `%trt_explain`, `%%trt_watch`, and explanations below failing cells for who wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register the magics; called by `%load_ext trtlab`."""
    from trtlab.magics.explain_magics import ExplainMagics

    shell.register_magics(ExplainMagics(shell))


def unload(shell: InteractiveShell) -> None:
    """Take them back; called by `%unload_ext trtlab`."""
    from trtlab.magics.explain_magics import ExplainMagics

    magics = shell.magics_manager.registry.get(ExplainMagics.__name__)
    if isinstance(magics, ExplainMagics):
        magics.auto.stop()
    for kind, name in (("line", "trt_explain"), ("cell", "trt_explain"), ("cell", "trt_watch")):
        shell.magics_manager.magics[kind].pop(name, None)
