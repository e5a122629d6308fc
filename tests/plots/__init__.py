"""Tests of the static pictures."""
