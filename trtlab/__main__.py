"""`python -m trtlab`: the command line, also where the `trtlab` script is not on PATH."""

from __future__ import annotations

from trtlab.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
