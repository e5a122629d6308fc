"""Tests that need an NVIDIA GPU. Run them with: python -m pytest -m gpu."""
