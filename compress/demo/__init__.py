"""`compress demo`: everything once, in minutes: data, training, embeddings, neighbours, Table 4.

plan     which rows, how small, and how long that takes
folder   the workspace, its shards, and what an earlier run has finished
run      one step after another, through the same jobs as the commands
"""

from compress.demo.plan import Request as Request
from compress.demo.run import Demo as Demo
from compress.demo.run import run_demo as run_demo
