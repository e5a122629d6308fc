"""Tests of the notebook panels."""
