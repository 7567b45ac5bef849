"""How the documentation site is built: `make docs`."""

from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

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
# Options are written with two hyphens, and stay so.
smartquotes = False
html_title = f"nbchalice {release}"
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
# The notebooks are run by the tests, and saved with what they show.
nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/svg+xml", 5), ("html", "image/png", 10)]
# The line of a cell magic is no Python: %%schedule cron(0 9 ? * MON-FRI *)
suppress_warnings = ["misc.highlighting_failure"]


class PicturesOfBothThemes(SphinxTransform):
    """On dark pages a picture named ``...-light.png`` gives way to the ``...-dark.png`` beside it."""

    default_priority = 400

    def apply(self, **kwargs):
        """Put the dark picture after each light one."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        for light in list(self.document.findall(nodes.image)):
            dark = light.deepcopy()
            dark["uri"] = light["uri"].replace("-light.png", "-dark.png")
            if dark["uri"] != light["uri"] and (folder / dark["uri"]).is_file():
                light["classes"].append("only-light")
                dark["classes"].append("only-dark")
                light.parent.insert(light.parent.index(light) + 1, dark)


def setup(app):
    """Let Sphinx know of what stands here."""
    app.add_transform(PicturesOfBothThemes)
