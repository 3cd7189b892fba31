"""Configuration of the documentation.

Build it with ``python -m sphinx -W -b html docs docs/_build/html``. Links into the documentation
of other projects need their indexes from the network: set ``DOCS_ONLINE=1`` to have them. Without
it the same names stand there unlinked, and the build needs no network at all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Before anything imports matplotlib, NumPy or torch.
os.environ["MPLBACKEND"] = "Agg"
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from skperceptual import __version__

project = "skperceptual"
author = "skperceptual developers"
project_copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "api_pages",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples"]
default_role = "py:obj"

# -- docstrings ------------------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"  # the numpydoc sections give types and shapes
numpydoc_show_class_members = False  # the class template lists what the package itself defines

# -- other projects --------------------------------------------------------------------------
intersphinx_mapping = {
    "joblib": ("https://joblib.readthedocs.io/en/stable/", None),
    "librosa": ("https://librosa.org/doc/latest/", None),
    "numpy": ("https://numpy.org/doc/stable/", None),
    "pandas": ("https://pandas.pydata.org/docs/", None),
    "python": ("https://docs.python.org/3/", None),
    "scipy": ("https://docs.scipy.org/doc/scipy/", None),
    "skorch": ("https://skorch.readthedocs.io/en/stable/", None),
    "sklearn": ("https://scikit-learn.org/stable/", None),
    "torch": ("https://docs.pytorch.org/docs/stable/", None),
}
if os.environ.get("DOCS_ONLINE") != "1":
    intersphinx_mapping = {}

# -- gallery ---------------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"[/\\]plot_",
    "doc_module": ("skperceptual",),
    "backreferences_dir": "api/backreferences",
    "image_scrapers": ("matplotlib",),
    "reset_modules": ("matplotlib",),
    "remove_config_comments": True,
    "show_memory": False,
    "download_all_examples": False,
}

# -- pages -----------------------------------------------------------------------------------
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_theme = "pydata_sphinx_theme"
html_title = f"skperceptual {release}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "changelog": [], "glossary": [], "pitfalls": []}
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
