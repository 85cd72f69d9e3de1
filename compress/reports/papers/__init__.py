"""What the papers printed: every row of their tables, as data, and the command that makes it."""
