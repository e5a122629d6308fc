"""The page side of the panels, in a real Chromium but without JupyterLab, on data made by hand."""
