"""What a person reads: measured rows as documents; terminal, Markdown, JSON, HTML.

document     a report before it is drawn; terminal, markdown, html draw any of them, writing makes the files
table_4/     evaluation/*.json -> rows that compare -> verdicts -> a document
models/      evaluation/models/*.json -> Tables 2, 3 and QRNN, the same way
classes/     what rare and frequent classes lose; part of these documents
tradeoff/    quality against bytes per video
selection    the smallest store that keeps a promise
charts       charts from plain figures; drawing and svg are what they are made with
rounding     how numbers are written; cautions: sentences that all tables share
"""

from compress.reports.classes.sections import ClassSections as ClassSections
from compress.reports.classes.sections import class_sections as class_sections
from compress.reports.document import Document as Document
from compress.reports.document import Provenance as Provenance
from compress.reports.html import to_html as to_html
from compress.reports.markdown import to_markdown as to_markdown
from compress.reports.models.classes import chosen_models as chosen_models
from compress.reports.models.page import models_page as models_page
from compress.reports.models.table import Judgement as Judgement
from compress.reports.models.table import ModelTable as ModelTable
from compress.reports.models.table import model_table as model_table
from compress.reports.table_4.classes import chosen_rows as chosen_rows
from compress.reports.table_4.page import table4_page as table4_page
from compress.reports.table_4.rows import load_rows as load_rows
from compress.reports.table_4.table import Table4 as Table4
from compress.reports.table_4.table import table4 as table4
from compress.reports.terminal import print_document as print_document
from compress.reports.writing import provenance as provenance
from compress.reports.writing import write_document as write_document
