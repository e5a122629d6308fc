"""Tests of trtlab.explain.code.rules."""
