"""Table 4: stored embeddings, each judged by a fresh head, against the original features."""
