"""What a value is described by, and that describing it leaves it as it was."""

import abc
import array
import asyncio
import collections
import contextvars
import csv
import functools
import gc
import hashlib
import io
import itertools
import json
import queue
import random
import re
import subprocess
import sys
import threading
import types
import warnings
import weakref
import xml.etree.ElementTree as ET

import pytest

from nbchalice.notebook.sandbox.values import describe, differ, difference, not_compared, settled


def counted(limit=5):
    yield from range(limit)


def looped():
    for name in iter("abc"):
        yield name.upper()


def unnamed():
    for _ in iter("abcd"):
        yield 1


class Box:
    def __init__(self, content):
        self.content = content


MAKERS = {
    "list iterator": (lambda: iter([1, 2, 3]), next),
    "set iterator": (lambda: iter({1, 2, 3}), next),
    "dict iterator": (lambda: iter({"a": 1, "b": 2}.items()), next),
    "reversed": (lambda: reversed([1, 2, 3]), next),
    "zip": (lambda: zip("abc", "def", strict=False), next),
    "map": (lambda: map(str, [1, 2]), next),
    "filter": (lambda: filter(None, [1, 2]), next),
    "enumerate": (lambda: enumerate("abc"), next),
    "sentinel": (lambda: iter(iter([1, 2, 0]).__next__, 0), lambda it: list(it)),
    "finditer, finished": (lambda: re.finditer("a", "aa"), lambda it: list(it)),
    "count": (itertools.count, next),
    "chain": (lambda: itertools.chain([1], [2]), next),
    "islice": (lambda: itertools.islice(iter([1, 2, 3]), 2), next),
    "generator": (counted, next),
    "generator, further": (lambda: started(counted()), next),
    "generator with a loop": (lambda: started(looped()), next),
    "generator with an unnamed loop": (lambda: started(unnamed()), next),
    "generator expression": (lambda: (i for i in [1, 2, 3]), next),
    "generator, finished": (counted, list),
    "csv reader": (lambda: csv.reader(["a,b", "c,d"]), next),
    "csv dict reader": (lambda: csv.DictReader(["a,b", "c,d", "e,f"]), next),
    "StringIO, position": (lambda: io.StringIO("a\nb"), lambda file: file.readline()),
    "StringIO, content": (io.StringIO, lambda file: print("x", file=file)),
    "BytesIO": (lambda: io.BytesIO(b"abc"), lambda file: file.read(1)),
    "closed file": (lambda: io.StringIO("a"), lambda file: file.close()),
    "bytearray": (lambda: bytearray(3), lambda data: data.__setitem__(0, 1)),
    "view": (lambda: memoryview(bytearray(3)), lambda view: view.release()),
    "array": (lambda: array.array("i", [1]), lambda data: data.append(2)),
    "deque": (lambda: collections.deque([1, 2]), lambda data: data.rotate()),
    "Random": (lambda: random.Random(1), lambda rng: rng.random()),
    "queue": (lambda: filled(queue.Queue()), lambda held: held.get()),
    "element": (lambda: ET.fromstring("<a><b/></a>"), lambda root: ET.SubElement(root, "c")),
    "element, deep": (lambda: ET.fromstring("<a><b/></a>"), lambda root: root[0].set("k", "1")),
    "namespace": (lambda: types.SimpleNamespace(a=1), lambda held: setattr(held, "a", 2)),
    "dict view": (lambda: {"a": 1}.keys(), lambda view: forced(view.mapping)),
    "defaultdict": (lambda: collections.defaultdict(list), lambda held: held["a"]),
    "ordered dict": (lambda: collections.OrderedDict(a=1, b=2), lambda held: held.move_to_end("a")),
    "UserDict": (lambda: collections.UserDict(a=1), lambda held: held.update(b=2)),
    "hash": (lambda: hashlib.sha256(b"a"), lambda held: held.update(b"b")),
    "method of a list": (lambda: [].append, lambda method: method(1)),
    "instance": (lambda: Box([1]), lambda box: box.content.append(2)),
    "event": (asyncio.Event, lambda event: event.set()),
    "local of a thread": (threading.local, lambda local: setattr(local, "a", 1)),
    "own local of a thread": (type("Own", (threading.local,), {}), lambda local: vars(local).update(a=1)),
    "module made by hand": (lambda: types.ModuleType("made"), lambda module: setattr(module, "a", 1)),
    "cached property": (lambda: functools.cached_property(len), lambda held: setattr(held, "extra", 1)),
    "class made of an abstract one": (
        lambda: type("Near", (abc.ABCMeta("Shape", (), {"__module__": "__main__"}),), {}),
        lambda kind: kind.register(int),
    ),
    "class made by types": (
        lambda: types.new_class("Made", (), {}, lambda space: space.update(rate=1)),
        lambda kind: setattr(kind, "rate", 2),
    ),
    "abstract class": (lambda: abc.ABCMeta("Shape", (), {"__module__": "__main__"}), lambda kind: kind.register(int)),
    "long list": (lambda: list(range(5000)), lambda held: held.__setitem__(4321, 0)),
    "long text": (lambda: ["a" * 500], lambda held: held.__setitem__(0, "a" * 499 + "b")),
    "long dict": (lambda: dict.fromkeys(range(5000)), lambda held: held.pop(4000)),
}


def started(iterator):
    next(iterator)
    return iterator


def filled(held):
    held.put(1)
    return held


def forced(proxy):
    gc.get_referents(proxy)[0]["b"] = 2


@pytest.mark.parametrize("kind", MAKERS)
def test_what_happened_to_an_object_is_seen(kind):
    make, use = MAKERS[kind]
    used = make()
    use(used)
    before = describe(make())
    assert json.loads(json.dumps(before)) == before
    assert not differ(before, describe(make())), "another of the same"
    found = difference(describe(used), before)
    assert found is not None
    assert not list(not_compared(before, before)) or "finditer" in kind


@pytest.mark.parametrize("kind", MAKERS)
def test_describing_changes_nothing(kind):
    make, use = MAKERS[kind]
    looked, other = make(), make()
    for _ in range(3):
        describe(looked)
    use(looked)
    use(other)
    assert not differ(describe(looked), describe(other))


@pytest.mark.slow
def test_a_mask_that_was_hardened_is_another():
    numpy = pytest.importorskip("numpy")
    soft, hard = (numpy.ma.masked_array([1, 2, 3], [0, 1, 0]) for _ in range(2))
    assert not differ(describe(soft), describe(hard))
    hard.harden_mask()  # from then on, hard[1] = 5 sets nothing
    assert differ(describe(soft), describe(hard))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas from 3.1 on
def test_numpy_and_pandas():
    import numpy as np
    import pandas as pd

    def frame(**more):
        names = [f"n{i}" for i in range(40)]
        times = pd.date_range("2024-01-01", periods=40, tz="UTC")
        held = pd.DataFrame({"a": range(40), "name": names, "kind": pd.Categorical(names), "at": times})
        held["lists"] = [[i] for i in range(40)]
        return held.assign(**more)

    makers = [
        (lambda: np.random.default_rng(1), lambda rng: rng.random()),
        (lambda: np.random.RandomState(1), lambda rng: rng.rand()),
        (lambda: np.array([1, 2]), lambda held: held.__setitem__(0, 2)),
        (lambda: np.array([1, 2]), lambda held: held.setflags(write=False)),
        (lambda: np.array(["a", None, [1]], dtype=object), lambda held: held[2].append(2)),
        (lambda: np.ma.array([1, 2], mask=[0, 1]), lambda held: held.mask.__setitem__(0, True)),
        (lambda: np.zeros((3, 4))[:, ::2], lambda held: held.__setitem__((0, 1), 2)),
        (frame, lambda held: held.sort_values("a", ascending=False, inplace=True)),
        (frame, lambda held: held["lists"][3].append(1)),
        (frame, lambda held: setattr(held.index, "name", "row")),
        (frame, lambda held: setattr(held.columns, "name", "column")),
        (frame, lambda held: held.attrs.update(unit="kg")),
        (lambda: frame()["a"], lambda held: setattr(held.index, "name", "row")),
        (lambda: frame().index, lambda held: setattr(held, "name", "row")),
        (lambda: frame().index, lambda held: setattr(held, "extra", 1)),
        (frame, lambda held: held.drop(columns="a", inplace=True)),
        (frame, lambda held: held.__setitem__("name", "x")),
        (frame, lambda held: held.__setitem__("at", held["at"].dt.tz_convert("Asia/Tokyo"))),
        (lambda: frame().set_index(["a", "name"]), lambda held: held.reset_index(inplace=True)),
        (lambda: frame()["a"], lambda held: held.__setitem__(30, -1)),
        (lambda: pd.Series([1], name="a"), lambda held: held.rename("b", inplace=True)),
    ]
    for number, (make, use) in enumerate(makers):
        used = make()
        use(used)
        assert not differ(describe(make()), describe(make())), number
        assert differ(describe(make()), describe(used)), number
    found = difference(describe(frame(a=1)), describe(frame()))
    assert found.path == "['a']"


def test_object_arrays_are_compared_by_what_they_hold_and_not_by_where_it_is():
    """Two that live at once: of two made one after the other the second often stands where the first stood."""
    import numpy as np
    import pandas as pd

    one, other = (np.array(["a", None, [1], {"k": 2.5}], dtype=object) for _ in range(2))
    assert not differ(describe(one), describe(other))
    assert not differ(describe(pd.Series(one)), describe(pd.Series(other)))
    assert not differ(describe(np.array([one, other], dtype=object)), describe(np.array([other, one], dtype=object)))
    other[2].append(2)
    assert difference(describe(one), describe(other)).path == "[2]"


def test_what_pandas_makes_on_demand_is_no_part_of_a_series_and_what_was_set_is():
    import pandas as pd

    asked, fresh = pd.Series(["1", "2"], name="a"), pd.Series(["1", "2"], name="a")
    _ = asked.str, asked.to_frame().columns
    assert not differ(describe(asked), describe(fresh))
    asked.to_numpy()[0] = "3"
    assert differ(describe(asked), describe(fresh))


@pytest.mark.slow
def test_an_option_of_pandas_counts_where_it_was_set_and_not_where_its_default_is_another():
    """In a kernel pandas shows 20 columns, in a terminal as many as fit in its width."""
    kernel = "import builtins, types; builtins.get_ipython = lambda: types.SimpleNamespace(kernel=1)"
    look = "import pandas as pd; {}; from nbchalice.notebook.sandbox.values.kept import kept; print(kept('pandas'), pd.options.display.max_columns)"

    def options(*lines):
        text = "; ".join([*lines[:-1], look.format(lines[-1])])
        return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()

    assert options(kernel, "pass") == ["[]", "20"] and options("pass") == ["[]", "0"]
    (name, *_), here = (
        options(kernel, "pd.options.display.max_columns = 7"),
        options("pd.options.display.max_columns = 7"),
    )
    assert "pandas.options.display.max_columns" in " ".join(here) and name != "[]"


class Restless:
    """Every look at it that can do something does."""

    looks = 0

    def _look(self, *_):
        Restless.looks += 1
        raise RuntimeError("looked at")

    __getattr__ = __reduce__ = __reduce_ex__ = __getstate__ = __repr__ = __eq__ = __hash__ = __iter__ = __len__ = _look
    __bool__ = __str__ = __format__ = __sizeof__ = __dir__ = _look
    here = property(_look)

    @functools.cached_property
    def kept(self):
        return self._look()


class RestlessList(list):
    __iter__ = __len__ = __getitem__ = __repr__ = Restless._look


class RestlessDict(dict):
    __iter__ = items = keys = __getitem__ = __repr__ = __missing__ = Restless._look


class RestlessText(str):
    __repr__ = __str__ = __len__ = __hash__ = Restless._look


@pytest.mark.parametrize("kind", [Restless, RestlessList, RestlessDict, RestlessText])
def test_no_code_of_the_notebook_runs(kind, monkeypatch):
    for one in (Restless, RestlessList, RestlessDict, RestlessText):
        monkeypatch.setattr(one, "__module__", "__main__")
    value = kind()
    value.__dict__["a"] = [1]
    first = describe([value, kind])
    value.__dict__["a"].append(2)
    assert differ(first, describe([value, kind]))
    assert Restless.looks == 0


@pytest.mark.slow
def test_what_holds_itself_and_what_is_large_or_deep_ends():
    cycle = []
    cycle.append(cycle)
    box = Box(None)
    box.content = {"box": box, "set": {1}}
    deep = 0
    for _ in range(10_000):
        deep = [deep]
    wide = [[i] for i in range(100_000)]
    node = ET.Element("a")
    for value in (cycle, box, deep, wide, node, types.MappingProxyType({"a": box})):
        assert len(json.dumps(describe(value))) < 5_000_000
        assert not differ(describe(value), describe(value))
    assert list(not_compared(describe(deep), describe(deep)))


def test_what_cannot_be_compared_is_told():
    class Client:
        def __init__(self):
            self.lock = threading.Lock()
            self.name = "x"

    value = {"condition": threading.Condition(), "file": sys.__stdout__, "client": [Client()], "a": 1}
    told = list(not_compared(describe(value), describe(value)))
    assert told == [("['condition']", "Condition"), ("['file']", "TextIOWrapper"), ("['client'][0]", "Client")]
    assert not differ(describe(value), describe({**value, "client": [Client()]}))


@pytest.mark.parametrize(
    "make",
    [
        threading.Lock,
        threading.RLock,
        functools.partial(threading.Semaphore, 2),
        functools.partial(threading.BoundedSemaphore, 2),
    ],
)
def test_whether_a_lock_is_held(make):
    free, held = make(), make()
    assert not differ(describe(free), describe(make()))
    held.acquire()
    assert differ(describe(free), describe(held))
    assert not list(not_compared(describe(held), describe(held)))
    held.release()
    assert not differ(describe(free), describe(held))


def test_how_often_a_lock_is_held_and_whether_an_event_is_set():
    once, twice, event = threading.RLock(), threading.RLock(), threading.Event()
    for lock in (once, twice, twice):
        lock.acquire()
    assert differ(describe(once), describe(twice))
    assert not differ(describe(event), describe(threading.Event()))
    event.set()
    assert differ(describe(event), describe(threading.Event()))


def test_the_order_of_an_array_and_the_frequency_of_dates():
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    rows = np.arange(6).reshape(2, 3)
    assert differ(describe(rows), describe(np.asfortranarray(rows)))
    assert not differ(describe(rows), describe(np.ascontiguousarray(np.asfortranarray(rows))))
    daily, loose = (pd.Series([1, 2, 3], index=pd.date_range("2020-01-01", periods=3)) for _ in range(2))
    assert not differ(describe(daily), describe(loose))
    loose.index.freq = None
    assert differ(describe(daily), describe(loose))
    assert differ(describe(daily.index), describe(loose.index))


@pytest.mark.parametrize(
    "make",
    [weakref.ref, lambda value: weakref.WeakSet([value]), lambda value: weakref.WeakValueDictionary(a=value)],
)
def test_what_a_weak_reference_leads_to(make):
    one, other = Box(1), Box(2)
    there, same, another, dead = make(one), make(one), make(other), make(Box(1))
    assert not differ(describe(there), describe(same))
    assert differ(describe(there), describe(another))
    assert differ(describe(there), describe(dead))
    assert not list(not_compared(describe(there), describe(there)))


def test_where_two_values_differ():
    def f(x):
        """Say
        it."""
        return x + 1

    def g(x):
        """Say it."""
        return x + 1

    def path(one, two):
        return difference(describe(one), describe(two)).path

    g.__name__ = "f"
    assert path(f, g) == " (docstring)"
    assert path({"a": [f]}, {"a": [g]}) == "['a'][0] (docstring)"
    assert path(Box({"a": object}), Box({"a": int})) == ".content['a']"
    assert path(Box({"a": 1}), Box({"b": 1})) == ".content['a']"
    assert path([1, 2], [1, 2, 3]) == ""
    assert path({"a" * 90: 1, "b": 2}, {"b": 2, "a" * 90: 1}) == " (its order)"
    one = [1]
    assert path([{"a": one}, one], [{"a": [1]}, [1]]) == "[1]"


def test_what_a_library_keeps_for_itself_does_not_count():
    class Graph:
        def __init__(self):
            self._nodes, self._view, self._ready, self.cache = {}, None, False, {}

        @functools.cached_property
        def nodes(self):
            return list(self._nodes)

    Graph.__module__ = "some_library"
    fresh, used, changed = Graph(), Graph(), Graph()
    used._view, used._later, used._ready, used.cache["a"] = object(), [1], True, 1
    assert used.nodes == []
    changed._nodes["a"] = 1
    assert not differ(describe(fresh), describe(used))
    assert differ(describe(fresh), describe(changed))


def test_data_that_is_drawn_anew_each_time_is_not_called_equal():
    pandas = pytest.importorskip("pandas")
    for make in (pandas.Series, pandas.Index, lambda items: pandas.DataFrame({"a": items})):
        one, two, three = (describe(make([1, n])) for n in (1, 2, 3))
        assert differ(settled(one, two), three)
        assert not differ(settled(one, one), one)


def test_chance_and_place_within_objects_of_libraries_do_not_count():
    one, two, three = (describe([1, random.Random(n)]) for n in (1, 2, 3))
    assert differ(one, three)
    assert not differ(settled(one, two), three)
    assert differ(settled(describe([1]), describe([2])), describe([3]))
    text = "<object at 0x7fd3c2a91b50> of __main__"
    assert not differ(describe(types.SimpleNamespace(a=text)), describe(types.SimpleNamespace(a=text[:-8])))
    assert differ(describe([text]), describe([text[:-8]]))


def test_a_view_that_can_be_written_is_another_than_one_that_cannot():
    assert differ(describe(memoryview(bytearray(3))), describe(memoryview(bytes(3))))


def test_filters_of_warnings_and_context_stay_as_they_are():
    variable = contextvars.ContextVar("variable")
    unset = describe(variable)
    token = variable.set(1)
    assert differ(unset, describe(variable))
    variable.reset(token)
    before = list(warnings.filters)
    describe([itertools.chain([1]), iter([1]), itertools.count()])
    assert warnings.filters == before
