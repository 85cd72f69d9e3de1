"""FAISS: build, save, load and search an index of stored embeddings, with measured recall.

build      store -> committed index           search     vector -> neighbours
exact      the truth, by comparing with all   tuning     how thoroughly to search for a wanted recall
factory    which kind of index                filling    training it and adding the videos
selection  which rows, seen through a metric  vectors    checks and normalisation
saved      the folder on disk                 scan       many queries at once, in bfloat16 with proof
"""

from compress.index.build import IndexSummary as IndexSummary
from compress.index.build import build_index as build_index
from compress.index.exact import exact_neighbours as exact_neighbours
from compress.index.factory import EXACT_BELOW as EXACT_BELOW
from compress.index.factory import default_factory as default_factory
from compress.index.search import Neighbour as Neighbour
from compress.index.search import SearchIndex as SearchIndex
from compress.index.search import open_index as open_index
