"""Provisioned pollers of a queue, on the local AWS, which only notes them."""

import pytest

from nbchalice.sources import SOURCES

SOURCE = SOURCES["on_sqs_message"]


def standing(one):
    (made,) = one.aws.client("lambda").list_event_source_mappings(FunctionName=one.ref.name)["EventSourceMappings"]
    return made.get("ProvisionedPollerConfig") or {}


def options(**more):
    return {**{option.name: option.default for option in SOURCE.all_options()}, "queue": "orders", **more}


def test_pollers_are_set_changed_and_taken_away(deployed, name):
    one = deployed(f"@app.on_sqs_message('{name}', min_pollers=3)")
    assert standing(one) == {"MinimumPollers": 3, "MaximumPollers": 200}
    assert one.plan().changes == ()
    mapping = one.aws.client("lambda").list_event_source_mappings(FunctionName=one.ref.name)["EventSourceMappings"][0]
    one.aws.client("lambda").update_event_source_mapping(
        UUID=mapping["UUID"], ProvisionedPollerConfig={"MinimumPollers": 5, "MaximumPollers": 9}
    )
    (change,) = one.plan().changes
    assert change.reason.startswith("ProvisionedPollerConfig: MinimumPollers 5, MaximumPollers 9 -> ")
    one.change(f"@app.on_sqs_message('{name}', max_pollers=20)")
    one.deploy()
    assert standing(one) == {"MinimumPollers": 2, "MaximumPollers": 20}
    one.change(f"@app.on_sqs_message('{name}')")
    assert ("update", "event source mapping") in one.changes()
    assert standing(one) == {} and one.plan().changes == ()


def test_who_has_none_sends_nothing_of_them(deployed, name):
    one = deployed(f"@app.on_sqs_message('{name}')")
    asked = []
    one.aws.client("lambda").meta.events.register(
        "provide-client-params.lambda.UpdateEventSourceMapping", lambda params, **_: asked.append(params)
    )
    one.change(f"@app.on_sqs_message('{name}', batch_size=5)")
    one.deploy()
    assert asked and "ProvisionedPollerConfig" not in asked[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"min_pollers": 1}, "--min-pollers is 2 to 200, not 1"),
        ({"max_pollers": 10_001}, "--max-pollers is 2 to 10000, not 10001"),
        ({"min_pollers": 9, "max_pollers": 8}, "--min-pollers 9 is more than --max-pollers 8"),
        ({"min_pollers": 2, "maximum_concurrency": 5}, "--maximum-concurrency is not for provisioned pollers"),
    ],
)
def test_what_lambda_would_refuse_is_refused(more, words):
    (text,) = SOURCE.problems(options(**more))
    assert words in text


def test_the_cost_is_told():
    (note,) = [note for note in SOURCE.notes(options(min_pollers=2), {}) if "pollers" in note]
    assert note.startswith("Lambda keeps 2 to 200 pollers for the queue, which cost also while it is empty")
