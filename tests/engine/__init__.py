"""Tests of trtlab.engine."""
