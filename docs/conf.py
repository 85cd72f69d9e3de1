"""The documentation site: `make docs` builds docs/ into build/docs, and every warning is an error."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = "compress"
copyright = "the compress founders, Apache-2.0"
version = release = installed("compress-video-embeddings")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence"]
default_role = "code"  # `names` in docstrings are code, as in Markdown
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
myst_heading_anchors = 3  # links to headings work as they do on GitHub
exclude_patterns = ["results/*/*.html"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say types with shapes, which hints cannot
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Class attributes", "params_style")]

html_theme = "furo"
html_title = "compress"
