"""Modules that a library imports only when it is asked to: engines, drivers and file systems it does not require."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

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
        "'s3:// 's3a://": ("s3fs",),
        "'gs:// 'gcs://": ("gcsfs",),
        "'abfs:// 'abfss:// 'az://": ("adlfs",),
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
    "sqlalchemy": {
        "'postgresql:// 'postgresql+psycopg2://": ("psycopg2",),
        "'postgresql+psycopg://": ("psycopg",),
        "'postgresql+asyncpg://": ("asyncpg",),
        "'mysql+pymysql://": ("pymysql",),
        "'mysql://": ("MySQLdb",),
    },
    "requests": {"'socks5:// 'socks5h://": ("socks",)},
}


def find_plugins(source: str, hosts: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Yield the plugins that a module asks for, each as the modules of which one will do, the best first.

    Parameters
    ----------
    source: the module's text; it must be valid Python.
    hosts: top-level modules that are imported, by this module or another.
    """
    sought = [(words.split(), modules) for host in hosts for words, modules in _PLUGINS.get(host, {}).items()]
    if not sought:
        return
    attributes, texts = _asked(ast.parse(source))
    for words, modules in sought:
        if any(_starts(texts, word[1:]) if word[0] == "'" else word in attributes for word in words):
            yield modules


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


def _starts(texts: Collection[str], word: str) -> bool:
    whole = not re.search(r"\W$", word)
    return any(text == word if whole else text.startswith(word) for text in texts)
