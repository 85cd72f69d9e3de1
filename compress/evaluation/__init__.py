"""Does it still work? A fresh head trained on the stored embeddings, and the neighbours of stored videos."""

from compress.evaluation.row import evaluate as evaluate
