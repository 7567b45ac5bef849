"""What handlers answer, see and write is what AWS's own runtime client for Python makes of them, byte for byte."""

import base64
import json
import sys

import pytest

bootstrap = pytest.importorskip("awslambdaric.bootstrap")
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller  # noqa: E402

R = "11111111-aaaa-4aaa-8aaa-111111111111"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
HEAD = """
import collections, dataclasses, datetime, decimal, enum, fractions, json, math, os, pathlib, typing, uuid
D = decimal.Decimal
Point = collections.namedtuple("Point", "x y")
class Typed(typing.NamedTuple):
    name: str
    size: int = 3
class Level(enum.IntEnum):
    LOW = 1
class Word(str, enum.Enum):
    YES = "y"
class Colour(enum.Enum):
    RED = 1
class Text(str):
    pass
class Dict(dict):
    pass
@dataclasses.dataclass
class Data:
    a: int = 1
class WithJson:
    def for_json(self): return [1]
class WithDict:
    def _asdict(self): return {"as": "dict"}
circle = []; circle.append(circle)
deep = []
for _ in range(100_000): deep = [deep]
def handler(event, context):
    {}
"""
ANSWERS = {
    "nothing": "pass",
    "a text": "return 'ok'",
    "letters of elsewhere": "return 'Grüße, 東京 \U0001f600 \\u2028'",
    "a control character": "return 'a\\x00b\\x7f\\n'",
    "half of a surrogate pair": "return '\\ud83d'",
    "numbers": "return [1, 1.0, 1e100, -0.0, 10**40, True, None]",
    "numbers that JSON has not": "return [math.nan, math.inf, -math.inf]",
    "decimals": "return [D('1.10'), D('1E+3'), D('0.000001'), D('-0')]",
    "decimals that are none": "return [D('NaN'), D('-sNaN')]",
    "an infinite decimal": "return D('Infinity')",
    "a decimal as a key": "return {D('1.10'): 1}",
    "tuples": "return (1, (2,))",
    "a named tuple": "return Point(1, 2)",
    "a typed named tuple": "return {'all': [Typed('a'), Typed('b', 4)]}",
    "an integer enumeration": "return [Level.LOW, {Level.LOW: 1}]",
    "an enumeration of texts": "return [Word.YES, {Word.YES: 1}]",
    "another enumeration": "return Colour.RED",
    "a text of a class": "return Text('a')",
    "a dictionary of a class": "return Dict(a=1)",
    "ordered": "return collections.OrderedDict([('b', 1), ('a', 2)])",
    "counted": "return collections.Counter('aab')",
    "a default dictionary": "return collections.defaultdict(list, a=[1])",
    "keys that are no texts": "return {1: 'a', 2.5: 'b', True: 'c', None: 'd'}",
    "a key that is a tuple": "return {(1, 2): 3}",
    "a key twice": "return {1: 'a', '1': 'b'}",
    "bytes": "return b'\\x00\\xff raw'",
    "bytes inside": "return {'a': b'text'}",
    "bytes inside that are no text": "return {'a': b'\\xff'}",
    "a bytearray": "return bytearray(b'abc')",
    "a set": "return {1}",
    "a generator": "return (n for n in range(3))",
    "a range": "return range(3)",
    "views": "return {'a': 1}.keys()",
    "a date": "return datetime.date(2024, 1, 2)",
    "a UUID": "return uuid.UUID(int=1)",
    "a path": "return pathlib.Path('/tmp')",
    "a fraction": "return fractions.Fraction(1, 3)",
    "a data class": "return Data()",
    "an object that knows JSON": "return WithJson()",
    "an object that knows its dictionary": "return WithDict()",
    "a circle": "return circle",
    "a very deep list": "return deep",
    "a function": "return print",
    "an exception": "return ValueError('no')",
    "an exception that is raised": "raise ValueError('no', 2)",
    "an exception without a text": "raise KeyError",
    "an exception of several lines": "raise RuntimeError('one\\ntwo')",
    "the event": "return event",
    "the context": "return [context.function_version, context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id, context.tenant_id, context.client_context]",
}


class Posted:
    """Takes what the runtime client would send to Lambda."""

    def __init__(self):
        self.marshaller = LambdaMarshaller()

    def post_invocation_result(self, invoke_id, result, *_):
        self.answer = (None, result if isinstance(result, bytes) else result.encode())

    def post_invocation_error(self, invoke_id, error, *_):
        document = json.loads(error)
        self.answer = (document["errorType"], document["errorMessage"])


class Sink:
    def log_error(self, lines):
        pass


def on_lambda(code, event, monkeypatch, **more):
    """Return what AWS's runtime client makes of a handler: error type or None, and the bytes or the error's message."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", f"AWS_Lambda_python3.{sys.version_info[1]}")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    names = {}
    exec(code, names)
    posted = Posted()
    client = json.dumps(more["client"]) if more else None
    arguments = posted, names["handler"], R, json.dumps(event).encode(), "application/json", client, None, ARN, 0, None
    bootstrap.handle_event_request(*arguments, Sink())
    return posted.answer


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_the_one_that_lambda_gives(kind, functions, aws, monkeypatch):
    code, event = HEAD.replace("{}", ANSWERS[kind]), {"ä": [1.50, None, {"b": "c"}]}
    expected = on_lambda(code, event, monkeypatch)
    name = functions.make(code)
    got = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    payload = got["Payload"].read()
    if expected[0] is None:
        assert ("FunctionError" not in got, payload) == (True, expected[1])
    else:
        document = json.loads(payload)
        assert (document["errorType"], document["errorMessage"]) == expected
        assert got["FunctionError"] == "Unhandled"


def test_there_are_enough_of_them(record_property):
    assert len(set(ANSWERS.values())) >= 40
    record_property("tried", ["handlers run here and by AWS's runtime client for Python", len(ANSWERS)])


def test_a_client_context_reaches_the_handler_as_on_lambda(functions, aws, monkeypatch):
    line = "c = context.client_context; return [c.custom, c.env, c.client.app_title, c.client.app_version_code]"
    code, given = HEAD.replace("{}", line), {"client": {"app_title": "Shop"}, "custom": {"a": 1}, "w3c": {}}
    expected = on_lambda(code, {}, monkeypatch, client=given)
    header = base64.b64encode(json.dumps(given).encode()).decode()
    name = functions.make(code)
    got = aws("lambda").invoke(FunctionName=name, Payload="{}", ClientContext=header)
    assert (None, got["Payload"].read()) == expected == (None, b'[{"a": 1}, null, "Shop", null]')
    refused = aws("lambda").exceptions.InvalidRequestContentException
    with pytest.raises(refused, match="Client context must be"):
        aws("lambda").invoke(FunctionName=name, Payload="{}", ClientContext="!")


def test_what_the_context_logs_and_what_is_printed_without_an_end_stands_in_the_log_in_order(functions):
    name = functions.make(
        "import os, sys\n"
        "def handler(event, context):\n"
        "    print('one', end='')\n"
        "    context.log('two')\n"
        "    print('three', end=' ')\n"
        "    print('four', file=sys.stderr)\n"
        "    print('five', end='')\n"
        "    os._exit(1)\n"
    )
    functions.invoke(name)
    text = "|".join(functions.log(name))
    places = [text.index(word) for word in ("one", "two", "three", "four", "five")]
    assert places == sorted(places)
