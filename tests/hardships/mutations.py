"""Random changes of JSON that somebody wrote by hand, and words that somebody typed."""

import copy
import json

from hypothesis import strategies as st

STRANGE = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "é\u2028😀",
    "\x00",
    "a b",
    [],
    {},
    [None],
    ["x"],
    {"a": 1},
    [[]],
]
value = st.one_of(st.sampled_from(STRANGE), st.text(max_size=12), st.integers()).map(copy.deepcopy)


def places(document, path=()):
    """Return the paths of all that is in a document."""
    found = [path]
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@st.composite
def mutated(draw, documents, most=3, values=value):
    """One of the documents, of which a few places are taken out, are something else, or are there twice."""
    document = json.loads(json.dumps(draw(st.sampled_from(documents))))
    for _ in range(draw(st.integers(1, most))):
        *path, last = draw(st.sampled_from(places(document)[1:] or [(None,)]))
        if last is None:
            return draw(values)
        holder = document
        for key in path:
            holder = holder[key]
        how = draw(st.sampled_from(["out", "other", "twice", "more"]))
        if how == "out":
            del holder[last]
        elif how == "twice" and isinstance(holder, list):
            holder.insert(last, copy.deepcopy(holder[last]))
        elif how == "more" and isinstance(holder, dict):
            holder[draw(st.text(min_size=1, max_size=8))] = draw(values)
        else:
            holder[last] = draw(values)
    return document


def joined(words):
    """Words of a line, of which some stand in quotes, open ones too."""
    quoted = st.sampled_from(["{}", "{}", "{}", "'{}'", '"{}"', "'{}", '"{}', "{}\\"])
    return st.lists(st.tuples(quoted, words).map(lambda pair: pair[0].format(pair[1])), max_size=6).map(" ".join)


odd = st.one_of(
    st.text(max_size=10),
    st.sampled_from(
        [
            "--",
            "-",
            "-x",
            "--=",
            "=",
            "{",
            "[",
            '{"a": 1}',
            '{"a"',
            "[1]",
            "NaN",
            "1e999",
            "-1",
            "0",
            "10" * 40,
            "../..",
            ".",
            "~",
        ]
        + [
            "é",
            "😀",
            "\u202e",
            "a=b",
            "%chalice",
            "%%schedule",
            "rate(5 minutes)",
            "cron(* * * * ? *)",
            "price",
            "two words",
        ]
        + [
            "arn:aws:sqs:us-east-1:1:q",
            "orders",
            "5m",
            "2020-01-01",
            "--help",
            "--json",
            "s3://b/k",
            "https://x",
            "\ud800",
        ]
    ),
)
