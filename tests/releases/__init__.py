"""Tests of what is known about each release's Python API."""
