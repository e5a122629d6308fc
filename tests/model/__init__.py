"""Tests of trtlab.model."""
