"""Embeddings on disk: one HDF5 file that checks itself and is written by our own code, never by HDF5.

writer        open_writer: append blocks, resume after any death, finish
reader        open_store: one file, or several as one

layout        the HDF5 file with a hole where the embeddings go
sparse_file   the file in memory that HDF5 writes its metadata into
user_block    the first 4096 bytes: size and sha256 of the rest, and their own checksum
partial       the unfinished file: space reserved, metadata in place, blocks verified on resume
journal       which blocks of an unfinished file are safely on the disk
checks        ids, labels and splits that make sense
audit         what an HDF5 file must look like before anything in it is used
hdf5          h5py without plugins
part          one finished file: verified, audited, mapped
rows          several arrays read as one
id_lookup     video id -> row
"""
