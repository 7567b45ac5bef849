from dataclasses import replace
from pathlib import Path

import pytest

from nbchalice.errors import PackagingError
from nbchalice.packaging.artifact import build
from nbchalice.packaging.bundles import bundle_files, make_bundle
from nbchalice.packaging.handler import room_for_bundles
from nbchalice.packaging.layer import Layer
from nbchalice.packaging.lock import Lock
from nbchalice.packaging.sizes import HEADINGS, measure
from nbchalice.packaging.targets import LambdaTarget
from nbchalice.text import MB, readable


def a_layer(zip_size, *distributions):
    unzipped = sum(size for _, size in distributions)
    return Layer("k", Path("k.zip"), "", zip_size, unzipped, distributions, (), Lock("", LambdaTarget("3.12")))


@pytest.fixture
def artifact(make_slice):
    return build(make_slice(), "f", python="3.13", files={"blob.bin": bytes(3 * MB)})


def test_the_table_adds_up_and_names_the_largest(artifact):
    table = measure(artifact, a_layer(30 * MB, ("numpy", 60 * MB), ("pandas", 50 * MB)), [("arn:x", MB)])
    assert [row.name for row in table.rows] == ["zip", "layer", "unzipped"]
    assert 114 * MB < table.unzipped < 115 * MB
    assert [name for name, _ in table.biggest] == ["numpy", "pandas", "your code", "arn:x"]
    assert not table.needs_s3
    zipped, layer, unzipped, largest = table.cells()
    assert (layer, unzipped[-3:]) == ("30 MB", " MB") and largest.startswith("numpy 60 MB, pandas 50 MB")
    assert HEADINGS == ("zip (of 50 MB)", "layer (of 50 MB)", "unzipped (of 250 MB)", "largest")
    table.check("f")


def test_over_50_mb_goes_through_s3(artifact):
    table = measure(artifact, a_layer(50 * MB + 1, ("numpy", 60 * MB)))
    assert table.needs_s3 and [row.s3 for row in table.rows] == [False, True, False]
    assert table.cells()[1] == "50 MB, through S3" and table.to_dict()["s3"]


def test_at_the_unzipped_limit_is_fine_and_over_it_is_an_error(artifact):
    code = measure(artifact).unzipped
    measure(artifact, a_layer(MB, ("torch", 250 * MB - code))).check("f")
    with pytest.raises(PackagingError, check=lambda error: error.code == "too-large") as caught:
        measure(artifact, a_layer(MB, ("torch", 250 * MB - code), ("sympy", 1))).check("f")
    assert (
        "handler f: unzipped" in caught.value.message
        and "1 byte more than the 250 MB" in caught.value.message
        and "largest: torch 246.9 MB" in caught.value.message
    )
    assert caught.value.hint


@pytest.mark.slow
def test_bundles_are_told_apart_and_those_in_s3_take_no_room(make_slice):
    small, big = make_bundle("rates", "x" * MB), make_bundle("model", "x" * 2 * MB)
    files = {"blob.bin": bytes(3 * MB), **bundle_files([small], [big])}
    table = measure(build(make_slice(), "f", python="3.13", files=files), bundles=[small], stored=[big])
    assert [row.name for row in table.rows] == ["zip", "bundle model", "unzipped"] and table.needs_s3
    assert table.cells()[3].endswith("; in S3: bundle model 2 MB")
    assert [name for name, _ in table.biggest] == ["your code", "bundle rates"]
    assert 4 * MB < table.unzipped < 4.2 * MB


def test_a_bundle_over_the_limit_belongs_in_s3(artifact):
    with pytest.raises(
        PackagingError, check=lambda error: error.code == "too-large", match="largest: bundle model 240 MB"
    ) as caught:
        huge = replace(make_bundle("model", 1), size=240 * MB)
        measure(artifact, a_layer(MB, ("torch", 239 * MB)), [("arn:x", 13 * MB)], bundles=[huge]).check("f")
    assert caught.value.hint == "deploy it with nbchalice, which puts a bundle of this size in S3"


def test_bundles_have_room_as_far_as_lambdas_limits_leave_it(artifact):
    assert room_for_bundles(measure(artifact)) == 10 * MB
    left = room_for_bundles(measure(artifact, a_layer(MB, ("torch", 240 * MB))))
    assert 6 * MB < left < 7 * MB
    assert room_for_bundles(measure(artifact, a_layer(MB, ("torch", 249 * MB)))) < 0


def test_without_a_layer(artifact):
    assert [row.name for row in measure(artifact).rows] == ["zip", "unzipped"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (512, "512 bytes"),
        (1536, "1.5 KB"),
        (12_000, "11.7 KB"),
        (50 * MB, "50 MB"),
        (27_154_142, "25.9 MB"),
    ],
)
def test_readable(size, text):
    assert readable(size) == text
