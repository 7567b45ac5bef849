import zipfile
from types import SimpleNamespace

import pytest


@pytest.fixture
def make_slice():
    def make(module="def f(event):\n    return 1\n", function="f", imports=()):
        return SimpleNamespace(
            module=module, segments=[], function=function, notebook="shop.ipynb", imports=tuple(imports)
        )

    return make


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep the tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBCHALICE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """One cache for the tests that only want a layer, however it came about."""
    return tmp_path_factory.mktemp("layers")


@pytest.fixture
def make_wheel(tmp_path, monkeypatch):
    """Put small wheels where uv finds them, and nothing else."""
    return wheel_maker(tmp_path, monkeypatch)


def wheel_maker(tmp_path, monkeypatch):
    """Return what puts a small wheel where uv finds it, and nothing else."""
    links = tmp_path / "wheels"
    links.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(links))
    monkeypatch.setenv("UV_NO_INDEX", "1")

    def make(name, files, version="1.0", tag="py3-none-any", requires=()):
        info = f"{name}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        members = {
            **files,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        members[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*members, f"{info}/RECORD"])
        with zipfile.ZipFile(links / f"{name}-{version}-{tag}.whl", "w") as archive:
            for path, text in members.items():
                archive.writestr(path, text)
        return links

    return make
