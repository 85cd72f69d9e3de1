"""Arrays as people hold them -> the arrays that this package computes with, or one sentence on what is wrong.

Everything behind `import compress` reads its input through these functions: a list, a numpy array of any
number type, byte order or memory layout, a torch tensor on any device, a pandas frame. Nothing is guessed:
what could mean two things is refused.
"""

from compress.arrays.arguments import as_path as as_path
from compress.arrays.arguments import whole_number as whole_number
from compress.arrays.features import as_features as as_features
from compress.arrays.features import as_frames as as_frames
from compress.arrays.features import as_ids as as_ids
from compress.arrays.features import is_frames as is_frames
from compress.arrays.features import numbers as numbers
from compress.arrays.features import plain_array as plain_array
from compress.arrays.labels import as_labels as as_labels
from compress.arrays.labels import columns as columns
