"""Tests of trtlab.support."""
