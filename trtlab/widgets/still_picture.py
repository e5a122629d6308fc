"""A picture beside a widget, for when the notebook is opened without its kernel.

JupyterLab shows "Error displaying widget: model not found" for a saved widget, and nothing of what else was in the same
output. So the picture is an output of its own, right below. While the widget lives, its style sheet hides that output
(`.trtlab-still` in `graph_canvas.css`); without it the picture is seen.
"""

from __future__ import annotations

import base64
import html
from typing import Any

LARGEST_PICTURE = 2 << 20
"""The largest picture that a notebook is made to carry, in bytes."""


class StillPicture:
    """The output below a widget that holds its picture, and follows it.

    Args:
        alternative: What the picture shows, for those who cannot see it.
    """

    def __init__(self, alternative: str) -> None:
        self._alternative = alternative
        self._svg = ""
        self._handle: Any = None

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture yet."""
        return bool(self._svg)

    def show(self) -> None:
        """Add the output to the cell that runs now."""
        from IPython.display import display

        self._handle = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def set(self, svg: object) -> bool:
        """Replace the picture, also in the notebook where it was shown; return whether it was taken.

        Args:
            svg: An SVG document. Anything else, and one larger than `LARGEST_PICTURE`, is refused: it may come from the page.
        """
        if not isinstance(svg, str) or not svg.startswith("<svg") or len(svg.encode()) > LARGEST_PICTURE:
            return False
        if svg != self._svg:
            self._svg = svg
            if self._handle is not None:
                self._handle.update(self._bundle(), raw=True)
        return True

    def html(self) -> str:
        """Return the output as HTML. An image cannot run what may be in it."""
        if not self._svg:
            return '<div class="trtlab-still"></div>'
        data = base64.b64encode(self._svg.encode()).decode()
        return (
            f'<div class="trtlab-still"><img alt="{html.escape(self._alternative)}" style="max-width: 100%" '
            f'src="data:image/svg+xml;base64,{data}"><p>A picture as it was saved. Run the cell to move in it.</p></div>'
        )

    def _bundle(self) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self._alternative}
