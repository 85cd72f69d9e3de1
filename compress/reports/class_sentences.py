"""What the report says in words about classes; once for all renderers."""

from __future__ import annotations

from compress.reports.class_extremes import LEAST_POSITIVES, Extremes
from compress.reports.class_frequency import LEAST_CLASSES, ClassFrequency
from compress.reports.frequency_plot import bin_name
from compress.reports.wording import DELTA, count, signed
from compress.reports.zipf import Zipf


def zipf_caption(train: Zipf, validation: Zipf) -> str:
    """The caption of the Zipf plot."""
    ranks, absent = count(len(train.counts)), count(train.without)
    return (
        "The paper's Figure 1 for the videos of this report: training videos of each class against its rank, "
        f"both axes logarithmic. Slope {signed(train.slope)} (dashed): least squares on log videos against "
        f"log rank over ranks 1 to {ranks}, all classes with a training video; most ranks lie in the tail, "
        f"so the tail decides it. {absent} classes have no training video. Thin line: the "
        f"{count(len(validation.counts))} classes with validation videos, ranked on their own."
    )


def frequency_caption(found: ClassFrequency) -> str:
    """The caption of the plots by class frequency, with the number of classes in each bin."""
    bins = ", ".join(f"{bin_name(one)}: {count(one.classes)}" for one in found.bins)
    difference = f", and its difference ({DELTA}) from the baseline in points" if found.baseline else ""
    return (
        "Mean average precision (within the 20 highest scores a video) of the classes with so many training "
        f"videos{difference}. All bins together, each counted by its classes, make MAP. Bars are 95 % "
        "bootstrap intervals over the classes of the bin (not over videos), the same resampled classes for "
        f"every row; a bin of fewer than {LEAST_CLASSES} classes has none. Classes with validation videos in "
        f"each bin: {bins}."
    )


def extremes_caption(found: Extremes) -> str:
    """The caption of the table of classes."""
    return (
        f"Classes whose average precision {found.row} changed most, of the {count(found.considered)} with at "
        f"least {LEAST_POSITIVES} validation videos. They were picked because they are extreme: on other "
        "videos most of them will be less so."
    )
