"""`make soak`: every harness in turn, for as long as was asked; what was counted is written after each turn.

Run it again on the same day at the same commit and it goes on: SOAK is the length of all its parts together.

    python -m tests.soak --minutes 60 --output docs/results/soak
    python -m tests.soak --only kills --turn 17          one turn again, which prints what was lost
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.soak.account import Account
from tests.soak.children import import_everything
from tests.soak.registry import HARNESSES, play


def main() -> int:
    """Run harnesses; 1 when anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--output", type=Path, default=Path("docs/results/soak"))
    parser.add_argument("--only", action="append", choices=sorted(HARNESSES), metavar="HARNESS")
    parser.add_argument("--turn", type=int, help="only this turn; nothing is written")
    asked = parser.parse_args()
    names = asked.only or sorted(HARNESSES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that disks are unmounted
    import_everything()
    if asked.turn is not None:
        found = [play(name, asked.turn, asked.minutes * 60 / len(names)) for name in names]
        for counts in found:
            print(counts.to_json())
        return int(any(counts.lost for counts in found))
    account = Account.open(asked.output)
    seconds = max(30.0, min(300.0, asked.minutes * 60 / len(names) / 2))
    try:
        while account.seconds < asked.minutes * 60:
            name = min(names, key=account.spent)  # whoever had the least time
            left = asked.minutes * 60 - account.seconds
            account.note(name, lambda turn, name=name, left=left: play(name, turn, min(seconds, left)))
            print(account.line(name), flush=True)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
    print(account.table())
    return int(account.lost)


if __name__ == "__main__":
    sys.exit(main())
