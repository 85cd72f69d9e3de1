"""Smaller models: fewer bits a weight, and fewer weights; the result is a run like any other.

Weights in float16 or int8 (compress/weights), the smallest set to 0 while encoder and head are trained a
little longer (Han et al. 2016, "Deep Compression", ICLR; Zhu and Gupta 2017, "To prune, or not to prune").
"""

from compress.shrinking.plan import ShrinkPlan as ShrinkPlan
from compress.shrinking.shrink import Shrunk as Shrunk
from compress.shrinking.shrink import shrink as shrink
