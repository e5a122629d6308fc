"""Find in Python source what a TensorRT release no longer has.

    >>> from trtlab.explain.code import check_code
    >>> report = check_code("from tensorrt import IInt8Calibrator", release="11.4")
    >>> report.findings[0].symbol
    'IInt8Calibrator'

`sources` reads scripts and notebooks, `flow` follows TensorRT's objects through them, `judging` asks the release for each name, and
`rewriting` makes the changes that are mechanical, by the `rules`. `changes` holds what is gone and what replaces it.
"""

from trtlab.explain.code.changes import ApiChange, removed_symbol
from trtlab.explain.code.checking import check_code
from trtlab.explain.code.rendering import render_text
from trtlab.explain.code.report import CodeFinding, CodeReport

__all__ = ["ApiChange", "CodeFinding", "CodeReport", "check_code", "removed_symbol", "render_text"]
