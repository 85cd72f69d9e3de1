"""What a person reads: the paper's Table 4 beside what was measured; terminal, Markdown, JSON, HTML.

published   the paper's figures
rows        evaluation/*.json -> rows that compare
table4      the table and its verdicts
class_sections   what rare and frequent classes lose: bins, extremes, the Zipf curve
terminal, markdown, json_report, html   its renderers; forest and tradeoff draw the plots of the page
"""

from compress.reports.class_sections import ClassSections as ClassSections
from compress.reports.class_sections import class_sections as class_sections
from compress.reports.html import to_html as to_html
from compress.reports.json_report import to_json as to_json
from compress.reports.markdown import to_markdown as to_markdown
from compress.reports.provenance import Provenance as Provenance
from compress.reports.published import PublishedRow as PublishedRow
from compress.reports.published import published as published
from compress.reports.row import Row as Row
from compress.reports.rows import load_rows as load_rows
from compress.reports.table4 import Line as Line
from compress.reports.table4 import Table4 as Table4
from compress.reports.table4 import table4 as table4
from compress.reports.terminal import print_report as print_report
from compress.reports.verdict import Verdict as Verdict
from compress.reports.verdict import judge as judge
from compress.reports.writing import write_report as write_report
