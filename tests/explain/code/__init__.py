"""Tests of trtlab.explain.code."""
