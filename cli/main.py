"""The console script: runs one command line; the one place where errors become exit codes."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

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

        with _stopped_by_sigterm(), told_in_options():
            code = compress.main(args=argv, prog_name="compress", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        # rich_click makes exit code 1 of a reader that went away (`compress ... | head`).
        reader_left = isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError)
        if isinstance(error, SystemExit) and not reader_left:
            raise
        from cli.errors import tell

        code = tell(BrokenPipeError() if reader_left else error, in_json="--json" in argv)
        from compress.progress import left_behind

        if left_behind():  # its libraries must not be taken down while they compute
            sys.stdout.flush()
            os._exit(code)
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Within, SIGTERM ends whatever runs as Ctrl-C does, so that nothing half written stays."""
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield  # a caller that ignores it, or has a handler, knows better
        return
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminated(number: int, frame: FrameType | None) -> None:
    from compress.errors import Interrupted

    signal.signal(number, signal.SIG_DFL)  # the second one ends it at once
    raise Interrupted("stopped", signal_number=number)
