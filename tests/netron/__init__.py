"""Netron inside JupyterLab."""
