"""Objects of libraries and settings of a process, with everyday and doubtful ways to change them, as source text.

In what makes, changes and reads an object, ``@`` stands for its name.
"""

import importlib.util
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of object: how it is made and changed, and an expression for all of it that JSON can hold."""

    makes: list[str]
    changes: list[str]
    read: str


class Setting(NamedTuple):
    """Something that the process keeps: statements that set it, and an expression that tells what it is."""

    sets: list[str]
    read: str


def has(name):
    return importlib.util.find_spec(name) is not None


IMPORTS = """import abc, argparse, array, ast, asyncio, builtins, calendar, codecs, collections, configparser, contextlib, contextvars
import copy, csv, datetime, decimal, enum, fractions, functools, gc, graphlib, hashlib, heapq, io, itertools, json, locale
import logging, math, mimetypes, operator, os, pickle, pprint, queue, random, re, shutil, signal, socket, statistics, string
import struct, sys, tempfile, threading, time, types, warnings
import xml.etree.ElementTree as ET
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
"""
STEPS = [
    *["next(@)", "next(@, None)", "@.__next__()", "for q in @:\n    break", "print(*itertools.islice(@, 2))"],
    *[
        "list(zip(range(2), @))",
        "list(itertools.islice(@, 1))",
        "[next(@) for _ in range(2)]",
        "operator.length_hint(@)",
    ],
    *["first = next(@)", "getattr(@, '__next__')()", "while True:\n    q = next(@)\n    break", "iter(@)"],
    *["for q in zip(range(1), @):\n    pass", "(q for q in @)", "map(str, @)", "dict(zip('ab', @))"],
]
ENDS = [
    "2 in @",
    *["list(@)", "sum(1 for _ in @)", "first, *rest = @", "deque(@, maxlen=0)", "any(q is None for q in @)"],
    *["''.join(map(str, @))", "for q in @:\n    pass", "print(*@)", "set(map(str, @))", "sorted(map(str, @))"],
]
ITERATED = "[str(q) for q in itertools.islice(@, 3)]"
BUFFER = [
    *[
        "@.seek(0)",
        "@.read(1)",
        "@.readline()",
        "@.truncate(1)",
        "next(@)",
        "for line in @:\n    break",
        "@.readlines()",
    ],
    *["@.seek(0, 2)", "@.tell()", "@.getvalue()", "@.close()", "@.flush()", "@.read()", "list(@)"],
]
DEFINITIONS = """def numbers(n):
    total = 0
    for i in range(n):
        total += i
        yield total
def echo():
    got = None
    while True:
        got = yield got
class Tally:
    made = []
    def __init__(self, start=0):
        self.start, self.seen = start, []
    def __call__(self, q=1):
        self.seen.append(q)
    def __iadd__(self, q):
        self.seen.append(q)
        return self
    def __enter__(self):
        self.seen.append('in')
        return self
    def __exit__(self, *why):
        self.seen.append('out')
    @property
    def last(self):
        self.seen.append('read')
        return len(self.seen)
class Bag(dict):
    def __missing__(self, key):
        self[key] = len(self)
        return self[key]
class Late:
    def __get__(self, one, kind):
        one.__dict__.setdefault('late', []).append(1)
        return len(one.__dict__['late'])
class Lazy:
    value = Late()
@functools.lru_cache
def cached(q):
    CALLS.append(q)
    return q
CALLS = []
"""

KINDS = {
    "iterator": Kind(
        [
            *["iter([1, 2, 3, 4])", "zip('abc', range(9))", "map(str, range(5))", "enumerate('abcd')", "iter('hello')"],
            *[
                "reversed([1, 2, 3])",
                "itertools.chain([1], [2, 3])",
                "iter({'a': 1, 'b': 2})",
                "filter(None, range(5))",
            ],
            *["itertools.islice(range(9), 5)", "csv.reader(['a,b', 'c,d', 'e,f'])", "re.finditer('a', 'aaaa')"],
            *["itertools.accumulate([1, 2, 3])", "itertools.tee([1, 2, 3])[0]", "iter(range(5))", "iter((1, 2, 3))"],
            *["iter(dict(a=1, b=2).items())", "itertools.permutations('abc')", "itertools.product('ab', 'cd')"],
            *[
                "itertools.pairwise('abcd')",
                "itertools.zip_longest('abc', 'd')",
                "iter(deque([1, 2, 3]))",
                "iter(b'abc')",
            ],
            *["csv.DictReader(['a,b', '1,2', '3,4'])", "struct.iter_unpack('B', b'abcd')", "iter(memoryview(b'abc'))"],
            *["itertools.starmap(pow, [(2, 1), (3, 2)])", "itertools.takewhile(bool, [1, 2, 0])", "iter({1, 2, 3})"],
            *[
                "itertools.dropwhile(bool, [1, 0, 2])",
                "itertools.compress('abc', [1, 0, 1])",
                "iter(array.array('i', [1, 2]))",
            ],
            *[
                "itertools.combinations('abcd', 2)",
                "string.Formatter().parse('a{b}c{d}')",
                "ast.walk(ast.parse('a + 1'))",
            ],
            *["json.JSONEncoder().iterencode([1, [2]])", "iter(collections.UserList([1, 2]))", "iter(Counter('aab'))"],
            *[
                "reversed({'a': 1, 'b': 2})",
                "iter(collections.ChainMap({'a': 1}, {'b': 2}))",
                "iter(OrderedDict(a=1, b=2))",
            ],
        ],
        STEPS + ENDS,
        "re.sub('0x[0-9a-f]+', '', str(" + ITERATED + "))",
    ),
    "endless": Kind(
        [
            "itertools.count(2)",
            "itertools.cycle('abc')",
            "itertools.repeat('q', 5)",
            "itertools.cycle([1, 2])",
            "iter(int, 1)",
        ],
        STEPS,
        ITERATED,
    ),
    "generator": Kind(
        [
            *[
                "numbers(6)",
                "(q * 2 for q in range(6))",
                "(q for q in [1, 2, 3, 4])",
                "(q for r in 'ab' for q in r + 'z')",
            ],
            *[
                "numbers(3 + 1)",
                "(q for q in numbers(5))",
                "zip(numbers(5), numbers(5))",
                "itertools.chain(numbers(2), numbers(3))",
            ],
        ],
        [*STEPS, *ENDS, "@.close()", "@.send(None)"],
        ITERATED,
    ),
    "coroutine": Kind(["echo()"], ["next(@)", "@.send(None)", "@.send(3)", "@.send('z')", "@.close()"], "@.send(9)"),
    "random": Kind(
        ["random.Random(3)", "random.Random('seed')"],
        [
            *[
                "@.random()",
                "@.shuffle([1, 2, 3])",
                "@.seed(9)",
                "@.choice('abc')",
                "@.setstate(random.Random(1).getstate())",
            ],
            *["value = @.randint(1, 6)", "@.gauss(0, 1)", "@.sample(range(9), 3)", "@.getstate()", "@.getrandbits(8)"],
        ],
        "[@.random(), @.gauss(0, 1)]",
    ),
    "text": Kind(
        ["io.StringIO()", "io.StringIO('a\\nb\\nc\\n')", "io.StringIO('xyz', newline='')"],
        [
            *BUFFER,
            *[
                "@.write('w')",
                "print('p', file=@)",
                "@.writelines(['k'])",
                "csv.writer(@).writerow([1, 2])",
                "json.dump([1], @)",
            ],
            *[
                "with contextlib.redirect_stdout(@):\n    print('r')",
                "pprint.pprint([1], stream=@)",
                "sys.stdout.write('')",
            ],
            *[
                "shutil.copyfileobj(io.StringIO('z'), @)",
                "logging.StreamHandler(@).emit(logging.makeLogRecord({'msg': 'm'}))",
            ],
            *[
                "csv.DictWriter(@, ['a']).writeheader()",
                "writer = csv.writer(@)\nwriter.writerow('xy')",
                "@.name = 'n'",
            ],
            *["print('a', 'b', file=@, sep='')", "list(csv.reader(@))", "json.dump({}, fp=@)"],
            *["ast.parse(@.read())", "configparser.ConfigParser().write(@)", "with @ as q:\n    q.write('1')"],
        ],
        "[@.tell(), @.getvalue(), getattr(@, 'name', None)]",
    ),
    "bytes": Kind(
        ["io.BytesIO()", "io.BytesIO(b'a\\nb\\nc')"],
        [
            *BUFFER,
            *[
                "@.write(b'w')",
                "@.getbuffer()[0] = 65",
                "@.readinto(bytearray(1))",
                "pickle.dump(1, @)",
                "@.writelines([b'1'])",
            ],
            *[
                "shutil.copyfileobj(io.BytesIO(b'z'), @)",
                "io.TextIOWrapper(@).detach()",
                "struct.pack_into('B', @.getbuffer(), 0, 7)",
            ],
            *[
                "ET.ElementTree(ET.Element('a')).write(@)",
                "pickle.Pickler(@).dump([2])",
                "hashlib.file_digest(@, 'md5')",
            ],
        ],
        "[@.tell(), @.getvalue().hex()]",
    ),
    "queue": Kind(
        ["queue.Queue()", "queue.LifoQueue(3)", "queue.PriorityQueue()", "queue.SimpleQueue()", "asyncio.Queue()"],
        [
            *[
                "@.put_nowait(1)",
                "@.put_nowait(0)",
                "@.get_nowait()",
                "@.queue.append(3)",
                "@.queue.clear()",
                "@.maxsize = 1",
            ],
            *[
                "@.qsize()",
                "@.task_done()",
                "value = @.get_nowait()",
                "@.empty()",
                "@._queue.append(4)",
                "heapq.heappush(@.queue, 2)",
            ],
        ],
        "[@.qsize(), @.get_nowait() if @.qsize() else None, getattr(@, 'maxsize', 0), getattr(@, 'unfinished_tasks', 0)]",
    ),
    "deque": Kind(
        ["deque([1, 2, 3])", "deque([1, 2, 3], maxlen=3)", "deque()"],
        [
            *[
                "@.append(1)",
                "@.appendleft(2)",
                "@.rotate()",
                "@.extend('ab')",
                "@.popleft()",
                "@.clear()",
                "@[0] = 5",
                "del @[0]",
            ],
            *[
                "@ += [6]",
                "@.insert(1, 7)",
                "@.remove(2)",
                "@.reverse()",
                "@.pop()",
                "@.copy().append(1)",
                "@.__iadd__([8])",
            ],
            *[
                "operator.iadd(@, [9])",
                "@.extendleft([q for q in 'cd'])",
                "deque.append(@, 4)",
                "@ * 2",
                "list(map(@.append, 'ef'))",
            ],
        ],
        "[list(@), @.maxlen]",
    ),
    "mapping": Kind(
        [
            *["Counter('aab')", "defaultdict(list)", "OrderedDict(a=1, b=2)", "collections.UserDict(a=1)", "Bag()"],
            *[
                "collections.ChainMap({'a': 1}, {})",
                "defaultdict(int, a=1)",
                "defaultdict(lambda: 0)",
                "types.MappingProxyType({'a': 1})",
            ],
        ],
        [
            *[
                "@['c'] = 3",
                "@.update(a=5)",
                "@.pop('a')",
                "@['q']",
                "@.setdefault('r', 1)",
                "del @['a']",
                "@.clear()",
                "@ |= {'k': 1}",
            ],
            *[
                "@.popitem()",
                "@.move_to_end('a')",
                "@.subtract('a')",
                "@['z'].append(1)",
                "@['n'] += 1",
                "@.get('g')",
                "@.keys()",
            ],
            *[
                "@.maps.append({'m': 1})",
                "@.default_factory = None",
                "@.most_common()",
                "@.elements()",
                "list(@.items())",
                "@.extra = 1",
            ],
            *[
                "operator.setitem(@, 's', 2)",
                "@.__setitem__('t', 4)",
                "'{q}'.format_map(@)",
                "@ | {'v': 1}",
                "operator.itemgetter('w')(@)",
            ],
            *["dict.update(@, x=1)", "'%(y)s' % @", "sum(@[q] for q in 'lm')", "@.data['d'] = 1"],
        ],
        "[[str(q) for q in @.items()], str(getattr(@, 'maps', '')), getattr(@, 'extra', 0), str(getattr(@, 'default_factory', 0))[:9]]",
    ),
    "date": Kind(
        ["datetime.date(2024, 1, 31)", "datetime.datetime(2024, 1, 1, 12)", "datetime.timedelta(1)"],
        [
            *[
                "@ = @ + datetime.timedelta(days=1)",
                "@ += datetime.timedelta(2)",
                "@ = @.replace(day=1)",
                "@.isoformat()",
            ],
            *["@.strftime('%Y')", "@ = max(@, datetime.date(2024, 2, 1))", "@ -= datetime.timedelta(3)", "str(@)"],
        ],
        "str(@)",
    ),
    "bytearray": Kind(
        ["bytearray(b'abc')", "array.array('B', [1, 2, 3])", "memoryview(bytearray(b'xyz'))"],
        [
            *[
                "@[0] = 65",
                "@.append(66)",
                "@.extend([67])",
                "@.reverse()",
                "@.pop()",
                "@ += @[:1]",
                "struct.pack_into('B', @, 1, 9)",
            ],
            *[
                "io.BytesIO(b'q').readinto(@)",
                "memoryview(@)[1] = 7",
                "del @[0]",
                "@[1:2] = @[:1]",
                "@.byteswap()",
                "@.insert(0, 1)",
            ],
            *["@.hex()", "array.array.append(@, 2)", "random.Random(1).shuffle(@)", "heapq.heapify(list(@))"],
        ],
        "[type(@).__name__, list(@)]",
    ),
    "object": Kind(
        [
            *[
                "types.SimpleNamespace(a=1)",
                "argparse.Namespace(b=2)",
                "Tally()",
                "Tally([1])",
                "threading.local()",
                "Lazy()",
            ],
            *[
                "functools.partial(Tally)",
                "configparser.ConfigParser()",
                "ET.fromstring('<a b=\"1\"><c/></a>')",
                "type('K', (), {})",
            ],
            *[
                "logging.Logger('own')",
                "decimal.Context(prec=4)",
                "contextvars.ContextVar('v', default=0)",
                "hashlib.md5(b'a')",
            ],
            *[
                "collections.UserList([1])",
                "string.Template('$a')",
                "graphlib.TopologicalSorter({'a': ['b']})",
                "codecs.getincrementaldecoder('utf-8')()",
            ],
            *[
                "re.compile('a')",
                "calendar.TextCalendar()",
                "enum.Enum('E', 'A B')",
                "ast.parse('a = 1')",
                "email_message()",
                "json.JSONEncoder()",
            ],
        ],
        [
            *[
                "@.a = 2",
                "@.b = [1]",
                "setattr(@, 'c', 3)",
                "vars(@)['d'] = 4",
                "del @.a",
                "@()",
                "@(5)",
                "@ += 1",
                "@.last",
                "@.value",
            ],
            *[
                "with @:\n    pass",
                "with @ as q:\n    q(3)",
                "Tally.made.append(1)",
                "@.seen.append(9)",
                "@.made.append(2)",
                "@.set('w', 'x')",
            ],
            *[
                "@.read_string('[s]\\nk = 1')",
                "@['t'] = {'k': '2'}",
                "@.add_section('u')",
                "@.append(ET.Element('d'))",
                "@.text = 'x'",
                "@.set(4)",
            ],
            *[
                "@.setLevel(30)",
                "@.addFilter(print)",
                "@.prec = 6",
                "@.create_decimal('1.23456')",
                "@.divide(1, 3)",
                "@.update(b'c')",
                "@.clear()",
            ],
            *[
                "@.disabled = True",
                "@.propagate = False",
                "@.add('z', 'y')",
                "@.prepare()",
                "@.decode(b'\\xe2')",
                "@.setfirstweekday(6)",
                "@.sort()",
            ],
            *[
                "@.body.append(ast.Pass())",
                "@.addHandler(logging.NullHandler())",
                "@.flags[decimal.Inexact] = 1",
                "@.traps[decimal.Inexact] = True",
            ],
            *[
                "@.__dict__.update(e=5)",
                "object.__setattr__(@, 'f', 6)",
                "hasattr(@, 'last')",
                "getattr(@, 'value', 0)",
                "@.sort_keys = True",
            ],
            *[
                "Tally.late = 1",
                "Tally.__call__ = lambda self, q=1: self.seen.append(-q)",
                "@.__class__.kept = 7",
                "@.keywords['start'] = 8",
            ],
        ],
        "state_of(@)",
    ),
    "cached": Kind(
        [
            "cached",
            "functools.cached_property(len)",
            "Tally(3).__call__",
            "[].append",
            "functools.partial(CALLS.append, 2)",
        ],
        [
            "@(1)",
            "@(2)",
            "@.cache_clear()",
            "CALLS.clear()",
            "CALLS.append(3)",
            "@.__self__",
            "list(map(@, [4]))",
            "@.extra = 1",
        ],
        "[str(CALLS), getattr(getattr(@, '__self__', 0), '__dict__', 0), getattr(@, 'extra', 0)]",
    ),
}
DEFINITIONS += """def email_message():
    import email.message
    return email.message.EmailMessage()
def state_of(q):
    told = [sorted((k, str(v)) for k, v in getattr(q, '__dict__', {}).items() if k != 'manager' and not k.startswith('__')), str(Tally.made), str(vars(Tally).get('late'))]
    for name in ['prec', 'flags', 'traps', 'text', 'tag', 'attrib', 'level', 'pattern', 'firstweekday', 'keywords']:
        told.append(str(getattr(q, name, None)))
    for way in [ast.dump, lambda q: ET.tostring(q).decode(), lambda q: q.hexdigest(), lambda q: q.getstate(), lambda q: q.get(),
                lambda q: {k: dict(v) for k, v in q.items()}, lambda q: q.getEffectiveLevel(), lambda q: q.as_string(), lambda q: list(q),
                lambda q: Tally.__call__(q, 5) or q.seen, lambda q: q.is_active(), lambda q: q.kept]:
        try:
            told.append(str(way(q)))
        except Exception as error:
            told.append(type(error).__name__)
    return told
"""

SETTINGS = [
    Setting(
        [
            *[
                "decimal.getcontext().prec = 5",
                "decimal.setcontext(decimal.Context(prec=4))",
                "context = decimal.getcontext()\ncontext.prec = 7",
            ],
            *[
                "decimal.getcontext().rounding = decimal.ROUND_UP",
                "with decimal.localcontext() as inner:\n    inner.prec = 3",
            ],
            *[
                "setattr(decimal.getcontext(), 'prec', 8)",
                "decimal.getcontext().traps[decimal.Inexact] = True",
                "decimal.getcontext().clear_traps()",
            ],
        ],
        "str(decimal.Decimal(2) / 3)",
    ),
    Setting(
        [
            *[
                "os.environ['APP_MODE'] = 'x'",
                "os.environ.update(APP_MODE='y')",
                "os.environ.setdefault('APP_MODE', 'z')",
                "os.environ |= {'APP_MODE': 'o'}",
            ],
            *[
                "env = os.environ\nenv['APP_MODE'] = 'e'",
                "os.environ.pop('APP_MODE', None)",
                "operator.setitem(os.environ, 'APP_MODE', 's')",
            ],
            *[
                "put = os.environ.__setitem__\nput('APP_MODE', 'b')",
                "os.environ.clear()",
                "globals()['os'].environ['APP_MODE'] = 'g'",
            ],
        ],
        "os.environ.get('APP_MODE')",
    ),
    Setting(
        [
            "sys.setrecursionlimit(2500)",
            "limit = 2600\nsys.setrecursionlimit(limit)",
            "set_limit = sys.setrecursionlimit\nset_limit(2700)",
        ],
        "sys.getrecursionlimit()",
    ),
    Setting(
        [
            *[
                "warnings.simplefilter('error')",
                "warnings.filterwarnings('error', message='loud')",
                "warnings.resetwarnings()",
            ],
            *[
                "with warnings.catch_warnings():\n    warnings.simplefilter('error')",
                "warnings.filters.insert(0, ('error', None, UserWarning, None, 0))",
            ],
        ],
        "loud()",
    ),
    Setting(
        [
            *[
                "logging.getLogger('app').setLevel(logging.ERROR)",
                "log = logging.getLogger('app')\nlog.setLevel(10)",
                "logging.disable(30)",
            ],
            *[
                "logging.getLogger().setLevel(50)",
                "logging.getLogger('app').propagate = False",
                "logging.root.setLevel(20)",
            ],
            *[
                "logging.basicConfig(level=10)",
                "logging.getLogger('app').addFilter(lambda record: False)",
                "logging.addLevelName(35, 'ODD')",
            ],
            *[
                "logging.captureWarnings(True)",
                "logging.getLogger('app').addHandler(logging.NullHandler())",
                "logging.raiseExceptions = False",
            ],
        ],
        "[logging.getLogger('app').isEnabledFor(n) for n in (10, 20, 30, 40)] + [logging.getLogger('app').propagate, len(logging.getLogger('app').filters), len(logging.getLogger('app').handlers), logging.getLevelName(35)]",
    ),
    Setting(
        ["csv.field_size_limit(1000)", "csv.register_dialect('semi', delimiter=';')", "csv.unregister_dialect('unix')"],
        "[csv.field_size_limit(), sorted(csv.list_dialects())]",
    ),
    Setting(
        [
            "socket.setdefaulttimeout(3)",
            "sys.setswitchinterval(0.01)",
            "gc.disable()",
            "gc.set_threshold(500)",
            "gc.freeze()",
        ],
        "[socket.getdefaulttimeout(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold()]",
    ),
    Setting(
        [
            "calendar.setfirstweekday(6)",
            "sys.set_int_max_str_digits(5000)",
            "mimetypes.add_type('text/odd', '.odd')",
            "threading.stack_size(65536)",
        ],
        "[calendar.firstweekday(), sys.get_int_max_str_digits(), mimetypes.guess_type('a.odd')[0]]",
    ),
    Setting(
        [
            "ET.register_namespace('z', 'http://z')",
            "os.umask(0o27)",
        ],
        "[ET.tostring(ET.Element('{http://z}a')).decode(), odd()]",
    ),
    Setting(
        [
            "json.JSONEncoder.default = lambda self, q: 'd'",
            "json.dumps = lambda q: 'patched'",
            "math.tau = 7",
            "string.digits = '01'",
            "builtins.extra = 5",
        ],
        "[math.tau, string.digits, getattr(builtins, 'extra', 0), dumped()]",
    ),
    Setting(
        ["os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()", "os.environ['TZ'] = 'UTC'", "time.tzset()"],
        "time.strftime('%H', time.localtime(0))",
    ),
    Setting(
        ["locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')"],
        "locale.setlocale(locale.LC_ALL)",
    ),
    Setting(
        [
            "sys.path.append('/nowhere')",
            "sys.modules['made'] = types.ModuleType('made')",
            "sys.modules['made'] = json",
            "sys.argv.append('--x')",
            "sys.stdout = io.StringIO()",
        ],
        "['/nowhere' in sys.path, 'made' in sys.modules, '--x' in sys.argv, type(sys.stdout).__name__]",
    ),
    Setting(
        [
            "random.seed(1)",
            "random.random()",
            "random.shuffle([1, 2, 3])",
            "random.setstate(random.Random(2).getstate())",
            "value = random.random()",
            "random.seed('a')",
        ],
        "random.random()",
    ),
]
DEFINITIONS += """def loud():
    try:
        warnings.warn('loud')
    except UserWarning:
        return 'raised'
    return 'quiet'
def odd():
    try:
        return '\\xe4'.encode('ascii', 'odd').decode()
    except LookupError:
        return None
def dumped():
    try:
        return json.dumps({1, 2})
    except TypeError:
        return None
"""

if has("numpy"):
    IMPORTS += "import numpy as np\n"
    KINDS["array"] = Kind(
        [
            *[
                "np.arange(6)",
                "np.zeros(4)",
                "np.array([3, 1, 2])",
                "np.linspace(0, 1, 5)",
                "np.arange(6).reshape(2, 3)",
                "np.array([[1], 'a'], dtype=object)",
            ],
            *[
                "np.array([1, 2, 3], dtype='int8')",
                "np.ma.masked_array([1, 2, 3], [0, 1, 0])",
                "np.array(5.0)",
                "np.eye(2)[:, 0]",
                "np.array(['a', 'b'])",
            ],
            *[
                "np.rec.array([(1, 2.0)], dtype=[('a', int), ('b', float)])",
                "np.arange(6)[::2]",
                "np.array(['2024-01-01'], dtype='M8[D]')",
                "np.matrix('1 2')",
            ],
        ],
        [
            *[
                "@[0] = 9",
                "@ += 1",
                "@.sort()",
                "@.fill(3)",
                "np.add(@, 1, out=@)",
                "np.cumsum(@, out=@)",
                "@[:] = 5",
                "np.put(@, [0], 7)",
                "np.copyto(@, 4)",
            ],
            *[
                "@.flat[1] = 8",
                "@.reshape(-1)[2] = 6",
                "@.T[0] = 5",
                "np.random.default_rng(3).shuffle(@)",
                "@.setflags(write=False)",
                "@.resize(3)",
                "@.put([1], 5)",
            ],
            *[
                "@.partition(1)",
                "np.place(@, @ > 1, [9])",
                "np.clip(@, 0, 2, out=@)",
                "@.view()[1] = 4",
                "np.asarray(@)[0] = 2",
                "np.ravel(@)[1] = 3",
                "@.shape = (3, 2)",
            ],
            *[
                "np.fill_diagonal(@, 7)",
                "@[@ > 2] = 0",
                "@ = @ * 2",
                "np.multiply(@, 2, @)",
                "np.sort(@)",
                "@.copy().fill(1)",
                "@.astype(float).fill(2)",
                "np.random.RandomState(1).shuffle(@)",
            ],
            *[
                "for q in @:\n    q += 1",
                "for q in np.nditer(@, op_flags=['readwrite']):\n    q[...] = 1",
                "@[0] = np.ma.masked",
                "np.negative.at(@, [0])",
                "np.add.at(@, 0, 5)",
                "@.a[0] = 4",
            ],
            *[
                "memoryview(@)[0] = 6",
                "@[..., 0] -= 2",
                "np.nan_to_num(@, copy=False)",
                "np.putmask(@, @ == 1, 6)",
                "@.flags.writeable = False",
                "np.maximum(@, 2, out=@[:])",
                "@.dtype = 'u1'",
            ],
            *[
                "np.frombuffer(@, dtype=@.dtype)[0]",
                "np.take(@, [0], out=@[:1])",
                "@.mean()",
                "@.byteswap(inplace=True)",
                "np.ndarray.sort(@)",
                "@.__setitem__(0, 3)",
                "@[0].__iadd__(1)",
                "@.mask = [1, 0, 0]",
            ],
        ],
        "[str(@.tolist()), str(@.shape), str(@.dtype), @.flags.writeable, type(@).__name__, str(np.ma.getmaskarray(@).tolist())]",
    )
    KINDS["numpy random"] = Kind(
        [
            "np.random.default_rng(4)",
            "np.random.RandomState(5)",
            "np.random.Generator(np.random.MT19937(3))",
            "np.random.SeedSequence(7)",
            "np.random.PCG64(2)",
        ],
        [
            "@.random()",
            "@.normal()",
            "@.shuffle([1, 2, 3])",
            "@.bit_generator.advance(3)",
            "@.rand(2)",
            "@.seed(2)",
            "value = @.integers(0, 9)",
            "@.choice([1, 2])",
            "@.spawn(2)",
            "@.bit_generator.random_raw()",
            "np.random.Generator(@).random()",
            "@.randn()",
            "@.jumped()",
            "@.permutation(3)",
        ],
        "[str(getattr(@, name)(3)) for name in ('random', 'rand', 'generate_state', 'random_raw', 'standard_normal') if hasattr(@, name)]",
    )
    KINDS["numpy iterator"] = Kind(
        [
            "iter(np.arange(4))",
            "np.ndenumerate(np.arange(3))",
            "np.arange(4).flat",
            "np.nditer([1, 2, 3])",
            "np.ndindex(2, 2)",
        ],
        STEPS + ENDS,
        ITERATED,
    )
    SETTINGS.append(
        Setting(
            [
                "np.seterr(all='raise')",
                "np.set_printoptions(precision=2)",
                "with np.errstate(all='raise'):\n    pass",
                "with np.printoptions(precision=1):\n    pass",
            ],
            "[str(np.geterr()), np.get_printoptions()['precision']]",
        )
    )
    SETTINGS.append(
        Setting(
            [
                "np.random.seed(1)",
                "np.random.rand(2)",
                "np.random.shuffle([1, 2, 3])",
                "value = np.random.rand()",
                "np.random.set_state(np.random.RandomState(8).get_state())",
            ],
            "np.random.rand()",
        )
    )
    KINDS["text"].changes.append("np.savetxt(@, [1.0])")

if has("numpy") and has("pandas"):
    IMPORTS += "import pandas as pd\n"
    KINDS["frame"] = Kind(
        [
            *[
                "pd.DataFrame({'a': [3, 1, 2], 'b': [1.5, None, 2.5]})",
                "pd.DataFrame({'a': [1, 1, 2], 'b': ['x', 'y', None]})",
                "pd.DataFrame(np.eye(3), columns=list('abc'))",
            ],
            *[
                "pd.read_csv(io.StringIO('a,b\\n1,2\\n3,4'))",
                "pd.DataFrame({'a': pd.Categorical(['u', 'v', 'u']), 'b': [[1], [2], [3]]})",
                "pd.DataFrame({'a': pd.date_range('2024', periods=3)})",
            ],
            *[
                "pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6]}).iloc[:2]",
                "pd.DataFrame({'a': [1, 2, 3]}, index=pd.MultiIndex.from_product([['x'], [1, 2, 3]]))",
                "pd.DataFrame()",
            ],
        ],
        [
            *[
                "@['c'] = @['a'] * 2",
                "@.loc[0, 'a'] = 10",
                "@.fillna(0, inplace=True)",
                "@.sort_values('a', inplace=True)",
                "@.drop(columns='b', inplace=True)",
                "@.insert(0, 'n', 1)",
            ],
            *[
                "@.pop('b')",
                "@.rename(columns={'a': 'z'}, inplace=True)",
                "@.reset_index(drop=True, inplace=True)",
                "@.columns = ['p', 'q']",
                "@.index = [5, 6, 7]",
                "@.attrs['unit'] = 'kg'",
            ],
            *[
                "del @['b']",
                "@.at[1, 'a'] = 4",
                "@.iat[0, 0] = 7",
                "@['a'] += 1",
                "@.iloc[1] = 0",
                "@.update(pd.DataFrame({'a': [9, 9, 9]}))",
                "@.drop_duplicates('a', inplace=True)",
            ],
            *[
                "@.set_index('a', inplace=True)",
                "@.eval('d = a + 1', inplace=True)",
                "@.query('a > 1', inplace=True)",
                "@.index.name = 'i'",
                "@.columns.name = 'cols'",
                "@.head()",
                "@.describe()",
            ],
            *[
                "@.flags.allows_duplicate_labels = False",
                "@.where(@ > 1, 0, inplace=True)",
                "@.clip(upper=2, inplace=True)",
                "@.replace(1, 100, inplace=True)",
                "@.dropna(inplace=True)",
            ],
            *[
                "@ = @.assign(e=1)",
                "@['b'].iloc[0].append(4)",
                "@.sort_index(ascending=False, inplace=True)",
                "@.columns.values[0] = 'w'",
                "@['a'].to_numpy()[0] = 5",
                "@.groupby('a').size()",
            ],
            *[
                "@.b = 5",
                "@.extra = 6",
                "@['a'].fillna(0, inplace=True)",
                "@[@['a'] > 1] = 0",
                "@.loc[len(@)] = 1",
                "@.apply(print)",
                "@.index.rename('r', inplace=True)",
                "@.set_flags(allows_duplicate_labels=False)",
            ],
            *[
                "for _, row in @.iterrows():\n    row['a'] = 0",
                "@.iloc[:, 0].values[0] = 3",
                "@['a'].cat.rename_categories(['m', 'n'])",
                "@.__setitem__('f', 2)",
                "@.mask(@ == 1, 5, inplace=True)",
                "@.interpolate(inplace=True)",
            ],
            *[
                "@.ffill(inplace=True)",
                "@['a'].attrs['k'] = 1",
                "pd.DataFrame.insert(@, 0, 'g', 1)",
                "@['a'] = @['a'].astype(float)",
                "@.index.names = ['k']",
                "@._mgr.blocks[0].values[0] = 2",
                "@.to_csv()",
                "@.rename_axis('x', inplace=True)",
            ],
        ],
        "[repr(@.to_dict('split')), str(@.attrs), str(@.index.names), str(@.dtypes.to_dict()), str(@.columns.name), @.flags.allows_duplicate_labels, getattr(@, 'extra', 0)]",
    )
    KINDS["series"] = Kind(
        [
            *[
                "pd.Series([3, 1, 2])",
                "pd.Series(['a', 'b'], name='s')",
                "pd.Series(pd.date_range('2024-01-01', periods=3))",
                "pd.Series(['a', 'b', 'a']).astype('category')",
                "pd.Series([1, 2], dtype='Int64')",
            ],
            *[
                "pd.Series([[1], {2: 3}])",
                "pd.Index([1, 2, 3])",
                "pd.Series(range(3), index=list('xyz'))",
                "pd.date_range('2024-01-01', periods=3)",
                "pd.array([1, None], dtype='Int64')",
                "pd.Categorical(['b', 'a'])",
            ],
        ],
        [
            *[
                "@[0] = 5",
                "@.sort_values(inplace=True)",
                "@.name = 't'",
                "@.index = list('abc')",
                "@.iloc[0] = 1",
                "@.update(pd.Series([7]))",
                "@.drop(0, inplace=True)",
                "@.pop(0)",
                "@.rename('r', inplace=True)",
            ],
            *[
                "@.attrs['u'] = 1",
                "@.loc[9] = 4",
                "@.clip(1, 2, inplace=True)",
                "@.index.name = 'k'",
                "@ += 1",
                "@.fillna(0, inplace=True)",
                "@.value_counts()",
                "@.iloc[0].append(3)",
                "@.replace(1, 6, inplace=True)",
            ],
            *[
                "@.values[0] = 2",
                "@.to_numpy()[0] = 3",
                "@[@ == 1] = 9",
                "@ = @.map(str)",
                "@.freq = None",
                "@.index.freq = None",
                "@.where(@ == 1, 0, inplace=True)",
                "@.at[1] = 8",
                "@.mode()",
                "@.extra = 2",
                "@.names = ['n']",
            ],
        ],
        "[repr(getattr(@, 'to_dict', @.tolist)()), str(getattr(@, 'name', 0)), str(@.dtype), str(getattr(@, 'attrs', 0)), str(getattr(getattr(@, 'index', 0), 'name', 0)), str(getattr(@, 'freq', 0)), getattr(@, 'extra', 0), str(getattr(@, 'categories', 0))]",
    )
    KINDS["frame iterator"] = Kind(
        [
            "pd.DataFrame({'a': [1, 2, 3]}).iterrows()",
            "pd.DataFrame({'a': [1, 2, 3]}).itertuples()",
            "iter(pd.Series([1, 2, 3]))",
            "pd.DataFrame({'a': [1, 2]}).items()",
            "iter(pd.DataFrame({'a': [1, 2]}).groupby('a'))",
        ],
        STEPS + ENDS,
        ITERATED,
    )
    SETTINGS.append(
        Setting(
            [
                "pd.set_option('display.max_rows', 7)",
                "pd.options.display.precision = 2",
                "pd.reset_option('display.max_rows')",
                "with pd.option_context('display.max_rows', 3):\n    pass",
                "options = pd.options.display\noptions.width = 33",
            ],
            "[pd.get_option('display.max_rows'), pd.get_option('display.precision'), pd.get_option('display.width')]",
        )
    )
    KINDS["text"].changes.append("pd.Series([1]).to_csv(@)")
