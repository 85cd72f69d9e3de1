"""What a person is told of an extraction: how much, what was left out and why, what is special about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from compress.extract.features import AUDIO, RGB, Outcome
from compress.extract.labels import VideoLabels
from compress.extract.projection_artifact import Projections
from compress.extract.videos import Video

FULL_WHITENING = 0.9
PCA_DIM = 64  # what the guide goes on with


def account(
    outcomes: Sequence[Outcome],
    usable: Sequence[Outcome],
    parts: dict[str, list[Video]],
    fitted: Projections,
    labelled: VideoLabels | None,
) -> dict[str, Any]:
    """Counts and sentences about an extraction, as JSON; they are kept with its shards.

    Args:
        outcomes: of all files.
        usable: of those that are in the shards.
        parts: these videos by part.
        fitted: the projection of each feature.
        labelled: None without a table of labels.
    """
    used = {each.video for each in usable}
    with_labels = [each for each in usable if labelled and each.video.video_id in labelled.classes]
    return {
        "videos": len(usable),
        "frames": sum(each.frames for each in usable),
        "parts": {name: len(videos) for name, videos in parts.items()},
        "features": {name: part.dim for name, part in fitted.parts.items()},
        "left_out": {str(each.video.path): each.damage for each in outcomes if each.video not in used},
        "damaged": {str(each.video.path): each.damage for each in usable if each.damage},
        "silent": sum(not each.has_sound for each in usable) if AUDIO in fitted.parts else 0,
        "labelled": len(with_labels) if labelled else None,
        "try_again": sum(each.try_again for each in outcomes),
        "notes": [*_tried_again(outcomes), *_notes(usable, fitted, labelled)],
        "projection": fitted.fingerprint,
    }


def _tried_again(outcomes: Sequence[Outcome]) -> Iterator[str]:
    if count := sum(each.try_again for each in outcomes):
        what = "one file was" if count == 1 else f"{count:,} files were"
        yield f"{what} left out because this machine could not do it; the same command tries again"


def _notes(usable: Sequence[Outcome], fitted: Projections, labelled: VideoLabels | None) -> Iterator[str]:
    if AUDIO not in fitted.parts:
        yield "the shards have no audio: --audio-backbone FILE adds it, with weights of VGGish that you have"
    rgb = fitted.parts[RGB]
    if rgb.whitening < FULL_WHITENING:
        yield (
            f"{rgb.videos:,} videos are too few to whiten wholly, as YouTube-8M does; "
            f"it was done to {100 * rgb.whitening:.0f} %"
        )
    if rgb.videos <= PCA_DIM:
        yield (
            f"a PCA of {rgb.videos:,} training videos finds at most {max(rgb.videos - 1, 0)} directions; "
            "what a larger --dim stores beyond them is nearly empty, for lack of videos"
        )
    if labelled:
        yield from labelled.notes
