"""The committed notebooks, executed."""
