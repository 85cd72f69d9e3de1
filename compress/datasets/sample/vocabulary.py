"""The invented classes' vocabulary, with the columns of the YouTube-8M one."""

from __future__ import annotations

import csv
import io

from compress.datasets.sample.labels import Taxonomy

COLUMNS = (
    "Index", "TrainVideoCount", "KnowledgeGraphId", "Name", "WikiUrl",
    "Vertical1", "Vertical2", "Vertical3", "WikiDescription",
)  # fmt: skip
COUNTED_VIDEOS = 1_000_000  # TrainVideoCount is what this many videos of the world are expected to have

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


def class_names(taxonomy: Taxonomy) -> list[str]:
    """A distinct readable name a class: "Chess" for a topic's first class, then "Night chess", ... ."""
    counted = [0] * taxonomy.num_topics
    names = []
    for group in taxonomy.topic.tolist():
        names.append(_name(TOPICS[group], counted[group]))
        counted[group] += 1
    return names


def vocabulary_csv(taxonomy: Taxonomy) -> bytes:
    """The whole file; depends on the world only."""
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
