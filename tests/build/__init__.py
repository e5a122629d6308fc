"""Tests of trtlab.build."""
