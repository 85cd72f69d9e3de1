"""The console script: runs one command line; the one place where errors become exit codes."""

from __future__ import annotations

import io
import sys

from cli.stdout import replace_closed


def run(arguments: list[str] | None = None) -> None:
    """Run one command line, by default that of this process, and exit with its code."""
    argv = sys.argv[1:] if arguments is None else arguments
    replace_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Of what the terminal cannot show, `?` is shown. (Python itself does so on stderr, by escapes.)
        sys.stdout.reconfigure(errors="replace")
    try:
        # Not before: Ctrl-C while the modules load is to end in one line as well.
        from cli.program import compress
        from compress.errors import told_in_options

        with told_in_options():
            code = compress.main(args=argv, prog_name="compress", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        # rich_click makes exit code 1 of a reader that went away (`compress ... | head`).
        reader_left = isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError)
        if isinstance(error, SystemExit) and not reader_left:
            raise
        from cli.errors import tell

        code = tell(BrokenPipeError() if reader_left else error, in_json="--json" in argv)
    sys.exit(code if isinstance(code, int) else 0)
