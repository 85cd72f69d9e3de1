"""The console script: runs one command line; the one place where errors become exit codes."""

from __future__ import annotations

import sys


def run(arguments: list[str] | None = None) -> None:
    """Run one command line, by default that of this process, and exit with its code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        # Not before: Ctrl-C while the modules load is to end in one line as well.
        from cli.program import compress

        code = compress.main(args=words, prog_name="compress", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        from cli.errors import tell

        code = tell(error, as_json="--json" in words)
    sys.exit(code if isinstance(code, int) else 0)
