"""Which number an invented video has, and its 4-letter id in the manner of YouTube-8M.

Each split draws from a range of its own, so that "train" and "validate" never share a video.
"""

from __future__ import annotations

import string

from compress.errors import UsageError

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LETTERS = 4
NUM_IDS = len(ALPHABET) ** LETTERS  # 14.8 million
SPLIT_START = {"train": 0, "validate": 4_000_000, "test": 8_000_000}
OTHER_START = 12_000_000
_MULTIPLIER = 9_368_327  # shares no factor with 62, so that the map from numbers to ids is one to one


def first_number(prefix: str, start: int, num_videos: int) -> int:
    """Number of the first of `num_videos` videos of a split, counted from `start` within it."""
    low = SPLIT_START.get(prefix, OTHER_START)
    high = min(bound for bound in [*SPLIT_START.values(), OTHER_START, NUM_IDS] if bound > low)
    if start < 0 or start + num_videos > high - low:
        raise UsageError(
            f"videos {start} to {start + num_videos} of '{prefix}' do not exist",
            hint=f"start and number of videos have to stay within 0 and {high - low}",
        )
    return low + start


def video_id(seed: int, number: int) -> bytes:
    """4 letters; the ids of a seed are all different."""
    rest = (number * _MULTIPLIER + seed * 7919) % NUM_IDS
    letters = []
    for _ in range(LETTERS):
        rest, digit = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(letters).encode()
