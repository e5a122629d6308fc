"""Tests of trtlab.explain.log."""
