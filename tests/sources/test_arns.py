"""ARNs are read into their parts and written back."""

import pytest

from nbchalice.resources.arns import Arn

ARNS = [
    "arn:aws:sqs:eu-west-1:123456789012:orders",
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:app-dev-price:7",
    "arn:aws:s3:::bucket",
    "arn:aws:iam::123456789012:role/nbchalice/app/dev/price",
]


@pytest.mark.parametrize("text", ARNS)
def test_an_arn_comes_back_as_it_was(text):
    assert str(Arn.parse(text)) == text


def test_the_parts_of_an_arn():
    queue, function, bucket, _ = map(Arn.parse, ARNS)
    assert (queue.service, queue.region, queue.account, queue.name) == ("sqs", "eu-west-1", "123456789012", "orders")
    assert (function.partition, function.resource, function.name) == ("aws-cn", "function:app-dev-price:7", "7")
    assert (bucket.region, bucket.account, bucket.name) == ("", "", "bucket")


@pytest.mark.parametrize("text", ["orders", "arn:aws:sqs", "", "urn:aws:sqs:eu-west-1:123456789012:orders"])
def test_what_is_no_arn(text):
    with pytest.raises(ValueError, match="is not an ARN"):
        Arn.parse(text)
