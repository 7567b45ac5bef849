"""Magics and imports in blocks: what Lambda can do without stops nothing, and what else stands in the block travels."""

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell

USES = {
    "json": "def h(event):\n    return json.dumps(1)",
    "ON": "def h(event):\n    return ON",
    "sqrt": "def h(event):\n    return sqrt(9)",
}


def captured(source, name):
    cells = [Cell(f"c{n}", f"cell {n + 1}", text, n) for n, text in enumerate([source, USES[name]])]
    space = {}
    exec(slice_handler(cells, "h", notebook="n.ipynb").module, space)
    return space["h"](None)


INSTALLS = [
    "!pip install x",
    "%pip install -q x",
    "!{sys.executable} -m pip install x",
    "!apt-get -y install x",
    "%conda install x",
]


@pytest.mark.parametrize("install", INSTALLS)
@pytest.mark.parametrize(
    "caught", ["ImportError", "(ImportError, AttributeError)", "Exception", "ModuleNotFoundError as e"]
)
def test_what_installs_below_a_failed_import_stops_nothing(install, caught):
    assert captured(f"try:\n    import json\nexcept {caught}:\n    {install}\n    import json", "json") == "1"


@pytest.mark.parametrize("install", INSTALLS)
def test_what_installs_under_a_condition_stops_nothing(install):
    source = f"import sys\nif 'google.colab' in sys.modules:\n    {install}\n    ON = True\nelse:\n    ON = False"
    assert captured(source, "ON") is False


@pytest.mark.parametrize("shows", ["%matplotlib inline", "%load_ext autoreload", "%config InlineBackend.rc = {}"])
def test_what_only_sets_up_the_notebook_stops_nothing(shows):
    assert captured(f"try:\n    {shows}\n    ON = 1\nexcept Exception:\n    ON = 2", "ON") == 1


def test_a_shell_that_is_asked_to_install_below_a_failed_import_may_be_missing():
    source = "try:\n    import json\nexcept ImportError:\n    get_ipython().system('pip install x')\n    import json"
    assert captured(source, "json") == "1"


@pytest.mark.parametrize("line", ["!echo install", "%cd data", "x = !ls", "!rm -r install"])
def test_other_magics_of_a_block_are_refused_as_before(line):
    with pytest.raises(CaptureError, match="contains a magic or shell line"):
        captured(f"if True:\n    {line}\n    ON = 1", "ON")


def test_what_installs_in_a_function_that_the_handler_calls_is_refused():
    with pytest.raises(CaptureError, match="contains a magic or shell line"):
        captured("def ON():\n    !pip install x", "ON")


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    from math import *\nexcept ImportError:\n    pass",
        "import sys\nif sys.version_info > (3,):\n    from math import *\nelse:\n    from cmath import *",
        "from cmath import *\nwith open('/dev/null'):\n    from math import *",
    ],
)
def test_a_star_import_in_a_block_brings_names(source):
    assert captured(source, "sqrt") == 3
