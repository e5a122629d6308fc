"""Tests of trtlab.magics."""
