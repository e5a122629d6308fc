"""Tests of trtlab.support.findings."""
