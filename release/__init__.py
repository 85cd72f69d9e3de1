"""What a release needs besides code: a lock with hashes, a list of components, a check for known holes."""
