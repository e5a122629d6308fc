"""Panels for notebooks. Each can be used alone: `from trtlab.widgets import BuildPanel; BuildPanel("model.onnx")`."""

from trtlab.widgets.build_panel import BuildPanel
from trtlab.widgets.error_panel import ErrorPanel
from trtlab.widgets.graph_panel import GraphPanel
from trtlab.widgets.graph_view import GraphView

__all__ = ["BuildPanel", "ErrorPanel", "GraphPanel", "GraphView"]
