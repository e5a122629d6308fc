"""Read a whole log and say which line is the cause, which only follow from it, and which are harmless."""

from __future__ import annotations

from trtlab.explain.log.analysis import analyse_log

__all__ = ["analyse_log"]
