"""What follows every disturbance: a reader first, then the same command again, then every byte compared."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.soak.children import Child
from tests.soak.workspaces import Answer, History, Readers, Step, Words, copy, difference, tree

Chosen = Mapping[str, tuple[Words, list[Answer]]]


class Trials:
    """Trials on one history: each begins in the folder as it was before a command."""

    def __init__(self, history: History, random: Random, start: type[Child] = Child) -> None:
        self.history, self.random, self._start = history, random, start
        self._readers = Readers(history)
        self._trees: dict[str, dict[str, str]] = {}
        self._chosen: Chosen = {}

    def begin(self, step: Step) -> None:
        """Choose readers and put the folder in its state before the command."""
        self.choose_readers(step)
        self.put(step)

    def choose_readers(self, step: Step, most: int = 2) -> Chosen:
        """Choose the readers that `finish` asks."""
        self._chosen = self._readers.choose(step, self.random, most)
        return self._chosen

    def put(self, step: Step) -> None:
        """Put the folder in its state before the command."""
        copy(step.before, self.history.at)

    def start(self, step: Step) -> Child:
        """Start the command."""
        return self._start([*step.words, "--quiet"], self.history.at)

    def finish(self, step: Step) -> list[str]:
        """Ask the readers, run the command again and compare; what is wrong, in words."""
        faults = self._readers.faults(self._chosen)
        return faults + self.rerun(step)

    def rerun(self, step: Step) -> list[str]:
        """Run the command again, which must succeed, and compare the folder with the undisturbed one."""
        again = self.start(step).wait()
        if again.code != 0:
            return [f"the same command again: exit {again.code}: {again.last_line}"]
        return self.compare(step)

    def compare(self, step: Step) -> list[str]:
        """How the folder differs from the undisturbed one."""
        key = str(step.after)
        if key not in self._trees:
            self._trees[key] = tree(step.after)
        return difference(tree(self.history.at), self._trees[key])
