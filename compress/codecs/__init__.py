"""Embedding <-> stored bytes: each file one codec; `registry` builds them by name."""
