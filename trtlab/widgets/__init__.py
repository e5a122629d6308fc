"""Panels for notebooks. Each can be used alone: `from trtlab.widgets import BuildPanel; BuildPanel("model.onnx")`."""

from trtlab.widgets.build_panel import BuildPanel

__all__ = ["BuildPanel"]
