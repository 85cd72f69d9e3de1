"""`python -m cli` is `compress`."""

from cli.main import run

run()
