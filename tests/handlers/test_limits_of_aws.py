"""Runtimes, ranges and enumerations are those of the installed botocore: it fails when AWS has more than we know."""

import re

import botocore.session
import pytest

from nbchalice.handlers.settings import MOST_SECURITY_GROUPS, MOST_SUBNETS, RETENTION_DAYS, SETTINGS
from nbchalice.names import LONGEST_RUN, RUNTIMES
from nbchalice.sources import SOURCES, payloads

# Ranges of the model that hold only for functions that nbchalice does not make: on managed instances, with accelerators.
ELSEWHERE = {"memory": 32_768, "ephemeral_storage": 32_768, "timeout": 5400}
# In words, for such a function as nbchalice makes; the developer guide's "Lambda quotas" for the memory.
IN_WORDS = {
    "timeout": ("Timeout", r"maximum allowed value is ([\d,]+) seconds"),
    "ephemeral_storage": ("EphemeralStorage", r"between 512 and ([\d,]+) MB"),
}
SHAPES = {
    "timeout": "Timeout",
    "memory": "MemorySize",
    "ephemeral_storage": "EphemeralStorageSize",
    "batch_size": "BatchSize",
    "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
    "maximum_concurrency": "MaximumConcurrency",
    "parallelization_factor": "ParallelizationFactor",
    "tumbling_window_in_seconds": "TumblingWindowInSeconds",
    "maximum_retry_attempts": "MaximumRetryAttemptsEventSourceMapping",
    "maximum_record_age_in_seconds": "MaximumRecordAgeInSeconds",
    "retries": "MaximumRetryAttempts",
    "max_age": "MaximumEventAgeInSeconds",
}


def model(service):
    return botocore.session.get_session().get_service_model(service)


def options():
    for option in SETTINGS:
        yield "function", option
    for name, source in SOURCES.items():
        for option in source.options:
            yield name, option


RANGES = [(where, option) for where, option in options() if option.name in SHAPES]


def test_pythons_are_those_of_lambda_from_the_oldest_on_that_we_run_on():
    of_lambda = [name.removeprefix("python") for name in model("lambda").shape_for("Runtime").enum if "python3" in name]
    assert list(RUNTIMES) == of_lambda[of_lambda.index(RUNTIMES[0]) :]


@pytest.mark.parametrize(("where", "option"), RANGES, ids=[f"{where} {option.name}" for where, option in RANGES])
def test_ranges_are_those_of_the_model(where, option):
    limits = model("lambda").shape_for(SHAPES[option.name]).metadata
    assert option.minimum == limits["min"]
    assert limits["max"] == ELSEWHERE.get(option.name, option.maximum)


def test_ranges_were_compared():
    assert {option.name for _, option in RANGES} == set(SHAPES)


@pytest.mark.parametrize("name", IN_WORDS)
def test_where_functions_differ_the_range_is_that_of_the_models_words(name):
    member, words = IN_WORDS[name]
    text = model("lambda").operation_model("CreateFunction").input_shape.members[member].documentation
    option = next(option for option in SETTINGS if option.name == name)
    assert option.maximum == int(re.search(words, re.sub("<[^>]+>", "", text))[1].replace(",", ""))


def test_the_longest_run_is_the_longest_timeout():
    assert next(option.maximum for option in SETTINGS if option.name == "timeout") == LONGEST_RUN


def test_choices_are_those_of_the_model():
    of = {option.name: option.choices for _, option in options()}
    assert list(of["arch"]) == model("lambda").shape_for("Architecture").enum
    assert {*of["log_class"]} <= {*model("logs").shape_for("LogGroupClass").enum}
    positions = model("lambda").shape_for("EventSourcePosition").enum
    assert {*of["starting_position"]} <= {*positions} == {"LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"}
    assert model("lambda").shape_for("SubnetIds").metadata["max"] == MOST_SUBNETS
    assert model("lambda").shape_for("SecurityGroupIds").metadata["max"] == MOST_SECURITY_GROUPS


def test_days_of_retention_are_those_of_the_models_words():
    text = model("logs").operation_model("PutRetentionPolicy").input_shape.members["retentionInDays"].documentation
    listed = text.partition("Possible values are")[2].partition(".")[0]
    assert tuple(map(int, re.findall(r"\d+", listed))) == RETENTION_DAYS


def words(service, operation, member=None):
    """What the model says of a call, or of a parameter of it, in numbers without commas."""
    described = model(service).operation_model(operation)
    text = (described.input_shape.members[member] if member else described).documentation
    return re.sub(r"(?<=\d),(?=\d)", "", " ".join(re.sub("<[^>]+>", "", text).split()))


def test_sizes_of_what_is_sent_are_those_of_the_models():
    assert f"maximum size is 1 MiB or {payloads.MOST_OF_QUEUE} bytes" in words("sqs", "SendMessage", "MessageBody")
    topic = words("sns", "Publish", "Message")
    assert f"at most 256 KiB in size ({payloads.USUAL_OF_TOPIC} bytes" in topic
    assert f"MaximumMessageSize attribute, which supports values up to 1 MiB ({payloads.MOST_OF_TOPIC} bytes)" in topic
    assert model("kinesis").shape_for("Data").metadata["max"] == payloads.MOST_OF_STREAM
    assert "MaxRecordSizeInKiB" in model("kinesis").shape_for("StreamDescriptionSummary").members
    assert "total entry size must be less than 1MB" in words("events", "PutEvents")
    invoked = words("lambda", "Invoke", "Payload")
    assert "6 MB for synchronous invocations and 1 MB for asynchronous invocations" in invoked
    assert (payloads.MOST_INVOKED, payloads.MOST_INVOKED_LATER) == (6 * 1024**2, 1024**2)


def test_pollers_of_a_queue_are_those_of_the_models_words():
    members = model("lambda").shape_for("ProvisionedPollerConfig").members
    of = {option.name: (option.minimum, option.maximum) for _, option in options()}
    least = re.sub("<[^>]+>", "", members["MinimumPollers"].documentation)
    assert "minimum 2 required" in least and of["min_pollers"] == (2, members["MinimumPollers"].metadata["max"])
    most = re.sub("<[^>]+>", "", members["MaximumPollers"].documentation)
    assert re.search(r"Amazon SQS .* between 2 and 10,000, with a default of 200", most)
    assert of["max_pollers"] == (2, members["MaximumPollers"].metadata["max"])


def test_access_of_a_function_url_is_that_of_the_model():
    from nbchalice.resources.function_url import AUTH_TYPES

    assert sorted(AUTH_TYPES.values()) == sorted(model("lambda").shape_for("FunctionUrlAuthType").enum)
