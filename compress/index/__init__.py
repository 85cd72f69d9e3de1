"""Search: an index of embeddings or codes, with measured recall.

index        Index: build, open, save, search         exact    the truth, by comparing with every row
build        selected rows -> index, with its recall  codes    search on codes as they are
summary      a store -> the index beside it           kernels  scores of codes, in C (native/) or numpy
rows         what comes in, an array or a store       tuning   how thoroughly to search
faiss_index  kinds of FAISS index; filling them       saved    the folder on disk
"""

from compress.index.exact import exact_neighbours as exact_neighbours
from compress.index.faiss_index import EXACT_BELOW as EXACT_BELOW
from compress.index.faiss_index import default_factory as default_factory
from compress.index.index import Hits as Hits
from compress.index.index import Index as Index
from compress.index.index import Neighbour as Neighbour
from compress.index.index import open_index as open_index
from compress.index.summary import IndexSummary as IndexSummary
from compress.index.summary import build_index as build_index
