"""Does it still work? Fresh heads trained on stored embeddings, neighbours of stored videos, trained runs."""
