"""Failures that are provoked in the real parser and builder, each with what it truly is.

`ALL` holds every case. `running` provokes them and says what was said of them; `successes` builds models that nothing is wrong with.
"""

from __future__ import annotations

from tests.explain.provoked import (
    api_use,
    building,
    configuring,
    constants,
    custom_operators,
    data_types,
    engines,
    files,
    further,
    held_out,
    operators,
    processes,
    shapes,
)
from tests.explain.provoked.case import Case

HELD_OUT: tuple[Case, ...] = held_out.CASES
ALL: tuple[Case, ...] = (
    *operators.CASES, *custom_operators.CASES, *data_types.CASES, *shapes.CASES, *constants.CASES, *files.CASES, *configuring.CASES,
    *building.CASES, *api_use.CASES, *engines.CASES, *processes.CASES, *further.CASES, *HELD_OUT,
)  # fmt: skip
