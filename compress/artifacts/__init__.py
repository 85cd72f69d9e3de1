"""Safe writing: every file is written beside its target, synced and renamed; a manifest holds its sha256.

disk      the single steps (write, fsync, rename, ...), numbered so that tests can break each; disk errors
atomic    one file, replaced in one step or not at all
ownership what may be removed or replaced: nothing that is not ours, nothing through a symbolic link
lock      one writer at a time
manifest  manifest.json: kind, metadata, versions, files with their sha256
hashed    files hashed in the last hours and unchanged since
folder    several files as one artifact, committed by their manifest
one_state readers while another process writes: one commit, or again
sealed    JSON that carries its own sha256
npy       arrays as npy files of an artifact
"""
