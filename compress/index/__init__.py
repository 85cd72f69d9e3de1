"""Search: an index of embeddings or codes, with measured recall.

index        Index: build, open, save, search         exact      exact neighbours, from every row
build        selected rows -> index, with its recall  codes      search on stored codes, without decoding
rows         the input: an array or a store           kernels    scores of codes, in C (native/) or numpy
faiss_index  kinds of FAISS index; filling them       tuning     lists to visit, candidates to re-rank
saved        the folder on disk                       searching  any number of queries, in blocks
recall       which share of the truth is found        reranking  a larger codec ranks what a small one finds
aligned      other embeddings, in the index's order
"""

from compress.index.exact import exact_neighbours as exact_neighbours
from compress.index.faiss_index import EXACT_BELOW as EXACT_BELOW
from compress.index.faiss_index import default_factory as default_factory
from compress.index.hits import Hits as Hits
from compress.index.hits import Neighbour as Neighbour
from compress.index.index import Index as Index
from compress.index.index import open_index as open_index
