"""Invented videos in the shape of YouTube-8M, for demos and tests where the real data set is absent."""

from compress.datasets.sample.writer import write_sample

__all__ = ["write_sample"]
