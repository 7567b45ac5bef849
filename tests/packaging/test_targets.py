import pytest

from nbchalice.errors import PackagingError
from nbchalice.names import RUNTIMES
from nbchalice.packaging.targets import LambdaTarget


@pytest.mark.parametrize(
    ("python", "arch", "platform"),
    [
        ("3.11", "x86_64", "x86_64-manylinux2014"),
        ("3.11", "arm64", "aarch64-manylinux2014"),
        ("3.12", "x86_64", "x86_64-manylinux_2_28"),
        ("3.13", "arm64", "aarch64-manylinux_2_28"),
        ("3.14", "arm64", "aarch64-manylinux_2_28"),
    ],
)
def test_the_wheels_fit_the_c_library_of_the_runtime(python, arch, platform):
    assert LambdaTarget(python, arch).uv_platform == platform


def test_the_label_is_for_people():
    assert LambdaTarget("3.13", "arm64").label == "Python 3.13 on arm64 (manylinux_2_28)"


@pytest.mark.parametrize("python", ["3.9", "3.16", "3.13.1", "python3.13"])
def test_another_python_is_an_error_that_lists_what_there_is(python):
    with pytest.raises(PackagingError, check=lambda error: error.code == "unsupported-target", match=python) as caught:
        LambdaTarget(python)
    assert all(version in caught.value.hint for version in RUNTIMES)


def test_another_architecture_is_an_error():
    with pytest.raises(PackagingError, check=lambda error: error.code == "unsupported-target", match="riscv") as caught:
        LambdaTarget("3.13", "riscv")
    assert "arm64" in caught.value.hint
