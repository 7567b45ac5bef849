"""Modules that a library imports only when it is asked to: engines, drivers and file systems it does not require."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from itertools import chain

_ADDRESSES: dict[str, tuple[str, ...]] = {
    "'s3:// 's3a://": ("s3fs",),
    "'gs:// 'gcs://": ("gcsfs",),
    "'abfs:// 'abfss:// 'az://": ("adlfs",),
}
# Of each host: what asks for a plugin (an attribute, or the beginning of a text), and modules of which one will do.
_PLUGINS: dict[str, dict[str, tuple[str, ...]]] = {
    "pandas": {
        "read_parquet to_parquet": ("pyarrow", "fastparquet"),
        "read_feather to_feather read_orc to_orc": ("pyarrow",),
        "read_excel to_excel ExcelFile ExcelWriter": ("openpyxl", "xlsxwriter"),
        "read_hdf to_hdf HDFStore": ("tables",),
        "read_html read_xml to_xml": ("lxml",),
        "read_sql read_sql_query read_sql_table to_sql": ("sqlalchemy",),
        "read_gbq to_gbq": ("pandas_gbq",),
        "to_markdown": ("tabulate",),
        "style": ("jinja2",),
        "plot": ("matplotlib",),
        **_ADDRESSES,
        "'odf": ("odf",),
        "'calamine": ("python_calamine",),
        **{f"'{name}": (name,) for name in ("fastparquet", "lxml", "openpyxl", "pyxlsb", "xlrd", "xlsxwriter")},
        "'pyarrow 'string[pyarrow] 'int64[pyarrow]": ("pyarrow",),
        "'numba": ("numba",),
    },
    "polars": {
        "read_excel": ("fastexcel", "openpyxl"),
        "write_excel": ("xlsxwriter",),
        "to_pandas": ("pandas",),
        "to_arrow from_arrow": ("pyarrow",),
    },
    "bs4": {"'lxml": ("lxml",), "'html5lib": ("html5lib",)},
    "fsspec": {**_ADDRESSES, "'http:// 'https://": ("aiohttp",)},
    "dask": _ADDRESSES,
    "xarray": _ADDRESSES,
    "sqlalchemy": {
        "'postgresql:// 'postgresql": ("psycopg2",),
        "'mysql:// 'mysql": ("MySQLdb",),
        "'oracle:// 'oracle": ("oracledb", "cx_Oracle"),
        "'mssql:// 'mssql": ("pyodbc",),
    },
    "requests": {"'socks5:// 'socks5h://": ("socks",)},
}

_DRIVER = re.compile(r"[a-z0-9]+\+(\w+)(?:://|$)")
"""The driver that an address of SQLAlchemy names, mostly as its module is called."""
_DRIVERS = {
    "mysqldb": "MySQLdb",
    "mysqlconnector": "mysql.connector",
    "cx_oracle": "cx_Oracle",
    "psycopg_async": "psycopg",
}


def find_plugins(source: str, hosts: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Yield the plugins that a module asks for, each as the modules of which one will do, the best first.

    Parameters
    ----------
    source : str
        The module's text; it must be valid Python.
    hosts : Collection[str]
        Top-level modules that are imported, by this module or another.
    """
    known = list(chain.from_iterable(_PLUGINS.get(host, {}).items() for host in hosts))
    if not known:
        return
    attributes, texts = _asked(ast.parse(source))
    for words, modules in known:
        # A word with a quote is looked for in the module's strings ('s3:// in read_csv("s3://...")), one without
        # among its attributes (to_parquet in df.to_parquet()).
        if any(_is_asked(word, attributes, texts) for word in words.split()):
            yield modules
    for driver in filter(None, map(_DRIVER.match, sorted(texts))) if "sqlalchemy" in hosts else ():
        yield (_DRIVERS.get(driver[1], driver[1]),)


def _asked(tree: ast.Module) -> tuple[set[str], set[str]]:
    attributes: set[str] = set()
    texts: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            attributes.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    return attributes, texts


def _is_asked(word: str, attributes: Collection[str], texts: Collection[str]) -> bool:
    if not word.startswith("'"):
        return word in attributes
    return _starts(texts, word[1:])


def _starts(texts: Collection[str], word: str) -> bool:
    # "s3://" begins an address, "openpyxl" is the whole of engine="openpyxl".
    if re.search(r"\W$", word):
        return any(text.startswith(word) for text in texts)
    return word in texts
