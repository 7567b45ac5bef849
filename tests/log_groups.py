"""Reading what functions wrote while they may still be starting: a log group that is not there yet has no lines yet."""


def read_events(logs, function, **options):
    """Return all that a function has logged so far.

    A log group is made when the function's first environment is, which may be after a test asks.
    """
    return read_group(logs, f"/aws/lambda/{function}", **options)


def read_group(logs, group, **options):
    """Return all events of a log group so far."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **options)
    try:
        return [event for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def read_lines(logs, function, **options):
    """Return the messages that a function has logged so far."""
    return [event["message"] for event in read_events(logs, function, **options)]


def read_streams(logs, function):
    """Return the names of the log streams that a function has so far."""
    return streams_of(logs, f"/aws/lambda/{function}")


def streams_of(logs, group):
    """Return the names of the log streams that a log group has so far."""
    try:
        found = logs.describe_log_streams(logGroupName=group)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [stream["logStreamName"] for stream in found]
