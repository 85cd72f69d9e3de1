"""A collection: videos that come, go and are found, in one folder.

collection  Collection: create, open, add, delete, compact
reading     the half of it that only reads: search, look up, count
creating    the first commit
passed      ids, rows and labels as callers pass them
results     what its methods return
state       one commit: facts, segments, codec, class names, encoder; found by id
segment     an immutable file of rows in the order of their ids, and which of them are gone
rows        rows on their way into a segment: added, or merged from others
incoming    blocks of videos -> codes of the collection, with checks
writing     a change: which files stay, which are written, in one commit
tiers       when segments are merged
finding     exact search over the segments, behind a filter
where       a filter: one SQL expression, evaluated by DuckDB without access to anything else
columns     metadata: tables of Arrow, whatever people pass
metadata_file  a file of metadata, joined by id
"""

from compress.collection.collection import Collection as Collection
from compress.collection.results import Added as Added
from compress.collection.results import Compacted as Compacted
from compress.collection.results import Deleted as Deleted
from compress.collection.results import Match as Match
from compress.collection.results import Stats as Stats
