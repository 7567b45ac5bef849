"""What a memoized function answers: as in the kernel, or told as not compared."""

import pytest

from nbchalice.errors import CaptureError

from .test_proof import H, from_the_file, in_the_kernel

pytestmark = pytest.mark.slow

RATE = "rate = 2\n{}\ndef price(x, n=1):\n    return x * rate * n"
SHOP = "class Shop:\n    rate = 2\n    {}\n    def price(self, x):\n        return x * self.rate\nshop = Shop()"
CACHED = "from functools import cache, lru_cache, wraps\n"
LOGGED = "def logged(f):\n    @wraps(f)\n    def g(*given):\n        return f(*given)\n    return g\n"
STALE = {
    "a global": ([CACHED + RATE.format("@cache"), "price(10)", "rate = 3"], "price(10)"),
    "at most four": ([CACHED + RATE.format("@lru_cache(4)"), "price(10), price(1)", "rate = 3"], "price(10)"),
    "by name and type": (
        [CACHED + RATE.format("@lru_cache(4, True)"), "price(1, n=2), price(1.0, n=2)", "rate = 3"],
        "price(1, n=2), price(1.0, n=2), price(2)",
    ),
    "an argument": (
        [
            f"{CACHED}class Item:\n    n = 1\nitem = Item()\n@lru_cache\ndef price(x):\n    return x.n",
            "price(item)",
            "item.n = 5",
        ],
        "price(item)",
    ),
    "a method": ([CACHED + SHOP.format("@cache"), "print(shop.price(10))", "shop.rate = 3"], "shop.price(10)"),
    "a property": (
        [
            f"{CACHED}class Shop:\n    rate = 2\n    @property\n    @cache\n    def price(self):\n        return self.rate\n"
            "shop = Shop()",
            "shop.price",
            "shop.rate = 3",
        ],
        "shop.price",
    ),
    "a static method": (
        [
            f"{CACHED}class Shop:\n    rate = 2\n    @staticmethod\n    @cache\n    def price(x):\n        return x * Shop.rate",
            "Shop.price(10)",
            "Shop.rate = 3",
        ],
        "Shop.price(10)",
    ),
    "within a function": ([CACHED + LOGGED + RATE.format("@logged\n@cache"), "price(10)", "rate = 3"], "price(10)"),
    "a result that was changed": (
        [f"{CACHED}@cache\ndef load(x):\n    return {{'x': x}}", "exec(\"load(1)['seen'] = 1\")"],
        "load(1)",
    ),
    "a call of the handler": (
        [CACHED + RATE.format("@cache"), f"{H}price(10)", "h({}, None)", "rate = 3"],
        "",
    ),
    "a property of an instance": (
        [
            "from functools import cached_property\nclass Shop:\n    rate = 2\n    @cached_property\n    def price(self):\n"
            "        return self.rate\nshop = Shop()",
            "shop.price",
            "shop.rate = 3",
        ],
        "shop.price",
    ),
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", STALE)
def test_what_was_kept_before_a_change_comes_along(case, way, run, tmp_path):
    cells, answer = STALE[case]
    cells = [*cells, f"{H}({answer})"] if answer else cells
    if way == "kernel":
        shipped, here = in_the_kernel(run, tmp_path, cells)
    else:
        for cell in cells:
            run(cell)
        shipped, here = from_the_file(tmp_path, cells)[1], run.names["h"]({}, None)
    assert shipped == (list(here) if isinstance(here, tuple) else here)


def test_what_was_kept_and_is_the_same_now_brings_nothing_along(run, tmp_path):
    cells = [f"{CACHED}rate = 2\n@cache\ndef price(x):\n    return x * rate if x < 2 else price(x - 1) + price(x - 2)"]
    shipped, here = in_the_kernel(run, tmp_path, [*cells, "price(60)", f"{H}price(61)"])
    assert shipped == here
    assert "price(60)" not in run("%chalice show h").text
    assert not [note for note in run("%chalice package --out again").notes if "price" in note]


def test_cachetools(run, tmp_path):
    made = RATE.format("@cached(TTLCache(8, 600), lock=Lock())")
    cells = [
        f"from cachetools import TTLCache, cached\nfrom threading import Lock\n{made}",
        "price(10, n=2)",
        "rate = 3",
    ]
    shipped, here = in_the_kernel(run, tmp_path, [*cells, f"{H}price(10, n=2)"])
    assert shipped == here


def test_a_file_that_a_default_stands_for_is_found_by_the_answer(run, tmp_path):
    (tmp_path / "rates.csv").write_text("7")
    load = (
        f"{CACHED}FILE = 'rates' + '.csv'\n@cache\ndef load():\n    try:\n        with open(FILE) as file:\n            return file.read()\n"
        "    except OSError:\n        return '1'"
    )
    with pytest.raises(CaptureError, match=r"load\(\) is '7' in the kernel, '1' in the captured module"):
        in_the_kernel(run, tmp_path, [load, "load()", f"{H}load()"])
