"""Apps deployed from handlers as decorators make them, onto the local AWS."""

import uuid
from contextlib import contextmanager

import pytest

from nbchalice.deploy import engine
from nbchalice.deploy.desired import App
from nbchalice.deploy.package import Package
from nbchalice.handlers import Handler, tidy_settings
from nbchalice.packaging.artifact import build
from nbchalice.runtime.app import Chalice
from nbchalice.runtime.cells import Segment

HEAD = "from nbchalice import Chalice\napp = Chalice(app_name='sources')\n"


class Slice:
    def __init__(self, module):
        self.module, self.function, self.notebook = module, "price", "shop.ipynb"
        self.segments = [Segment("cell 4", "x", 1, module.count("\n"), 1)]


class Deployable:
    """One handler named ``price``, from the text of its decorators and its body."""

    def __init__(self, connection, name, text, body="print(event)"):
        self.aws, self.name = connection, name
        self.change(text, body)

    def change(self, text, body="print(event)"):
        self.code = f"{HEAD}{text}\ndef price(event):\n    {body}\n"
        namespace = {}
        exec(self.code.replace("app_name='sources'", "app_name='sources', configure_logs=False"), namespace)
        made = namespace["price"]
        self.handler = Handler("price", "price", tuple(made.triggers), tidy_settings(made.settings))
        return self

    @property
    def app(self):
        return App(self.name, "dev", (self.handler,))

    @property
    def ref(self):
        return self.app.ref(self.aws, "price")

    def packages(self):
        import sys

        artifact = build(Slice(self.code), "price", python=f"3.{sys.version_info[1]}")
        return {"price": Package(artifact.zip, artifact.code_sha256, artifact.manifest["python"])}

    def deploy(self):
        return engine.deploy(self.app, self.packages, self.aws)

    def plan(self):
        return engine.plan(self.app, self.packages, self.aws)

    def delete(self):
        return engine.delete(self.app, self.aws)

    def trigger(self, number=0):
        return self.handler.sources()[number]

    def send(self, number=0, **values):
        from nbchalice.events.send import send

        source, options = self.trigger(number)
        # A stream that is read from LATEST on does not deliver what came before the first look at it.
        tries, wait = (5, 10) if options.get("starting_position") == "LATEST" else (1, 60)
        for _ in range(tries):
            sent = send(self.aws, source, options, self.ref, wait=wait, **values)
            if sent.invocation is not None:
                break
        return sent

    def changes(self):
        return [(change.action, change.resource.kind) for change in self.deploy().changes]


@pytest.fixture(scope="session")
def connection(local_aws):
    from nbchalice.aws.target import connect

    return connect("local")


@pytest.fixture
def name():
    return f"x{uuid.uuid4().hex[:10]}"


@pytest.fixture
def deployable(connection):
    """``deployable("@app.schedule('rate(1 hour)')")``: deleted after the test."""
    made = []

    def make(text, body="print(event)"):
        made.append(Deployable(connection, f"s{uuid.uuid4().hex[:8]}", text, body))
        return made[-1]

    yield make
    for one in made:
        one.delete()


@pytest.fixture
def deployed(deployable):
    """As ``deployable``, and deployed."""

    def make(text, body="print(event)"):
        one = deployable(text, body)
        one.deploy()
        return one

    return make


@pytest.fixture
def no_writes(connection):
    """``with no_writes():`` nothing is written to AWS."""

    @contextmanager
    def check():
        before = len(connection.writes)
        yield
        assert connection.writes[before:] == []

    return check


@pytest.fixture
def real(connection):
    """A connection that looks like real AWS, where nothing is made for people."""

    class Real:
        region, account, partition, local = connection.region, connection.account, "aws", False
        client = staticmethod(connection.client)

    return Real()


@pytest.fixture
def registered():
    """``registered(lambda app: app.schedule(...))``: a handler that is not deployed."""

    def make(decorate):
        def price(event): ...

        made = decorate(Chalice("shop", configure_logs=False))(price)
        return Handler("price", "price", tuple(made.triggers), tidy_settings(made.settings))

    return make
