"""Terraform for the tests of templates."""

import pytest

from .configurations import Terraform

LACKING = (
    "terraform, or its provider for AWS, is not on this machine: configurations are checked by form and schema alone"
)


@pytest.fixture(scope="module")
def terraform(tmp_path_factory, local_aws):
    """Terraform with its provider, for the local AWS."""
    found = Terraform.here(tmp_path_factory.mktemp("terraform"), local_aws.client_kwargs())
    if found is None:
        pytest.skip(LACKING)
    return found
