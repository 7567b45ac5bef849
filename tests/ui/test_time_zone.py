"""Lambda's time zone is UTC: a value that follows that of this computer is another one there."""

import time

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages

from ..notebooks import write

pytestmark = [pytest.mark.slow, pytest.mark.local_aws]

VIENNA = "Europe/Vienna"
HANDLER = "%%lambda_function{}\ndef noon(event):\n    return NOON"
FOLLOWS = {
    "the moment of a naive datetime": "from datetime import datetime\nNOON = datetime(2026, 7, 1, 12).timestamp()",
    "the hour of a moment": "from datetime import datetime\nNOON = datetime.fromtimestamp(1782900000)",
    "mktime": "import time\nNOON = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, -1))",
    "formatdate": "from email.utils import formatdate\nNOON = formatdate(0, localtime=True)",
    "the local zone": "from datetime import datetime, timezone\n"
    "NOON = datetime(2026, 7, 1, tzinfo=timezone.utc).astimezone().isoformat()",
    "pandas": "import pandas as pd\nNOON = pd.Timestamp.fromtimestamp(0)",
    "within": "from datetime import datetime\ndef at(n):\n    return {'at': [datetime.fromtimestamp(n)]}\nNOON = at(0)",
}
STAYS = {
    "a moment": "from datetime import datetime, timezone\nNOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc).timestamp()",
    "a naive datetime": "from datetime import datetime\nNOON = datetime(2026, 7, 1, 12)",
    "a zone by name": "from datetime import datetime\nfrom zoneinfo import ZoneInfo\n"
    "NOON = datetime.fromtimestamp(1782900000, ZoneInfo('Europe/Vienna'))",
    "the time zone is set": "import os, time\nfrom datetime import datetime\n"
    "os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()\nNOON = datetime(2026, 7, 1, 12).timestamp()",
}


@pytest.fixture
def zone():
    with pytest.MonkeyPatch.context() as patch:

        def change(name):
            patch.setenv("TZ", name)
            time.tzset()

        yield change
    time.tzset()


@pytest.mark.parametrize("case", FOLLOWS)
def test_a_value_that_follows_the_kernels_time_zone_differs_on_lambda(case, run, zone):
    zone(VIENNA)
    run(FOLLOWS[case])
    run(HANDLER.format(""))
    error = run.error("%chalice plan")
    assert "NOON" in str(error)
    assert "NOON follows the time zone, which is Europe/Vienna here and UTC on Lambda" in str(error)


@pytest.mark.parametrize("case", FOLLOWS)
def test_a_value_that_follows_this_computers_time_zone_differs_without_a_kernel_too(case, tmp_path, zone):
    zone(VIENNA)
    project = read_project(write(tmp_path / "n.ipynb", [FOLLOWS[case], HANDLER.format("")]))
    with pytest.raises(CaptureError, match="NOON.* when the notebook runs from the top") as caught:
        verified_packages(project)
    assert "NOON follows the time zone, which is Europe/Vienna here" in str(caught.value)


@pytest.mark.parametrize("case", STAYS)
def test_a_value_that_says_its_time_zone_is_the_same(case, run, zone, tmp_path):
    zone(VIENNA)
    run(STAYS[case])
    run(HANDLER.format(""))
    assert "time zone" not in run("%chalice plan").text
    verified_packages(read_project(write(tmp_path / "n.ipynb", [STAYS[case], HANDLER.format("")])))


def test_a_function_that_is_given_the_time_zone_has_the_kernels_values(run, zone, tmp_path):
    zone(VIENNA)
    cell = FOLLOWS["the moment of a naive datetime"]
    run(cell)
    run(HANDLER.format(f" --env TZ={VIENNA}"))
    told = run("%chalice plan").text
    assert "not compared" not in told
    assert "local time" not in told
    verified_packages(read_project(write(tmp_path / "n.ipynb", [cell, HANDLER.format(f" --env TZ={VIENNA}")])))


def test_a_kernel_that_left_its_time_zone_is_told_the_value_alone(run, zone):
    zone(VIENNA)
    run(FOLLOWS["mktime"])
    run(HANDLER.format(""))
    zone("UTC")
    # Only the value is of the other zone: there is nothing to find out about this one.
    assert "NOON is 1767222000.0 in the kernel, 1767225600.0 in the captured module" in str(run.error("%chalice plan"))


LOCAL = [
    "datetime.now().date()",
    "datetime.now(timezone.utc).astimezone().hour",
    "date.today()",
    "time.localtime().tm_hour",
    "time.strftime('%H')",
    "datetime.fromtimestamp(0)",
    "dt.datetime.now()",
    "pd.Timestamp.now()",
    "formatdate(0, localtime=True)",
    "time.ctime(0)",
]
NOT_LOCAL = [
    "datetime.now(timezone.utc)",
    "datetime.now(tz=timezone.utc)",
    "datetime.now(timezone.utc).astimezone(timezone.utc)",
    "datetime.fromtimestamp(0, timezone.utc)",
    "datetime.now(timezone.utc).strftime('%H')",
    "datetime.utcnow()",
    "formatdate(0)",
    "time.time()",
    "pd.Timestamp.now('UTC')",
]
IMPORTS = (
    "import time\nimport datetime as dt\nimport pandas as pd\nfrom email.utils import formatdate\n"
    "from datetime import date, datetime, timezone"
)


@pytest.mark.parametrize("code", [*LOCAL, *NOT_LOCAL])
def test_a_function_that_asks_for_local_time_is_told_where_it_is_another_one(code, run, zone):
    zone(VIENNA)
    run(IMPORTS)
    run(f"%%lambda_function\ndef hour(event):\n    return str({code})")
    told = run("%chalice plan").text
    assert ("hour: local time is Europe/Vienna here and UTC on Lambda" in told) == (code in LOCAL), told
    assert "(cell 4, line 3)" in told or code not in LOCAL
    zone("UTC")
    assert "local time" not in run("%chalice plan").text
