"""Embeddings on disk: one HDF5 file that checks itself and is written by our own code, never by HDF5.

sparse_file   the file in memory that HDF5 writes its metadata into
layout        the HDF5 file with a hole where the embeddings go
user_block    the first 4096 bytes: size and sha256 of the rest, and their own checksum
checks        what may become a store, and what may come out of one
journal       which blocks of an unfinished store are safely on the disk
partial       the unfinished file: space reserved, metadata in place, blocks verified on resume
writer        open_writer: append blocks, resume after any death, finish
audit         what an HDF5 file must look like before anything in it is used
reader        open_store
rows          several arrays read as one
id_lookup     video id -> row
"""
