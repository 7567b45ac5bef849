"""What is signed comes in as on AWS, and nothing else: presigned URLs and forms, old requests, replaced parts."""

import base64
import re
import uuid

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .doors import DAY, MB, WEEK, chunks, code_of, send, signed

VERSIONS = {"boto3's default": None, "version 4": "s3v4"}


@pytest.fixture(scope="module")
def bucket(aws):
    name = f"doors-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="a key/ü.txt", Body=b"content")
    return name


@pytest.fixture
def s3_of(local_aws):
    """``s3_of(kind)``: a client that presigns so."""
    return lambda kind: boto3.client("s3", config=Config(signature_version=VERSIONS[kind]), **local_aws.client_kwargs())


def form(fields, *after):
    """Return the body of an uploaded form, and its headers."""
    parts = [(f'name="{name}"', value) for name, value in fields.items()]
    parts += [('name="file"; filename="f.txt"\r\nContent-Type: text/plain', "hello")]
    parts += [(f'name="{name}"', value) for name, value in after]
    text = "".join(f"--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n" for head, value in parts)
    return {"Content-Type": "multipart/form-data; boundary=XX"}, f"{text}--XX--\r\n".encode()


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("life", [5, 60, 3600, DAY, WEEK])
def test_a_presigned_url_works_for_its_life(kind, life, local_aws, bucket, s3_of):
    asked = {"Bucket": bucket, "Key": "a key/ü.txt"}
    url = s3_of(kind).generate_presigned_url("get_object", Params=asked, ExpiresIn=life)
    assert send(local_aws, "GET", url) == (200, b"content")


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("life", [5, 60, 3600, DAY])
def test_a_presigned_url_ends_with_its_life(kind, life, local_aws, bucket, s3_of, shifted):
    asked = {"Bucket": bucket, "Key": "a key/ü.txt"}
    shifted(-life - 1)
    url = s3_of(kind).generate_presigned_url("get_object", Params=asked, ExpiresIn=life)
    answer = send(local_aws, "GET", url)
    assert code_of(answer) == (403, "AccessDenied")
    assert b"Request has expired" in answer[1]


def test_only_urls_of_version_2_live_for_years(local_aws, bucket, s3_of):
    asked = {"Params": {"Bucket": bucket, "Key": "a key/ü.txt"}, "ExpiresIn": 10 * 365 * DAY}
    url = s3_of("boto3's default").generate_presigned_url("get_object", **asked)
    assert send(local_aws, "GET", url) == (200, b"content")
    url = s3_of("version 4").generate_presigned_url("get_object", **asked)
    assert code_of(send(local_aws, "GET", url)) == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize("kind", VERSIONS)
def test_a_presigned_upload_takes_what_was_signed(kind, local_aws, bucket, aws, s3_of):
    key = f"up-{uuid.uuid4().hex[:6]}"
    asked = {"Bucket": bucket, "Key": key, "Metadata": {"m": "a b"}, "ContentType": "text/csv"}
    url = s3_of(kind).generate_presigned_url("put_object", Params=asked, ExpiresIn=60)
    headers = {"Content-Type": "text/csv", "x-amz-meta-m": "a b"}
    assert send(local_aws, "PUT", url, headers, b"1,2")[0] == 200
    got = aws("s3").get_object(Bucket=bucket, Key=key)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"1,2", "text/csv", {"m": "a b"})
    for change in ({"x-amz-meta-m": "c"}, {"Content-Type": "text/html"}, {"x-amz-acl": "public-read"}):
        assert send(local_aws, "PUT", url, {**headers, **change}, b"3")[0] == 403


OPERATIONS = {
    "head_object": ("HEAD", {"Key": "op"}, 200),
    "get_object": ("GET", {"Key": "op", "ResponseContentType": "a/b", "ResponseContentDisposition": 'x; f="ü"'}, 200),
    "get_object_tagging": ("GET", {"Key": "op"}, 200),
    "list_objects_v2": ("GET", {"Prefix": "a b/", "MaxKeys": 3}, 200),
    "list_objects": ("GET", {}, 200),
    "get_bucket_location": ("GET", {}, 200),
    "list_multipart_uploads": ("GET", {}, 200),
    "upload_part": ("PUT", {"Key": "op", "PartNumber": 1, "UploadId": "none"}, 404),
    "delete_object": ("DELETE", {"Key": "gone"}, 204),
}


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_operation_can_be_presigned(kind, operation, local_aws, bucket, aws, s3_of):
    aws("s3").put_object(Bucket=bucket, Key="op", Body=b"x")
    method, arguments, status = OPERATIONS[operation]
    url = s3_of(kind).generate_presigned_url(operation, Params={"Bucket": bucket, **arguments})
    answer = send(local_aws, method, url)
    assert answer[0] == status, answer
    other = "DELETE" if method == "GET" else "GET"
    assert send(local_aws, other, url)[0] == 403


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("life", [5, 3600, WEEK])
def test_a_presigned_form_uploads_its_file(kind, life, local_aws, bucket, aws, s3_of):
    post = s3_of(kind).generate_presigned_post(bucket, "forms/${filename}", ExpiresIn=life)
    assert send(local_aws, "POST", post["url"], *form(post["fields"]))[0] == 204
    assert aws("s3").get_object(Bucket=bucket, Key="forms/f.txt")["Body"].read() == b"hello"


PERMISSIVE = base64.b64encode(b'{"expiration": "2099-01-01T00:00:00Z", "conditions": []}').decode()
FORMS = {  # what is changed of a form: its fields, fields after the file, the address, more headers; and the answer
    "another signature": (
        lambda f: {**f, **dict.fromkeys({"signature", "x-amz-signature"} & set(f), "0" * 64)},
        (),
        "",
        {},
        403,
    ),
    "a signature that is no ASCII": (
        lambda f: {**f, **dict.fromkeys({"signature", "x-amz-signature"} & set(f), "€")},
        (),
        "",
        {},
        403,
    ),
    "another policy": (lambda f: {**f, "policy": PERMISSIVE}, (), "", {}, 403),
    "another policy after the file": (dict, [("policy", PERMISSIVE)], "", {}, 403),
    "another key": (lambda f: {**f, "key": "other"}, (), "", {}, 403),
    "another key after the file": (dict, [("key", "other")], "", {}, 403),
    "a field that was not signed": (lambda f: {**f, "acl": "public-read"}, (), "", {}, 403),
    "an unknown access key": (
        lambda f: {
            n: "AKIAIOSFODNN7EXAMPLE/1/2/s3/4"
            if n == "x-amz-credential"
            else "AKIAIOSFODNN7EXAMPLE"
            if n == "AWSAccessKeyId"
            else v
            for n, v in f.items()
        },
        (),
        "",
        {},
        403,
    ),
    "no signature": (lambda f: {"key": f["key"]}, (), "", {}, 403),
    "another operation": (dict, (), "?delete", {}, 403),
    "an upload in parts": (dict, (), "/key?uploads", {}, 403),
    "a header that was not signed": (dict, (), "", {"x-amz-copy-source": "/doors/a"}, 403),
    "another service": (dict, (), "", {"X-Amz-Target": "AmazonSQS.ListQueues"}, 403),
}


@pytest.mark.table("presigned forms that were changed")
@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("change", FORMS)
def test_a_form_that_was_changed_uploads_nothing(kind, change, local_aws, bucket, aws, s3_of):
    post = s3_of(kind).generate_presigned_post(bucket, "changed/${filename}", ExpiresIn=60)
    fields, after, address, headers, status = FORMS[change]
    of_form, body = form(fields(post["fields"]), *after)
    answer = send(local_aws, "POST", post["url"] + address, {**of_form, **headers}, body)
    assert answer[0] == status, answer
    keys = [item["Key"] for item in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
    assert not [key for key in keys if key.startswith(("changed", "other"))]


def test_a_form_whose_time_is_over_uploads_nothing(local_aws, bucket, s3_of):
    post = s3_of("boto3's default").generate_presigned_post(bucket, "late", ExpiresIn=-5)
    answer = send(local_aws, "POST", post["url"], *form(post["fields"]))
    assert code_of(answer) == (403, "AccessDenied")
    assert b"Policy expired" in answer[1]


URLS = {  # what a stranger changes of a URL for one object, or sends along
    "another signature": (lambda url: url.replace("Signature=", "Signature=0"), {}),
    "a signature that is no ASCII": (lambda url: url.replace("Signature=", "Signature=%E2%82%AC"), {}),
    "no signature": (lambda url: re.sub(r"(X-Amz-)?Signature=[^&]*", "", url), {}),
    "another object": (lambda url: url.replace("a%20key", "b%20key"), {}),
    "another life": (lambda url: url.replace("Expires=", "Expires=1"), {}),
    "an endless life": (lambda url: url.replace("Expires=", "Expires=" + "9" * 30), {}),
    "a life that is no number": (lambda url: re.sub("Expires=[0-9]*", "Expires=x", url), {}),
    "another key": (
        lambda url: re.sub("(AWSAccessKeyId|X-Amz-Credential)=[A-Z0-9]*", r"\1=AKIAIOSFODNN7EXAMPLE", url),
        {},
    ),
    "another operation": (lambda url: f"{url}&acl", {}),
    "another operation in disguise": (lambda url: f"{url}&%61cl", {}),
    "attributes": (lambda url: f"{url}&attributes", {"x-amz-object-attributes": "ETag"}),
    "an action": (lambda url: f"{url}&Action=ListQueues", {}),
    "another credential": (lambda url: f"{url}&x-amz-credential=A/1/us-east-1/sqs/aws4_request&Action=ListQueues", {}),
    "another target": (str, {"X-Amz-Target": "AmazonSQS.ListQueues"}),
    "a header that was not signed": (str, {"x-amz-request-payer": "requester"}),
    "a hash that was not signed": (str, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
    "a signature besides": (
        str,
        {
            "Authorization": "AWS4-HMAC-SHA256 Credential=A/1/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
        },
    ),
    "a signature of version 2 besides": (str, {"Authorization": "AWS AKIAIOSFODNN7EXAMPLE:0"}),
}


@pytest.mark.table("presigned URLs that were changed")
@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("change", URLS)
def test_a_presigned_url_gives_what_was_signed_and_no_more(kind, change, local_aws, bucket, s3_of):
    url = s3_of(kind).generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a key/ü.txt"})
    assert send(local_aws, "GET", url)[0] == 200
    alter, headers = URLS[change]
    status, body = send(local_aws, "GET", alter(url), headers)
    assert status in (400, 403), body
    assert body != b"content"
    assert b"QueueUrl" not in body


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("way", ["header", "query"])
def test_a_presigned_upload_copies_no_other_object(kind, way, local_aws, bucket, aws, s3_of):
    url = s3_of(kind).generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "copied"})
    source = f"/{bucket}/a%20key/%C3%BC.txt"
    headers = {"x-amz-copy-source": source} if way == "header" else {}
    address = f"{url}&x-amz-copy-source={source}" if way == "query" else url
    assert send(local_aws, "PUT", address, headers, b"")[0] == 403
    with pytest.raises(ClientError, match="404"):
        aws("s3").head_object(Bucket=bucket, Key="copied")


def test_a_body_that_is_not_the_signed_one_is_refused(local_aws, bucket, aws):
    url = f"{local_aws.endpoint}/{bucket}/replaced"
    headers = signed(local_aws, service="s3", method="PUT", url=url, headers={}, data=b"mine")
    assert code_of(send(local_aws, "PUT", url, headers, b"evil")) == (400, "XAmzContentSHA256Mismatch")
    with pytest.raises(ClientError, match="404"):
        aws("s3").head_object(Bucket=bucket, Key="replaced")
    assert send(local_aws, "PUT", url, headers, b"mine")[0] == 200
    assert code_of(send(local_aws, "POST", "/", signed(local_aws), '{"QueueNamePrefix": "x"}'))[0] == 403


@pytest.mark.parametrize("name", ["x-amz-meta-a", "X-Amz-Copy-Source", "x-amz-acl", "X-Amz-Security-Token"])
def test_a_header_that_was_not_signed_is_refused(name, local_aws, bucket):
    url = f"{local_aws.endpoint}/{bucket}/added"
    headers = signed(local_aws, service="s3", method="PUT", url=url, headers={}, data=b"mine")
    answer = send(local_aws, "PUT", url, {**headers, name: "x"}, b"mine")
    assert code_of(answer) == (403, "AccessDenied")
    assert b"There were headers present in the request which were not signed" in answer[1]
    assert send(local_aws, "POST", "/", {**signed(local_aws), name: "x"}, "{}")[0] == 403


@pytest.mark.parametrize("service", ["sns", "s3", "lambda", "dynamodb"])
def test_a_signature_for_another_service_is_refused(service, local_aws):
    answer = send(local_aws, "POST", "/", signed(local_aws, service=service), "{}")
    assert code_of(answer) == (403, "SignatureDoesNotMatch")
    assert b"Credential should be scoped to correct service: 'sqs'." in answer[1]


def test_each_service_says_in_its_own_words_that_a_key_is_unknown(local_aws):
    keys = ("AKIAIOSFODNN7EXAMPLE", "wrong")
    said = {}
    for service in ("s3", "sqs", "sns", "lambda", "iam", "events"):
        given = {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]}
        client = boto3.client(service, **{**local_aws.client_kwargs(), **given})
        calls = {"s3": "list_buckets", "sqs": "list_queues", "sns": "list_topics", "lambda": "list_functions"}
        with pytest.raises(ClientError) as caught:
            getattr(client, calls.get(service, {"iam": "list_users", "events": "list_rules"}.get(service)))()
        said[service] = caught.value.response["Error"]["Code"]
    assert said == {
        "s3": "InvalidAccessKeyId",
        "sqs": "InvalidClientTokenId",
        "sns": "InvalidClientTokenId",
        "iam": "InvalidClientTokenId",
        "lambda": "UnrecognizedClientException",
        "events": "UnrecognizedClientException",
    }


def test_what_a_stranger_sends_is_not_kept(local_aws):
    server = psutil.Process(local_aws.pid)
    before = server.memory_info().rss
    headers = signed(local_aws, keys=("AKIAIOSFODNN7EXAMPLE", "wrong"))
    assert code_of(send(local_aws, "POST", "/", headers, chunks(100 * MB))) == (403, "InvalidClientTokenId")
    assert server.memory_info().rss - before < 50 * MB
