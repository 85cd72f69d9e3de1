"""Smaller models: fewer bits per weight, and fewer weights; the result is a run like any other.

Weights in float16 or int8 (training/weights.py), the smallest set to 0 while encoder and head are trained
longer (Han et al. 2016, "Deep Compression", ICLR; Zhu and Gupta 2017, "To prune, or not to prune").
"""

from compress.shrinking.plan import ShrinkPlan as ShrinkPlan
from compress.shrinking.shrink import Shrunk as Shrunk
from compress.shrinking.shrink import shrink as shrink
