"""Tests of trtlab.explain."""
