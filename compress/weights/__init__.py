"""How the weights of a model are kept small on the disk: fewer bits each, and nothing for those that are 0.

pack(tensors, ...) -> the tensors of a file and a description; unpack(file, description, like) undoes it.
"""

from compress.weights.matrices import is_matrix as is_matrix
from compress.weights.matrices import matrices_of as matrices_of
from compress.weights.packing import PRECISIONS as PRECISIONS
from compress.weights.packing import WeightPrecision as WeightPrecision
from compress.weights.packing import pack as pack
from compress.weights.packing import unpack as unpack
