"""How anything reaches the disk: written beside, synced, renamed, and named by a manifest with its sha256.

faults    numbered fault points: a test kills the process, or fills the disk, at the k-th commit step
disk      the commit steps themselves (write, fsync, rename, ...) and the words for a disk that refuses
atomic    one file, replaced in one step or not at all
lock      one writer at a time
manifest  the versions that wrote an artifact
hashed    which files were hashed lately and have not changed since
folder    several files as one artifact, committed by their manifest
"""
