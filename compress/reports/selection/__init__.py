"""What `compress select` found: the choice, how it came about, the commands; for a person and a machine."""

from compress.reports.selection.json_report import selection_to_json as selection_to_json
from compress.reports.selection.markdown import selection_to_markdown as selection_to_markdown
from compress.reports.selection.selection import Selection as Selection
from compress.reports.selection.sentences import tried_cells as tried_cells
from compress.reports.selection.sentences import tried_header as tried_header
from compress.reports.selection.sentences import verdict as verdict
from compress.reports.selection.writing import write_selection as write_selection
