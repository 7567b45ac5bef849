"""The policy names what is the app's own by app and stage, however the service spells it."""

import pytest

from nbchalice.doctor.policy import policy_of
from nbchalice.resources.grants import Grant
from nbchalice.resources.rule import Rule

from ..deploy.harness import app, handler, package, schedule
from .shop import ACCOUNT


class Place:
    """An account and region of which nothing is asked."""

    region, account, partition, local = "eu-west-1", ACCOUNT, "aws", False


@pytest.mark.parametrize(
    ("spelled", "named"),
    [
        ("rule/{name}-event-2", "rule/shop-dev-*-event-2"),
        ("rule/{flat}_event_2", "rule/shop_dev_*_event_2"),
        ("rule/{flat}", "rule/shop_dev_*"),
    ],
)
def test_the_name_of_a_handler_is_any(monkeypatch, spelled, named):
    def grants(rule):
        name = rule.function.name
        resource = spelled.format(name=name, flat=name.replace("-", "_"))
        return [Grant(("iot:GetTopicRule",), (rule.function.arn_of("iot", resource),))]

    monkeypatch.setattr(Rule, "grants", property(grants))
    made = app("shop", handler("tick", schedule()), handler("tick_2", schedule()))
    document = policy_of(made, dict.fromkeys(["tick", "tick_2"], package()), Place())
    (found,) = (one["Resource"] for one in document["Statement"] if one["Action"] == ["iot:GetTopicRule"])
    assert found == f"arn:aws:iot:eu-west-1:{ACCOUNT}:{named}"
