import pytest

from nbchalice.packaging.imports import find_imports


def found(source, package=""):
    return [(i.module, i.names, i.required) for i in find_imports(source, package)]


def later(source):
    return {i.module: i.later for i in find_imports(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a, b.c as d", [("a", (), True), ("b.c", (), True)]),
        ("from a.b import c, d as e", [("a.b", ("c", "d"), True)]),
        ("from a import *", [("a", ("*",), True)]),
        ("def f():\n    import a", [("a", (), True)]),
        ("async def f():\n    import a", [("a", (), True)]),
        ("if sys.version_info < (3, 11):\n    import a\nelse:\n    import b", [("a", (), False), ("b", (), False)]),
        ("if sys.platform == 'win32':\n    import a", [("a", (), False)]),
        ("class C:\n    import a", [("a", (), True)]),
        ("if x:\n    import a", [("a", (), True)]),
        (
            "try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c",
            [("a", (), False), ("b", (), False), ("c", (), True)],
        ),
        ("try:\n    import a\nexcept (ValueError, ModuleNotFoundError):\n    a = None", [("a", (), False)]),
        ("try:\n    import a\nexcept:\n    a = None", [("a", (), False)]),
        ("try:\n    import a\nexcept ValueError:\n    pass", [("a", (), True)]),
        ("try:\n    import a\nfinally:\n    import b", [("a", (), True), ("b", (), True)]),
        (
            "import typing\nif typing.TYPE_CHECKING:\n    import a\nelse:\n    import b",
            [("typing", (), True), ("b", (), True)],
        ),
        ("import importlib\nm = importlib.import_module('a.b')", [("importlib", (), True), ("a.b", (), False)]),
        ("m = __import__('a')\nn = __import__(name)", [("a", (), False)]),
        ("import a\nimport a", [("a", (), True)]),
    ],
)
def test_imports(source, expected):
    assert found(source) == expected


def test_what_is_imported_when_a_function_is_called():
    source = "import a\ndef f():\n    import b\n    try:\n        import c\n    except ImportError:\n        pass\nclass K:\n    import d"
    assert later(source) == {"a": False, "b": True, "c": True, "d": False}
    assert [i.line for i in find_imports(source)] == [1, 3, 5, 9]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from . import a", [("p.q", ("a",), True)]),
        ("from .a import b", [("p.q.a", ("b",), True)]),
        ("from .. import a", [("p", ("a",), True)]),
        ("from ..a import b", [("p.a", ("b",), True)]),
    ],
)
def test_relative_imports(source, expected):
    assert found(source, "p.q") == expected


def test_a_relative_import_of_a_module_without_package_is_left_to_python():
    assert found("from . import a") == []


def test_a_module_whose_name_is_computed_may_be_any_that_a_text_names():
    source = "NAMES = ['plug', 'not a name']\nfor n in NAMES:\n    import_module(n)\nimport_module(f'kinds.{n}')"
    assert found(source) == [("plug", (), False), ("kinds", (), False)]
    assert found("NAMES = ['plug']\nimport_module('a')") == [("a", (), False)]
