"""Lines that Lambda writes into a function's log."""

A = "11111111-aaaa-4aaa-8aaa-111111111111"
B = "22222222-bbbb-4bbb-8bbb-222222222222"
NUMBERS = "Duration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 38 MB\t"


def start(id=A):
    return f"START RequestId: {id} Version: $LATEST"


def end(id=A):
    return f"END RequestId: {id}"


def report(id=A, more=""):
    return f"REPORT RequestId: {id}\t{NUMBERS}{more}"
