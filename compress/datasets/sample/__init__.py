"""Synthetic videos in the format of YouTube-8M, for demos and tests without the real data set."""

from compress.datasets.sample.writer import write_sample

__all__ = ["write_sample"]
