"""Any sequence of writes, kills and searches says what a dictionary and a comparison with every row say."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import compress
from compress.artifacts.disk import FAULT_VARIABLE, reset_steps
from compress.errors import NotFoundError, RecordError, StorageError
from compress.labels import Labels

DIM = 3
# Few ids, so that they meet again; some that meet only in a prefix.
NAMES = ["a", "aa", "-b", "ü x", "<i>", "c" * 200, *(f"v{number}" for number in range(24))]
STEPS: list[int] = []
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True)


class Life(RuleBasedStateMachine):
    """Videos in a collection, and the same in `videos`: id -> (embedding, number, labels)."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="life-")) / "c"
        self.collection = compress.Collection.create(self.folder, codec="float32")
        self.videos: dict[str, tuple[np.ndarray, int, tuple[int, ...]]] = {}
        self.rng = np.random.default_rng(0)
        self.gone: set[str] = set()

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder.parent)

    def made(self, ids):
        # Small whole numbers: many equal scores.
        vectors = self.rng.integers(-2, 3, (len(ids), DIM)).astype(np.float32)
        numbers = self.rng.integers(0, 10, len(ids)).tolist()
        labels = [tuple(sorted({number % 4, number % 3})) for number in numbers]
        return {name: row for name, *row in zip(ids, vectors, numbers, labels, strict=True)}

    def put(self, made, replace):
        self.collection.add(
            np.stack([row[0] for row in made.values()]),
            list(made),
            labels=Labels.from_lists([row[2] for row in made.values()], 5),
            metadata={"n": [row[1] for row in made.values()]},
            replace=replace,
        )

    def took(self, made):
        self.videos |= {name: tuple(row) for name, row in made.items()}
        self.gone -= set(made)

    @rule(ids=SOME, replace=st.booleans())
    def add(self, ids, replace):
        made = self.made(ids)
        if not replace and set(ids) & set(self.videos):
            with pytest.raises(RecordError):
                self.put(made, replace)
            return
        self.put(made, replace)
        self.took(made)

    @rule(ids=SOME)
    def delete(self, ids):
        if not set(ids) <= set(self.videos):
            with pytest.raises(NotFoundError):
                self.collection.delete(ids)
            return
        self.collection.delete(ids)
        self.went(ids)

    @rule(data=st.data())
    def delete_living(self, data):
        if self.videos:
            ids = data.draw(st.lists(st.sampled_from(sorted(self.videos)), min_size=1, unique=True))
            self.collection.delete(ids)
            self.went(ids)

    def went(self, ids):
        for name in ids:
            del self.videos[name]
        self.gone |= set(ids)

    @rule()
    def compact(self):
        self.collection.compact()
        about = self.collection.stats()
        assert (len(about.segments) <= 1, about.deleted) == (True, 0)
        files = [path.read_bytes() for path in self.folder.iterdir()]
        traces = [name.encode() for name in self.gone if len(name) > 100]
        assert not any(trace in data for trace in traces for data in files)

    @rule()
    def reopen(self):
        self.collection = compress.Collection.open(self.folder)

    @rule(step=st.integers(1, 60), ids=SOME, what=st.sampled_from(["add", "delete", "compact"]))
    def broken(self, step, ids, what):
        """A write that fails at some step of its commit, as if the process had ended there."""
        made, known = self.made(ids), [name for name in ids if name in self.videos]
        os.environ[FAULT_VARIABLE] = f"eio@{step}+"
        reset_steps()
        try:
            if what == "add":
                self.put(made, True)
            elif what == "delete" and known:
                self.collection.delete(known)
            else:
                self.collection.compact()
        except StorageError:
            pass
        finally:
            del os.environ[FAULT_VARIABLE]
        self.collection = compress.Collection.open(self.folder)
        found = set(self.collection.ids())
        if what == "add":
            came = all(name in found for name in ids) and all(
                np.array_equal(self.collection.embeddings(name)[0], made[name][0])
                and self.collection.video(name).metadata == {"n": made[name][1]}
                for name in ids
            )
            if came:
                self.took(made)
        elif what == "delete" and known and not set(known) & found:
            self.went(known)

    @rule(k=st.integers(1, 40), bound=st.integers(-1, 11), excluded=SOME, label=st.integers(0, 4))
    def search(self, k, bound, excluded, label):
        query = self.rng.integers(-2, 3, DIM).astype(np.float32)
        query[0] += 5
        passing = {
            name: row
            for name, row in self.videos.items()
            if row[1] < bound and label in row[2] and name not in excluded
        }
        found = self.collection.search(
            query, k, where=f"n < {bound} AND {label} IN labels" if self.videos else None, exclude=excluded
        )[0]
        self.compare(query, found, passing, k)

    @rule(k=st.integers(1, 40))
    def search_everything(self, k):
        query = self.rng.integers(1, 4, DIM).astype(np.float32)
        self.compare(query, self.collection.search(query, k)[0], self.videos, k)

    def compare(self, query, found, passing, k):
        def score(name):
            length = np.linalg.norm(passing[name][0])
            return float(passing[name][0] @ query / np.linalg.norm(query) / (length or 1))

        assert len(found) == min(k, len(passing))
        assert {match.video_id for match in found} <= set(passing)
        wanted = sorted((score(name) for name in passing), reverse=True)[:k]
        assert np.allclose([match.score for match in found], wanted, atol=1e-5)
        for match in found:
            assert match.score == pytest.approx(score(match.video_id), abs=1e-5)
            assert (match.metadata, match.labels) == (
                {"n": passing[match.video_id][1]},
                passing[match.video_id][2],
            )

    @invariant()
    def the_same_videos_live(self):
        if hasattr(self, "collection"):
            assert sorted(self.collection.ids()) == sorted(self.videos)
            assert len(self.collection) == len(self.videos)
            STEPS.append(1)


def _run(examples, steps):
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
            phases=[Phase.generate],  # to make a long life shorter takes longer than to read it
        ),
    )


def test_a_life_of_some_tens_of_steps():
    _run(3, 25)


@pytest.mark.slow
def test_lives_of_ten_thousand_steps():
    STEPS.clear()
    _run(130, 100)  # some end early
    assert len(STEPS) >= 10_000
