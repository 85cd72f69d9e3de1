"""Labels of synthetic videos: Zipf popularity, topics, and a hierarchy ("Game" above "Video game").

A video has one primary class, most of its ancestors (a video of a "Racing game" is a "Video game" and a
"Game"), some classes of the same topic and sometimes a class of the sister topic.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np

DEPTH = 3  # ancestors a class can have
SLOTS = 1 + DEPTH + 11  # primary, ancestors, neighbours
ZIPF = 0.95
KEEP_ANCESTOR = 0.85
MEAN_NEIGHBOURS = 2.3
SISTER_TOPIC = 0.15
CLASSES_PER_TOPIC = 12.0
MOST_TOPICS = 24

COLUMNS = (
    "Index", "TrainVideoCount", "KnowledgeGraphId", "Name", "WikiUrl",
    "Vertical1", "Vertical2", "Vertical3", "WikiDescription",
)  # fmt: skip
COUNTED_VIDEOS = 1_000_000  # TrainVideoCount is the expected count among this many videos

TOPICS = (
    "Sailing", "Baking", "Chess", "Gardening", "Drumming", "Cycling", "Pottery", "Skating",
    "Astronomy", "Carpentry", "Puppetry", "Climbing", "Weaving", "Beekeeping", "Fencing", "Origami",
    "Trains", "Street dance", "Kite flying", "Rowing", "Archery", "Choral singing", "Cartoons", "Juggling",
)  # fmt: skip
KINDS = (
    "Night", "Alpine", "Harbour", "Winter", "Miniature", "Antique", "Desert", "Electric", "Fair", "Forest",
    "Big", "Historic", "Indoor", "Island", "Junior", "Lakeside", "Marathon", "Master", "Moonlit",
    "Modern", "Rain", "Mountain", "Northern", "Open-air", "Paper", "Tiny", "Polar", "Prairie", "Rainy-day",
    "River", "Rooftop", "Royal", "Rural", "Silent", "Solo", "Southern", "Speed", "Spring", "Studio",
    "Summer", "Team", "Tidal", "Traditional", "Underground", "Urban", "Village", "Wooden",
)  # fmt: skip


@dataclass(frozen=True)
class Taxonomy:
    """Classes in order of popularity (class 0 is the most frequent one), as in the YouTube-8M vocabulary.

    Args:
        topic: int32 (C,), topic of each class.
        ancestors: int32 (C, DEPTH), parent, grandparent, ...; -1 where there is none.
        primary: float64 (C,), how probable it is that a video is mainly about the class; sums to 1.
        sister: int32 (G,), the topic from which videos of a topic sometimes take a class.
        expected: float64 (C,), expected share of videos that carry the class.
    """

    topic: np.ndarray
    ancestors: np.ndarray
    primary: np.ndarray
    sister: np.ndarray
    expected: np.ndarray

    @property
    def num_topics(self) -> int:
        return len(self.sister)


def build_taxonomy(num_classes: int, rng: np.random.Generator) -> Taxonomy:
    """Grow the hierarchy: the first class of a topic is its root, rarer ones hang below earlier ones."""
    num_topics = int(np.clip(round(num_classes / CLASSES_PER_TOPIC), 1, MOST_TOPICS))
    weight = 1.0 / np.arange(1, num_classes + 1) ** ZIPF
    share = 1.0 / np.arange(1, num_topics + 1) ** 0.7  # a few topics hold most classes, as games and music do
    topic = rng.choice(num_topics, size=num_classes, p=share / share.sum())
    topic[:num_topics] = rng.permutation(num_topics)
    parent = _parents(topic, num_topics, rng)
    sister = (np.arange(num_topics) + 1) % num_topics
    primary = weight / weight.sum()
    expected = _expected_shares(topic, _ancestors(parent), primary)
    return _in_order_of_popularity(topic, parent, primary, sister, expected)


def draw_labels(taxonomy: Taxonomy, count: int, rng: np.random.Generator) -> np.ndarray:
    """Classes of `count` videos.

    Returns:
        int32 (count, SLOTS): primary class first, then ancestors and neighbours; -1 is an empty slot, and no
        class occurs twice in a row.
    """
    primary = rng.choice(len(taxonomy.primary), size=count, p=taxonomy.primary).astype(np.int32)
    ancestors = taxonomy.ancestors[primary]
    kept = np.where(rng.random(ancestors.shape) < KEEP_ANCESTOR, ancestors, -1)
    slots = np.concatenate([primary[:, None], kept, _draw_neighbours(taxonomy, primary, rng)], axis=1)
    for column in range(1, SLOTS):
        repeated = (slots[:, :column] == slots[:, column, None]).any(axis=1)
        slots[repeated, column] = -1
    return slots.astype(np.int32)


def _draw_neighbours(taxonomy: Taxonomy, primary: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Classes of the primary's topic, or of its sister topic, by popularity: int (n, SLOTS - 1 - DEPTH)."""
    width = SLOTS - 1 - DEPTH
    shape = (len(primary), width)
    # A rate per video spreads the number of labels from 1 to about 15.
    rate = rng.exponential(MEAN_NEIGHBOURS, size=(len(primary), 1))
    wanted = np.arange(width) < rng.poisson(rate)
    topic = np.repeat(taxonomy.topic[primary][:, None], width, axis=1)
    topic = np.where(rng.random(shape) < SISTER_TOPIC, taxonomy.sister[topic], topic)
    order = np.argsort(taxonomy.topic, kind="stable")
    ends = np.cumsum(taxonomy.primary[order])
    members = np.bincount(taxonomy.topic, minlength=taxonomy.num_topics)
    last = np.cumsum(members) - 1
    first = last - members + 1
    low = np.where(first > 0, ends[first - 1], 0.0)[topic]
    high = ends[last][topic]
    position = np.searchsorted(ends, low + rng.random(shape) * (high - low), side="right")
    chosen = order[np.clip(position, first[topic], last[topic])]
    return np.where(wanted, chosen, -1)


def _parents(topic: np.ndarray, num_topics: int, rng: np.random.Generator) -> np.ndarray:
    """One more popular class of the same topic for each class, at most DEPTH levels deep; -1 for roots."""
    parent = np.full(len(topic), -1, dtype=np.int32)
    depth = np.zeros(len(topic), dtype=np.int32)
    free = rng.random(len(topic)) < 0.08  # classes without a parent
    pick = rng.random(len(topic)) ** 1.5  # mostly below one of the popular ones
    seen: list[list[int]] = [[] for _ in range(num_topics)]
    for index, group in enumerate(topic):
        above = seen[group]
        if above and not free[index]:
            parent[index] = above[int(pick[index] * len(above))]
            depth[index] = depth[parent[index]] + 1
        if depth[index] < DEPTH:
            above.append(index)
    return parent


def _ancestors(parent: np.ndarray) -> np.ndarray:
    table = np.full((len(parent), DEPTH), -1, dtype=np.int32)
    table[:, 0] = parent
    for level in range(1, DEPTH):
        below = table[:, level - 1]
        table[:, level] = np.where(below >= 0, parent[below], -1)
    return table


def _expected_shares(topic: np.ndarray, ancestors: np.ndarray, primary: np.ndarray) -> np.ndarray:
    """Share of videos with each class, if neighbours and ancestors fell independently within a topic."""
    from_below = np.zeros(len(primary))
    for level in range(DEPTH):
        present = ancestors[:, level] >= 0
        np.add.at(from_below, ancestors[present, level], KEEP_ANCESTOR * primary[present])
    mass = np.bincount(topic, weights=primary)
    within = primary / mass[topic]  # how often a neighbour drawn from the topic is this class
    without = 1.0 - (primary + from_below) / mass[topic]
    # A Poisson count with exponential rate of mean m stays empty with probability 1 / (1 + m).
    not_drawn = 1.0 / (1.0 + (1.0 - SISTER_TOPIC) * MEAN_NEIGHBOURS * within)
    not_strayed = 1.0 / (1.0 + SISTER_TOPIC * MEAN_NEIGHBOURS * within)
    return mass[topic] * (1.0 - without * not_drawn) + np.roll(mass, 1)[topic] * (1.0 - not_strayed)


def _in_order_of_popularity(
    topic: np.ndarray, parent: np.ndarray, primary: np.ndarray, sister: np.ndarray, expected: np.ndarray
) -> Taxonomy:
    order = np.argsort(-expected, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    moved = np.where(parent >= 0, rank[parent], -1)[order].astype(np.int32)
    return Taxonomy(
        topic=topic[order].astype(np.int32),
        ancestors=_ancestors(moved),
        primary=primary[order],
        sister=sister.astype(np.int32),
        expected=expected[order],
    )


def class_names(taxonomy: Taxonomy) -> list[str]:
    """A distinct readable name per class: "Chess" for a topic's first class, then "Night chess", ... ."""
    counted = [0] * taxonomy.num_topics
    names = []
    for group in taxonomy.topic.tolist():
        names.append(_name(TOPICS[group], counted[group]))
        counted[group] += 1
    return names


def vocabulary_csv(taxonomy: Taxonomy) -> bytes:
    """The vocabulary file."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    topics, shares = taxonomy.topic.tolist(), taxonomy.expected.tolist()
    for index, name in enumerate(class_names(taxonomy)):
        count = round(shares[index] * COUNTED_VIDEOS)
        note = "An invented class of the sample generator."
        rows.writerow([index, count, f"/sample/{index:04d}", name, "", TOPICS[topics[index]], "", "", note])
    return text.getvalue().encode()


def _name(topic: str, place: int) -> str:
    if place == 0:
        return topic
    series, kind = divmod(place - 1, len(KINDS))
    return f"{KINDS[kind]} {topic.lower()}" + (f" {series + 1}" if series else "")
