"""What a person reads: the papers' tables beside what was measured; terminal, Markdown, JSON, HTML.

papers/     what the papers printed: every row of their tables with its run, from tables.toml
table_4/    evaluation/*.json -> rows that compare -> Table 4 with its verdicts, plots and renderers
models/     evaluation/models/*.json -> Tables 2, 3 and QRNN, the same way
classes/    what rare and frequent classes lose: bins, extremes, the Zipf curve; part of all pages
plots/      SVG, scales, where labels go
"""

from compress.evaluation.models.row import ModelRow as ModelRow
from compress.evaluation.models.row import load_models as load_models
from compress.evaluation.models.row import read_model as read_model
from compress.evaluation.row import Row as Row
from compress.evaluation.row import read_row as read_row
from compress.papers import TABLES as TABLES
from compress.papers import Catalogue as Catalogue
from compress.papers import CatalogueRow as CatalogueRow
from compress.papers import PublishedRow as PublishedRow
from compress.papers import StandIn as StandIn
from compress.papers import catalogue as catalogue
from compress.papers import published as published
from compress.papers import row_command as row_command
from compress.papers import row_settings as row_settings
from compress.reports.classes.sections import ClassChoice as ClassChoice
from compress.reports.classes.sections import ClassSections as ClassSections
from compress.reports.classes.sections import KeptRow as KeptRow
from compress.reports.classes.sections import class_sections as class_sections
from compress.reports.models.classes import chosen_models as chosen_models
from compress.reports.models.html import models_to_html as models_to_html
from compress.reports.models.json_report import models_to_json as models_to_json
from compress.reports.models.markdown import models_to_markdown as models_to_markdown
from compress.reports.models.table import Judgement as Judgement
from compress.reports.models.table import ModelTable as ModelTable
from compress.reports.models.table import model_table as model_table
from compress.reports.models.terminal import print_models as print_models
from compress.reports.provenance import Provenance as Provenance
from compress.reports.table_4.classes import chosen_rows as chosen_rows
from compress.reports.table_4.html import to_html as to_html
from compress.reports.table_4.json_report import to_json as to_json
from compress.reports.table_4.markdown import to_markdown as to_markdown
from compress.reports.table_4.rows import load_rows as load_rows
from compress.reports.table_4.table import Line as Line
from compress.reports.table_4.table import Table4 as Table4
from compress.reports.table_4.table import table4 as table4
from compress.reports.table_4.terminal import print_report as print_report
from compress.reports.table_4.verdict import Verdict as Verdict
from compress.reports.table_4.verdict import judge as judge
from compress.reports.writing import write_models as write_models
from compress.reports.writing import write_report as write_report
