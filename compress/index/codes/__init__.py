"""Search on what a store holds: queries are numbers, videos stay codes, nothing is decoded.

queries    what a query becomes for each codec: weights of numbers, or tables of bytes
kernels    scores of codes for several queries, in C (native/) or numpy
ranking    the best rows among scores that come block by block
index      the search, alone and for many queries      build    from a store, with measured recall
files      the arrays on disk
"""
