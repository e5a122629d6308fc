"""Tests that click in a real JupyterLab in a real Chromium."""
