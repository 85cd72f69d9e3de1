"""`compress report --run`: makes the rows of the papers' tables, one after the other."""
