"""The tests of trtlab."""
