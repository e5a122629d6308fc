"""Isolation: whatever native code does, the kernel goes on, and no process is left."""
