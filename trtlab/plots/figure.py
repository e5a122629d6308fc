"""A matplotlib figure that a notebook shows by itself, without pyplot and without `%matplotlib inline`."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

_DOTS_PER_INCH = 144  # twice the usual 72: sharp on dense screens


class NotebookFigure(Figure):
    """A figure that is no part of pyplot's global state and shows itself as a PNG."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor=self.get_facecolor())
        return buffer.getvalue()
