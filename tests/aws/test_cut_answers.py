"""An answer that ends too early is one that was lost: boto3 would take it for an empty one."""

import socket
import threading

import pytest

from nbchalice.aws import target
from nbchalice.aws.target import Connection, Target
from nbchalice.errors import LostAnswerError

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"
BODY = '{"QueueUrl": "http://q"}'


@pytest.fixture
def answered():
    """``answered(texts)``: a connection to a server that gives these answers, one each, and then ends the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve(texts):
        for text in texts:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(text.encode())

    def connect(texts):
        threading.Thread(target=serve, args=(texts,), daemon=True).start()
        session = target._session(region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def new_client(service, region, patience=None):
            return session.client(service, endpoint_url=url, config=target._config(patience, proxies={}))

        return Connection(Target("local", "us-east-1", "000000000000"), new_client), asked

    yield connect
    listener.close()


@pytest.mark.parametrize("cut", ["", BODY[:9]], ids=["nothing", "a part"])
def test_what_may_be_asked_again_is(answered, cut):
    head = HEAD.format(len(BODY))
    connection, asked = answered([head + cut, head + BODY])
    assert connection.client("sqs").get_queue_url(QueueName="q")["QueueUrl"] == "http://q"
    assert len(asked) == 2


def test_what_may_have_been_done_is_not_asked_again(answered):
    connection, asked = answered([HEAD.format(len(BODY))])
    with pytest.raises(LostAnswerError):
        connection.client("sqs").send_message(QueueUrl="http://q", MessageBody="m")
    assert len(asked) == 1
