import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

import nbchalice
from nbchalice.errors import CaptureError, Location, PackagingError
from nbchalice.packaging.lock import requirement_name
from nbchalice.packaging.requested import RequestedRequirement
from nbchalice.packaging.requirements import find_dependencies, installed_pins

REPO = Path(nbchalice.__file__).parent.parent


def version(name):
    from importlib import metadata

    return metadata.version(name)


def requested_in_a_cell(*texts):
    return [RequestedRequirement(text, Location("cell 1", 1, f"%pip install {text}")) for text in texts]


def names(dependencies):
    return [path for path, _ in dependencies.vendored]


@pytest.fixture
def folder(tmp_path):
    """The notebook's folder, holding files given as keyword arguments."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def test_pure_python_needs_nothing():
    found = find_dependencies(
        "import json, os.path\nfrom collections import abc\nfrom nbchalice import Chalice\nimport __main__\n"
    )
    assert found.requirements == () and found.vendored == ()


def test_imports_become_pins_of_what_the_kernel_runs():
    found = find_dependencies("import yaml\nfrom dateutil import tz\nimport jinja2.sandbox as s\n")
    assert found.requirements == tuple(
        sorted(
            [
                f"pyyaml=={version('PyYAML')}",
                f"python-dateutil=={version('python-dateutil')}",
                f"jinja2=={version('jinja2')}",
            ]
        )
    )


def test_what_lambda_has_is_left_out_unless_pinned():
    module = "import boto3\nfrom botocore.exceptions import ClientError\n"
    assert find_dependencies(module).requirements == ()
    assert find_dependencies(module, requested=requested_in_a_cell("boto3")).requirements == ()
    assert find_dependencies(module, requested=requested_in_a_cell("boto3; python_version >= '3.9'")).requirements == ()
    pin = f"boto3=={version('boto3')}"
    assert find_dependencies(module, requested=requested_in_a_cell(pin)).requirements == (pin,)


def test_wishes_give_extras_and_stand_in_for_what_is_not_installed():
    module = "import yaml\nimport skimage.io\nimport nowhere_to_be\n"
    asked = requested_in_a_cell("PyYAML[fast]", "scikit-image>=0.2", "nowhere.to-be==2", "unused==1")
    assert find_dependencies(module, requested=asked).requirements == (
        "nowhere.to-be==2",
        f"pyyaml[fast]=={version('PyYAML')}",
        "scikit-image>=0.2",
    )


def test_a_requirements_file_is_the_last_word(folder):
    root = folder({"req.txt": "six==1.16.0\nboto3==1.40.0\n", "mine.py": "import not_here\n"})
    found = find_dependencies("import yaml, mine, nor_here\n", folder=root, requirements_file=root / "req.txt")
    assert found.requirements == ("boto3==1.40.0", "six==1.16.0") and names(found) == ["mine.py"]


def test_a_module_that_nothing_provides_is_named_with_the_fix():
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module") as caught:
        find_dependencies("import skimage.io\n")
    assert "skimage" in caught.value.message and "%pip install scikit-image" in caught.value.hint
    assert find_dependencies("try:\n    import skimage\nexcept ImportError:\n    skimage = None\n").requirements == ()


def test_what_the_handler_imports_when_it_is_called_must_be_there_too(folder):
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module", match="not_here") as caught:
        find_dependencies("def f(event):\n    import not_here\n", place=lambda line: Location("cell 2", line + 5))
    assert "cell 2, line 7" in str(caught.value)
    found = find_dependencies("def f(event):\n    import yaml\n")
    assert found.requirements == (f"pyyaml=={version('PyYAML')}",)
    guarded = "def f(event):\n    try:\n        import not_here\n    except ImportError:\n        pass\n"
    assert find_dependencies(guarded).requirements == ()


def test_another_version_than_the_notebook_asks_for_is_refused():
    pin = version("PyYAML")
    with pytest.raises(PackagingError, check=lambda error: error.code == "other-version-installed") as caught:
        find_dependencies("import yaml\n", requested=requested_in_a_cell("pyyaml<3"))
    assert caught.value.message == f"pyyaml {pin} is installed, but the notebook asks for pyyaml<3"
    assert "cell 1, line 1: %pip install pyyaml<3" in str(caught.value) and "--requirements" in caught.value.hint
    for met in (f"PyYAML>=3,<={pin}", "pyyaml<3; python_version<'3'", "pyyaml @ https://h/x.whl", "pyyaml=nonsense"):
        assert find_dependencies("import yaml\n", requested=requested_in_a_cell(met)).requirements == (
            f"pyyaml=={pin}",
        )
    assert find_dependencies("import json\n", requested=requested_in_a_cell("pyyaml<3")).requirements == ()
    again = [*requested_in_a_cell("pyyaml<3"), *requested_in_a_cell("pyyaml")]
    assert find_dependencies("import yaml\n", requested=again).requirements == (f"pyyaml=={pin}",)


def test_a_module_that_came_with_a_later_python(folder):
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module", match="compression"):
        find_dependencies("import compression.zstd\n", python="3.13", folder=folder({}))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("import pandas as pd\ndef f(key):\n    return pd.read_parquet(key)\n", ["pandas", "pyarrow"]),
        ("import pandas\ndef f(frame):\n    frame.to_excel('x.xlsx')\n", ["openpyxl", "pandas"]),
        ("from pandas import read_excel\n", ["openpyxl", "pandas"]),
        ("import pandas\nBUCKET = 's3://mine/x.csv'\n", ["pandas", "s3fs"]),
        ("import pandas\npandas.read_csv('x', engine='pyarrow')\n", ["pandas", "pyarrow"]),
        ("import pandas\ndef f(x):\n    return x.pyarrow, 'my pyarrow'\n", ["pandas"]),
        ("def f(x):\n    return x.to_parquet()\n", []),
        ("import helper\nimport pandas\n", ["pandas", "pyarrow"]),
        ("import fsspec\ndef f(key):\n    return fsspec.open(f's3://mine/{key}')\n", ["fsspec", "s3fs"]),
        ("import sqlalchemy\ndef f(user):\n    return f'postgresql+pg8000://{user}@db/x'\n", ["pg8000", "sqlalchemy"]),
        ("from sqlalchemy import URL\ndef f():\n    return URL.create('mysql+pymysql')\n", ["pymysql", "sqlalchemy"]),
        ("import pandas\nADDRESS = 'postgresql+pg8000://x'\n", ["pandas"]),
    ],
)
def test_engines_that_a_library_imports_only_when_asked(module, expected, folder):
    root = folder({"helper.py": "def save(frame):\n    frame.to_parquet('x')\n"})
    asked = requested_in_a_cell("pandas>=2", "pyarrow", "openpyxl", "s3fs==2024.1")
    asked += requested_in_a_cell("fsspec", "sqlalchemy", "pg8000", "pymysql")
    found = find_dependencies(module, requested=asked, folder=root).requirements
    assert [requirement_name(each) for each in found] == expected


def test_an_address_in_a_variable_of_the_function_asks_for_its_driver():
    module = "import os, sqlalchemy\ndef f():\n    return sqlalchemy.create_engine(os.environ['ADDRESS'])\n"
    asked = requested_in_a_cell("sqlalchemy", "pg8000")
    for address, names in (("postgresql+pg8000://u:p@db/x", ["pg8000", "sqlalchemy"]), ("sqlite://", ["sqlalchemy"])):
        found = find_dependencies(module, requested=asked, texts=("EUR", address)).requirements
        assert [requirement_name(each) for each in found] == names


def test_an_engine_that_is_not_here_is_not_asked_for():
    module = "import pandas\ndef f(key):\n    return pandas.read_hdf(key)\n"
    assert find_dependencies(module, requested=requested_in_a_cell("pandas")).requirements[0].startswith("pandas")


def test_the_place_of_a_missing_module_in_local_code_is_told(folder):
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module") as caught:
        find_dependencies("import eager\n", folder=folder({"eager.py": "import json\nimport not_here\n"}))
    assert "  at eager.py, line 2: import not_here" in str(caught.value)


def test_packages_of_conda_are_not_local_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "of_conda-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: of-conda\nVersion: 1.2\n")
    (info / "INSTALLER").write_text("conda\n")
    (info / "RECORD").write_text("of_conda/__init__.py,,\nof_conda/core.so,,\n")
    (info / "direct_url.json").write_text('{"dir_info": {}, "url": "file:///home/conda/feedstock_root/work"}')
    (tmp_path / "of_conda").mkdir()
    (tmp_path / "of_conda/__init__.py").write_text("")
    (tmp_path / "of_conda/core.so").write_text("")
    os.utime(tmp_path, (2, 2))
    found = find_dependencies("import of_conda\n")
    assert found.requirements == ("of-conda==1.2",) and not found.vendored


def test_a_package_without_metadata_comes_along(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bare_package").mkdir()
    (tmp_path / "bare_package/__init__.py").write_text("import yaml\n")
    found = find_dependencies("import bare_package\n")
    assert names(found) == ["bare_package/__init__.py"] and found.requirements == (f"pyyaml=={version('PyYAML')}",)


@pytest.mark.skipif("telnetlib" not in sys.stdlib_module_names, reason="this Python has lost it, too")
def test_a_module_that_lambdas_python_lost():
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module", match="telnetlib") as caught:
        find_dependencies("import telnetlib\n", python="3.13")
    assert "--python" in caught.value.hint
    find_dependencies("import telnetlib\n", python="3.12")


def test_local_modules_come_along_and_are_scanned(folder):
    root = folder(
        {
            "helpers.py": "import yaml\nfrom shop import prices\n",
            "shop/__init__.py": "",
            "shop/prices.py": "from .rates import RATE\nfrom . import data\nfrom json import loads\n",
            "shop/rates.py": "import jinja2\nRATE = 1\n",
            "shop/data/__init__.py": "",
            "shop/data/table.csv": "a,b\n",
            "shop/plots.py": "import matplotlib_is_not_here\n",
            "shop/__pycache__/x.cpython-311.pyc": "",
            "shop/.ipynb_checkpoints/prices-checkpoint.py": "",
            "unrelated.py": "import no_such_thing\n",
        }
    )
    found = find_dependencies("import helpers\n", folder=root)
    assert names(found) == [
        "helpers.py",
        "shop/__init__.py",
        "shop/data/__init__.py",
        "shop/data/table.csv",
        "shop/plots.py",
        "shop/prices.py",
        "shop/rates.py",
    ]
    assert dict(found.vendored)["shop/data/table.csv"] == b"a,b\n"
    assert [pin.partition("==")[0] for pin in found.requirements] == ["jinja2", "pyyaml"]


def test_a_folder_without_init_is_a_package_too(folder):
    root = folder({"tools/clean.py": "import yaml\n", "tools/words.txt": "x"})
    found = find_dependencies("from tools import clean\n", folder=root)
    assert names(found) == ["tools/clean.py", "tools/words.txt"] and found.requirements


def test_local_modules_that_import_each_other_end(folder):
    root = folder({"one.py": "import two\n", "two.py": "import one\n"})
    assert names(find_dependencies("import one\n", folder=root)) == ["one.py", "two.py"]


def test_a_local_module_wins_over_a_distribution_as_in_the_kernel(folder):
    assert names(find_dependencies("import yaml\n", folder=folder({"yaml.py": ""}))) == ["yaml.py"]


def test_what_a_local_module_misses_is_an_error_only_if_it_runs(folder):
    root = folder({"lazy.py": "def f():\n    import not_here_1\n", "eager.py": "import not_here_2\n"})
    assert names(find_dependencies("import lazy\n", folder=root)) == ["lazy.py"]
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module", match="not_here_2"):
        find_dependencies("import eager\n", folder=root)


def test_compiled_local_code_is_refused(folder):
    root = folder({"fast/__init__.py": "", "fast/_core.cpython-311-x86_64-linux-gnu.so": ""})
    with pytest.raises(
        PackagingError, check=lambda error: error.code == "compiled-local-code", match=r"fast/_core\S*\.so"
    ) as caught:
        find_dependencies("import fast\n", folder=root)
    assert "wheels" in caught.value.hint


def test_a_local_module_that_cannot_be_parsed(folder):
    with pytest.raises(PackagingError, check=lambda error: error.code == "local-syntax") as caught:
        find_dependencies("import broken\n", folder=folder({"broken.py": "x = 1\ny = (\n"}))
    assert caught.value.location.cell == "broken.py" and caught.value.location.line == 2 and caught.value.hint
    latin = folder({"latin.py": ""})
    (latin / "latin.py").write_bytes(b"x = '\xe9'\n")
    with pytest.raises(PackagingError, check=lambda error: error.code == "local-syntax", match="UTF-8"):
        find_dependencies("import latin\n", folder=latin)


def test_a_credential_in_a_local_module_is_refused(folder):
    password = "hun" + "ter2x9"
    root = folder(
        {"shop.py": f"import settings\n\nURL = settings.url\nconnect(password='{password}')\n", "settings.py": ""}
    )
    with pytest.raises(CaptureError, check=lambda error: error.code == "secret-in-slice") as caught:
        find_dependencies("import shop\n", folder=root)
    assert caught.value.message == "the local module shop.py contains a password or token"
    assert caught.value.location == Location("shop.py", 4) and password not in str(caught.value)
    (root / "shop.py").write_text(f"connect(password='{password}')  # pragma: allowlist secret\n")
    assert "shop.py" in dict(find_dependencies("import shop\n", folder=root).vendored)


def test_installed_pins_have_no_local_versions():
    pins = installed_pins()
    assert f"jinja2=={version('jinja2')}" in pins and not [pin for pin in pins if "+" in pin]


def test_something_just_installed_is_seen(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PackagingError, check=lambda error: error.code == "missing-module"):
        find_dependencies("import brand_new\n")
    info = tmp_path / "brand_new-1.0+local.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: Brand_New\nVersion: 1.0+local\n")
    (info / "RECORD").write_text("brand_new.py,,\n")
    (tmp_path / "brand_new.py").write_text("")
    os.utime(tmp_path, (1, 1))
    import importlib

    importlib.invalidate_caches()
    assert find_dependencies("import brand_new\n").requirements == ("brand-new==1.0",)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A real environment with namespace packages, editable packages of two kinds, and a package from a folder."""
    root = tmp_path_factory.mktemp("environment")
    backends = {
        "flat_edit": ("setuptools", "setuptools.build_meta", "flat_edit"),
        "src_edit": ("hatchling", "hatchling.build", "src/src_edit"),
        "copied": ("setuptools", "setuptools.build_meta", "copied"),
    }
    for name, (backend, module, where) in backends.items():
        package = root / name / where
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("import yaml\n")
        (package / "words.txt").write_text("hello")
        (root / name / "pyproject.toml").write_text(
            f"[build-system]\nrequires = ['{backend}']\nbuild-backend = '{module}'\n[project]\nname = '{name}'\nversion = '1'\n"
        )
    tool = uv.find_uv_bin()
    python = root / "venv/bin/python"
    subprocess.run([tool, "venv", "-q", "-p", sys.executable, root / "venv"], check=True)
    subprocess.run(
        [
            tool,
            "pip",
            "install",
            "-q",
            "-p",
            python,
            "-e",
            root / "flat_edit",
            "-e",
            root / "src_edit",
            root / "copied",
            "packaging",
            "platformdirs",
            "pyyaml==6.0.2",
            "protobuf==5.29.3",
            "googleapis-common-protos==1.66.0",
        ],
        check=True,
    )

    def ask(module):
        code = "import json, sys; from nbchalice.packaging.requirements import find_dependencies as f; d = f(sys.argv[1]); print(json.dumps([d.requirements, [n for n, _ in d.vendored]]))"
        environment = {**os.environ, "PYTHONPATH": str(REPO)}
        done = subprocess.run(
            [python, "-c", code, module], capture_output=True, text=True, env=environment, cwd=root / "venv", check=True
        )
        return json.loads(done.stdout)

    return ask


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "requirements"),
    [
        ("from google.protobuf import message", ["protobuf==5.29.3"]),
        ("import google.protobuf.json_format", ["protobuf==5.29.3"]),
        ("from google.rpc import status_pb2", ["googleapis-common-protos==1.66.0"]),
        (
            "from google import protobuf, rpc\nfrom google.type import date_pb2",
            ["googleapis-common-protos==1.66.0", "protobuf==5.29.3"],
        ),
        ("import yaml", ["pyyaml==6.0.2"]),
    ],
)
def test_namespace_packages_are_told_apart_by_their_files(environment, module, requirements):
    assert environment(module) == [requirements, []]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flat_edit", "src_edit", "copied"])
def test_packages_that_no_registry_has_come_along(environment, name):
    requirements, vendored = environment(f"import {name}")
    data = [] if name == "copied" else [f"{name}/words.txt"]  # its build left data out, so the kernel has none either
    assert requirements == ["pyyaml==6.0.2"] and vendored == [f"{name}/__init__.py", *data]
