"""`python -m benchmarks`: see `program`."""

from __future__ import annotations

import sys

from compress.machine import use_threads

if __name__ == "__main__":
    use_threads(1)  # before numpy, torch and faiss are imported: they read it once

    from benchmarks.program import main

    sys.exit(main(sys.argv[1:]))
