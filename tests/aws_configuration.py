"""AWS's configuration files of a person, and keys that are nobody's."""

import pytest
from moto import mock_aws

KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"


@pytest.fixture
def configured(monkeypatch, tmp_path):
    """``configured(text)``: the AWS configuration of a person at home in a folder of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    def write(text):
        (tmp_path / "config").write_text(text)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield write
