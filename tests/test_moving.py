"""A Chalice app becomes a notebook: its handlers are deployed and handle events, and what is left out is named."""

import ast
import json

import nbformat
import pytest

from nbchalice.cli import code_of
from nbchalice.errors import InvalidInputError
from nbchalice.moving import moved, renamed

from .deploy.harness import unique
from .notebooks import write

APP = '''"""Orders of a small shop."""
import json
import os

from chalice import Chalice, Rate, Response
from chalicelib.prices import price_of
from chalicelib import stock

app = Chalice(app_name="NAME")
app.register_blueprint(stock.extra)
BUCKET = os.environ.get("BUCKET", "sales")


# Each order is a line of JSON.
@app.on_sqs_message(queue="NAME-orders", batch_size=5)
def handle_orders(event):
    for record in event:
        order = json.loads(record.body)
        app.log.info("%s costs %s", order["item"], price_of(order))


@app.route("/orders", methods=["POST"])
def create_order():
    return Response(body="ok", status_code=201)


@app.schedule(Rate(1, unit=Rate.HOURS))
def every_hour(event):
    report()


def report():
    print("report to", BUCKET)


if __name__ == "__main__":
    report()
# the end
'''
PRICES = "def price_of(order):\n    return order['net'] * 2\n"
STOCK = """from chalice import Blueprint

extra = Blueprint(__name__)


@extra.on_sns_message(topic="NAME-restocked")
def restocked(event):
    print("restocked", event.message)
"""


@pytest.fixture
def shop(tmp_path):
    """A Chalice project, and its app's name."""
    name = unique("shop")
    files = {"app.py": APP, "chalicelib/prices.py": PRICES, "chalicelib/stock.py": STOCK, "chalicelib/__init__.py": ""}
    stages = {"dev": {"environment_variables": {"BUCKET": "sales-dev"}}}
    files[".chalice/config.json"] = json.dumps({"version": "2.0", "app_name": name, "stages": stages})
    files["requirements.txt"] = ""
    for file, text in files.items():
        path = tmp_path / "project" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", name))
    return tmp_path / "project", name


def cells_of(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_each_handler_has_a_cell_and_the_text_stays_what_it_was(shop):
    folder, name = shop
    made = moved(folder)
    setup, first, orders, route, hourly, rest = made.cells
    assert setup == "%load_ext nbchalice" and "from nbchalice import Chalice, Rate, Response" in first
    assert orders.startswith("# Each order is a line of JSON.\n@app.on_sqs_message") and orders.endswith(
        "price_of(order))"
    )
    assert route.startswith("@app.route") and hourly.startswith("@app.schedule") and rest.startswith("def report")
    assert "__main__" not in "".join(made.cells)
    code = "\n".join(made.cells[1:]).replace("nbchalice", "chalice")
    kept = ast.parse((folder / "app.py").read_text()).body[:-1]
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(kept, []))


def test_what_is_left_out_and_what_is_to_be_done_is_said(shop):
    told = "\n".join(moved(shop[0] / "app.py").notes)
    assert "not deployed, as nbchalice makes no web API: create_order" in told
    assert 'left out: if __name__ == "__main__"' in told
    assert "chalicelib/stock.py, line 1 imports chalice: import nbchalice there instead" in told
    assert (
        "requirements.txt beside the notebook counts" in told
        and ".chalice/config.json beside the notebook counts" in told
    )


@pytest.mark.local_aws
def test_the_notebook_deploys_and_handles_events(shop, capsys, local_aws):
    folder, name = shop
    notebook = str(folder / f"{name}.ipynb")
    assert code_of(["import", str(folder / "app.py"), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["files"] == [notebook] and "handlers of its text: handle_orders, every_hour" in made["notes"]
    stock = folder / "chalicelib" / "stock.py"
    stock.write_text(stock.read_text().replace("from chalice", "from nbchalice"))  # as the command said
    assert code_of(["deploy", notebook, "--json"]) == 0
    deployed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in deployed["functions"]] == [
        f"{name}-dev-{one}" for one in ("handle_orders", "every_hour", "restocked")
    ]
    sent = {
        "handle_orders": ["--message", '{"item": "tea", "net": 2}'],
        "every_hour": [],
        "restocked": ["--message", "tea"],
    }
    logged = {}
    for handler, words in sent.items():
        assert code_of(["send", notebook, handler, *words, "--json"]) == 0
        logged[handler] = [one["message"] for one in json.loads(capsys.readouterr().out)["invocation"]["records"]]
    assert logged == {
        "handle_orders": ["tea costs 4"], "every_hour": ["report to sales-dev"], "restocked": ["restocked tea"]
    }  # fmt: skip
    assert code_of(["delete", notebook, "--yes"]) == 0


def test_a_notebook_that_is_there_is_never_replaced(shop, capsys):
    folder, name = shop
    notebook = folder / f"{name}.ipynb"
    notebook.write_text("mine")
    assert code_of(["import", str(folder)]) == 2
    assert f"{notebook} exists already" in capsys.readouterr().err and notebook.read_text() == "mine"
    other = folder / "other.ipynb"
    assert code_of(["import", str(folder), "--out", str(other)]) == 0 and len(cells_of(other)) == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no "), ("def f(:", "is no Python text"), ("import os\n", "is no Chalice app"),
        ("app = Flask(__name__)\n", "is no Chalice app"),
    ],
)  # fmt: skip
def test_what_is_no_app_is_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "app.py").write_text(text)
    with pytest.raises(InvalidInputError, match=said):
        moved(tmp_path / "app.py")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("from chalice import Chalice", "from nbchalice import Chalice"),
        ("from chalice.app import SQSEvent", "from nbchalice.app import SQSEvent"),
        ("    import chalice", "    import nbchalice as chalice"),
        ("import chalice  # the framework", "import nbchalice as chalice  # the framework"),
        ("from chalicelib import x", "from chalicelib import x"),
        ("import chalicelib", "import chalicelib"),
    ],
)
def test_only_imports_of_chalice_are_changed(line, wanted):
    assert renamed(line) == wanted


FACTORY = """import os
from chalice import Chalice

def create_app() -> Chalice:
    app = Chalice(app_name="builds")

    @app.route("/")
    def index():
        return {}

    return app

app = create_app()

@app.on_sqs_message(queue="builds")
def build_handler(event):
    print(len(list(event)))
"""


HANDLER = "\n@app.lambda_function()\ndef f(event, context):\n    return 1\n"


def test_an_app_that_a_function_makes_or_another_module_has_its_name(tmp_path):
    (tmp_path / "app.py").write_text(FACTORY)
    made = moved(tmp_path)
    assert made.name == "builds" and made.cells[-1].startswith("@app.on_sqs_message")
    (tmp_path / "app.py").write_text(
        "from chalicelib.core import app\n\n@app.on_sns_message(topic='t')\ndef f(event): pass\n"
    )
    assert moved(tmp_path).name == tmp_path.name
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text('{"app_name": "core"}')
    assert moved(tmp_path / "app.py").name == "core"


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ('{"comment": "ours"}', "there is no key comment; nothing reads it: take it out; correct "),
        ('{"lambda_timout": 3}', "there is no key lambda_timout; did you mean lambda_timeout?; correct "),
        ("{", ".chalice/config.json cannot be read: "),
    ],
)
def test_a_configuration_that_is_wrong_stops_a_deploy_and_no_import(tmp_path, capsys, config, wrong):
    (tmp_path / "app.py").write_text("from chalice import Chalice\napp = Chalice('odd')\n" + HANDLER)
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(config)
    assert code_of(["import", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "to be mended before a deploy: .chalice/config.json" in told and wrong in told
    assert (tmp_path / "odd.ipynb").exists()
    assert code_of(["plan", str(tmp_path / "odd.ipynb")]) == 2
    assert wrong.split(";")[0] in capsys.readouterr().err


def test_statements_on_one_line_stay_together(tmp_path):
    text = "from chalice import Chalice\nshop = Chalice('shop'); x = 1; y = 2\n@shop.lambda_function()\ndef f(e, c): return x\nz = 3\n"
    (tmp_path / "app.py").write_text(text)
    made = moved(tmp_path)
    assert made.name == "shop" and made.cells[2:] == ("@shop.lambda_function()\ndef f(e, c): return x", "z = 3")
    assert made.cells[1].endswith("shop = Chalice('shop'); x = 1; y = 2")


def test_a_blueprint_of_chalices_own_is_an_error_and_no_handler_is_lost_in_silence(tmp_path, capsys):
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "chalicelib" / "__init__.py").write_text("")
    jobs = tmp_path / "chalicelib" / "jobs.py"
    jobs.write_text(
        "class Blueprint:\n    def on_sqs_message(self, queue):\n        return lambda function: function\n"
        "jobs = Blueprint()\n@jobs.on_sqs_message('q')\ndef work(event):\n    return 1\n"
    )
    cells = ["%chalice app lost", "from chalicelib.jobs import jobs\napp.register_blueprint(jobs)",
             "@app.schedule('rate(1 hour)')\ndef tick(event):\n    return 1"]  # fmt: skip
    path = write(tmp_path / "lost.ipynb", ["%load_ext nbchalice", *cells])
    assert code_of(["package", str(path), "--out", str(tmp_path / "build")]) == 2
    said = capsys.readouterr().err
    assert "the handlers of a blueprint are lost: TypeError: register_blueprint takes a Blueprint" in said
    assert "from nbchalice import Blueprint" in said and not (tmp_path / "build").exists()


def test_a_module_that_takes_the_app_from_the_moved_file_is_named(tmp_path):
    (tmp_path / "app.py").write_text("from chalice import Chalice\napp = Chalice('shop')\nfrom jobs import nightly\n")
    (tmp_path / "jobs.py").write_text(
        "import os\nfrom app import app\n@app.schedule('rate(1 day)')\ndef nightly(e): pass"
    )
    (told,) = [note for note in moved(tmp_path).notes if "jobs.py" in note]
    assert told.startswith("jobs.py, line 2 takes the app from app.py, so that its handlers are not found: define them")
