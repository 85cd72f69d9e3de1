"""What a GPU needs and a CPU does not: data that is there or on its way, losses that are read late."""
