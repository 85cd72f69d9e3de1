"""What the papers printed: every row of their tables, as data, and the command that makes it."""

from compress.papers.catalogue import TABLES as TABLES
from compress.papers.catalogue import Catalogue as Catalogue
from compress.papers.catalogue import CatalogueRow as CatalogueRow
from compress.papers.catalogue import ExpectedControl as ExpectedControl
from compress.papers.catalogue import FullData as FullData
from compress.papers.catalogue import PaperFigures as PaperFigures
from compress.papers.catalogue import Published as Published
from compress.papers.catalogue import PublishedRow as PublishedRow
from compress.papers.catalogue import StandIn as StandIn
from compress.papers.catalogue import catalogue as catalogue
from compress.papers.catalogue import published as published
from compress.papers.catalogue import row_command as row_command
from compress.papers.catalogue import row_settings as row_settings
