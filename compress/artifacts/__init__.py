"""How anything reaches the disk: written beside, synced, renamed, and named by a manifest with its sha256.

disk      the commit steps themselves (write, fsync, rename, ...), at numbered fault points for tests; the
          words for a disk that refuses
atomic    one file, replaced in one step or not at all
lock      one writer at a time
manifest  what a committed folder says about itself
hashed    which files were hashed in the last hours and have not changed since
folder    several files as one artifact, committed by their manifest
"""
