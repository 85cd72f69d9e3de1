"""What a person reads: the papers' tables beside what was measured; terminal, Markdown, JSON, HTML.

catalogue   every row of Tables 2, 3 and QRNN with its run, from tables.toml
model_table   those tables, from evaluation/models/*.json; model_markdown and so on are its renderers
model_plots   its GAP as a plot, and whether the order of the models is the paper's
published   what the paper's Table 4 prints, from tables.toml too
rows        evaluation/*.json -> rows that compare
table4      the table and its verdicts
class_sections   what rare and frequent classes lose: bins, extremes, the Zipf curve; table4_classes and
            model_classes choose the rows
terminal, markdown, json_report, html   its renderers; forest and tradeoff draw the plots of the page
"""

from compress.reports.catalogue import TABLES as TABLES
from compress.reports.catalogue import Catalogue as Catalogue
from compress.reports.catalogue import CatalogueRow as CatalogueRow
from compress.reports.catalogue import StandIn as StandIn
from compress.reports.catalogue import catalogue as catalogue
from compress.reports.class_choice import ClassChoice as ClassChoice
from compress.reports.class_choice import KeptRow as KeptRow
from compress.reports.class_sections import ClassSections as ClassSections
from compress.reports.class_sections import class_sections as class_sections
from compress.reports.html import to_html as to_html
from compress.reports.json_report import to_json as to_json
from compress.reports.markdown import to_markdown as to_markdown
from compress.reports.model_classes import chosen_models as chosen_models
from compress.reports.model_html import models_to_html as models_to_html
from compress.reports.model_json import models_to_json as models_to_json
from compress.reports.model_markdown import models_to_markdown as models_to_markdown
from compress.reports.model_parsing import load_models as load_models
from compress.reports.model_parsing import read_model as read_model
from compress.reports.model_row import ModelRow as ModelRow
from compress.reports.model_table import Judgement as Judgement
from compress.reports.model_table import ModelTable as ModelTable
from compress.reports.model_table import model_table as model_table
from compress.reports.model_terminal import print_models as print_models
from compress.reports.parsing import read_row as read_row
from compress.reports.provenance import Provenance as Provenance
from compress.reports.published import PublishedRow as PublishedRow
from compress.reports.published import published as published
from compress.reports.row import Row as Row
from compress.reports.row_command import row_command as row_command
from compress.reports.row_command import row_settings as row_settings
from compress.reports.rows import load_rows as load_rows
from compress.reports.table4 import Line as Line
from compress.reports.table4 import Table4 as Table4
from compress.reports.table4 import table4 as table4
from compress.reports.table4_classes import chosen_rows as chosen_rows
from compress.reports.terminal import print_report as print_report
from compress.reports.verdict import Verdict as Verdict
from compress.reports.verdict import judge as judge
from compress.reports.writing import write_models as write_models
from compress.reports.writing import write_report as write_report
