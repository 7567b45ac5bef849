"""How the documentation site is built: `make docs`."""

import nbchalice

project = "nbchalice"
author = "the nbchalice developers"
copyright = "the nbchalice developers"
release = nbchalice.__version__
extensions = ["myst_nb"]
root_doc = "docs/index"
# The pages stand where GitHub shows them, so that their links lead there and here.
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**.md", "notebooks/**.ipynb"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"nbchalice {release}"
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
# The notebooks are run by the tests, and saved with what they show.
nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/svg+xml", 5), ("html", "image/png", 10)]
# The line of a cell magic is no Python: %%schedule cron(0 9 ? * MON-FRI *)
suppress_warnings = ["misc.highlighting_failure"]
