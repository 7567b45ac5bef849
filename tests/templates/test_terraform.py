"""What a configuration of Terraform says, without Terraform: its form, the provider's schema, and the values of the template."""

import json
import re

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.handlers import SETTINGS
from nbchalice.sources import BUILT_IN
from nbchalice.templates.cloudformation import template_of
from nbchalice.templates.kinds import Kind
from nbchalice.templates.places import ACCOUNT, REGION
from nbchalice.templates.terraform import LEAST, POLICY, TARGET, UPDATES, for_terraform
from nbchalice.templates.terraform_text import named

from ..deploy.harness import app, handler, package, s3, schedule, sns, sqs
from ..doctor.shop import Place, arn_of, first, second, small_limit
from .configurations import EXPRESSION, problems, references, schemas, texts, versions_for
from .same_values import unlike

SIGNING = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
PLACE = Place(
    "place", arn_of("dynamodb", "table/place/stream/2026-01-01T00:00:00.000"), arn_of("kms", "key/1"),
    "arn:aws:iam::000000000000:policy/bound", "arn:aws:iam::000000000000:role/lent",
)  # fmt: skip


def settings():
    """Handlers that have, with those of the doctor's apps, every option of every source and every setting."""
    awkward = {"PATTERN": '${x} %{if} $${y} "z" \\n', "Ref": "1"}
    stream = {
        "batch_size": 7, "maximum_batching_window_in_seconds": 3, "report_failures": True,
        "bisect": True, "maximum_retry_attempts": 2, "maximum_record_age_in_seconds": 100, "parallelization_factor": 2,
        "tumbling_window_in_seconds": 30,
    }  # fmt: skip
    queue = {
        "batch_size": 20, "maximum_batching_window_in_seconds": 2, "report_failures": True, "max_receive_count": 4,
        "filter": {"body": {"net": [{"numeric": [">", 1]}]}},
    }  # fmt: skip
    return [
        handler(
            "price", sqs("orders", maximum_concurrency=5, **queue), code_signing=SIGNING, runtime_management="FunctionUpdate",
            log_group="team", subnet=["subnet-0123456789abcdef0"], security_group=["sg-0123456789abcdef0"], tracing=True,
            role_path="/team/", tag={"team": "a b", "x:y": "z"}, env=awkward, json_logs=True, dlq="dead", timeout=9, memory=256,
            permissions_boundary="arn:aws:iam::123456789012:policy/bound", arch="arm64", python="3.12", ephemeral_storage=600,
            trust=["arn:aws:iam::123456789012:root"],
            allow=[("s3:GetObject", "arn:aws:s3:::files/${aws:username}/*")], layer=["arn:aws:lambda:eu-west-1:123456789012:layer:extra:3"],
        ),
        handler("polled", sqs(None, queue_arn="arn:aws:sqs:eu-west-1:000000000000:polled", min_pollers=2, max_pollers=4)),
        handler(
            "clicks", ("on_kinesis_record", {
                "stream": "clicks", "starting_position": "AT_TIMESTAMP", "filter": {"data": {"kind": ["a"]}}, "starting_position_timestamp": "2026-01-02T03:04:05Z", **stream,
            }), reserved_concurrency=2, log_retention=30, log_class="INFREQUENT_ACCESS",
        ),
        handler("changes", ("on_dynamodb_record", {"stream_arn": PLACE.table_stream, "starting_position": "TRIM_HORIZON", "filter": {"dynamodb": {"Keys": {"id": {"S": ["a ${b}"]}}}}, **stream})),
        handler("abroad", sns("arn:aws:sns:eu-west-2:000000000000:news", filter_policy={"a": ["b"]}, filter_scope="MessageBody", redrive_dlq="dead")),
        handler("tick", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna", flexible_window=5, description="${a}", input={"b": 1}, enabled=False), retries=1, max_age=90),
        handler("ingest", s3("files", events=["s3:ObjectRemoved:*"], prefix="in/", suffix=".csv"), log_kms_key=PLACE.key, kms_key=PLACE.key),
        handler("big", s3("files", via="eventbridge", min_size=1, max_size=9), role=PLACE.role, on_failure=arn_of("sns", "failed")),
        handler("orders", ("on_cw_event", {"event_pattern": {"source": ["shop"]}, "bus": "shop"})),
        handler("web", ("lambda_function", {"url": "public"})),
    ]  # fmt: skip


# What changes the code alone, is for the local AWS or a deploy alone, is another way to say the same, or is refused.
ELSEWHERE = {
    "allow_secret", "requirements", "no_big", "per_record", "skip_failed_groups", "fix_visibility_timeout", "policy", "record", "redact",
}  # fmt: skip


def test_the_handlers_have_every_option_of_every_source_and_every_setting():
    given, made = set(), settings()
    for one in made:
        given |= set(one.settings) | {
            f"{trigger.source} {name}" for trigger in one.triggers for name in trigger.options
        }
    known = {one.name for one in SETTINGS} | {
        f"{name} {option.name}" for name, source in BUILT_IN.items() for option in source.options
    }
    assert {one for one in known - given if one.rpartition(" ")[2] not in ELSEWHERE} == set()


@pytest.fixture(scope="module", params=["first", "second", "settings"])
def made(request):
    """A template and the configuration that is made of it."""
    undo = small_limit()
    if request.param == "settings":
        one = app("shop", *settings())
        template = template_of(one, {each.name: package() for each in one.handlers})
    else:
        shop = {"first": first, "second": second}[request.param](PLACE)
        template = template_of(shop.made, shop.packages(shop.made)())
    yield template, for_terraform(template)
    undo()


def configuration(*handlers, **options):
    return for_terraform(template_of(app("shop", *handlers, **options), {one.name: package() for one in handlers}))


def test_each_kind_of_resource_is_recorded_of_each_version():
    kinds = {*(kind.terraform for kind in Kind), POLICY, TARGET, UPDATES}
    for known in schemas().values():
        assert kinds <= set(known)
    assert f"{LEAST}.0" in schemas()


def test_blocks_references_and_arguments_are_those_of_the_providers_schema(made, capsys):
    _, configuration = made
    body = json.loads(json.dumps(configuration.body))
    versions = versions_for(body)
    assert versions
    with capsys.disabled():
        print(
            f"\nchecked by the form of Terraform's JSON and the schema of hashicorp/aws {' and '.join(versions)}, as recorded"
        )
    for version in versions:
        assert list(problems(body, version)) == []
    files = set(re.findall(r"\$\{path\.module\}/code/([\w.-]+)", json.dumps(body)))
    assert files and files <= set(configuration.files)


def test_each_resource_has_the_values_of_cloudformations(made, capsys):
    template, configuration = made
    rows = {name: unlike(template, configuration, name) for name in template.body["Resources"]}
    with capsys.disabled():
        print("\nresources of the configuration, beside those of CloudFormation's template:")
        for name, reasons in rows.items():
            print(f"  {configuration.names[name]:74} {name:34} {'; '.join(reasons) or 'equal'}")
    assert {name: reasons for name, reasons in rows.items() if reasons} == {}


@pytest.mark.parametrize("wrong, said", [
    ({"resource": {"aws_lambda_function": {"a": {"function_name": "a", "role": "b", "colour": 1}}}}, "unknown argument colour"),
    ({"resource": {"aws_lambda_function": {"a": {"function_name": "a"}}}}, "role is missing"),
    ({"resource": {"aws_lambda_function": {"a": {"function_name": "a", "role": "b", "timeout": "soon"}}}}, "timeout is no number"),
    ({"resource": {"aws_lambda_function": {"1": {"function_name": "${var.other}", "role": "b"}}}}, "var.other is not declared"),
    ({"resource": {"aws_lambda_function": {"a": {"function_name": "a", "role": "${aws_iam_role.none.arn}"}}}}, "aws_iam_role.none.arn is not"),
    ({"resource": {"aws_lambda_layers": {"a": {}}}}, "unknown type"),
    ({"resource": {}, "locals": {}}, "unknown block locals"),
])  # fmt: skip
def test_what_is_wrong_with_a_configuration_is_found(wrong, said):
    assert any(said in one for one in problems(wrong, "5.100.0"))


def test_names_are_the_handlers_and_two_of_one_name_differ():
    body = configuration(
        handler("on_order", sqs("a")),
        handler("onOrder", sns("c")),
        handler("ON_order", sns("d")),
        handler("onorder", sns("e")),
    ).body
    names = list(body["resource"]["aws_lambda_function"])
    assert "on_order_function" in names and len(names) == len(set(names)) == 4
    assert list(problems(body, "5.100.0")) == []


def test_names_that_terraform_does_not_take_are_written_otherwise():
    assert named(["3dayFunction", "ABRole", "S3Bucket"]) == {
        "3dayFunction": "_3day_function",
        "ABRole": "abrole",
        "S3Bucket": "s3_bucket",
    }


def test_a_moment_is_written_as_the_provider_takes_it():
    stream = {
        "stream": "clicks",
        "starting_position": "AT_TIMESTAMP",
        "starting_position_timestamp": "2026-01-02T03:04:05Z",
    }
    (mapping,) = (
        configuration(handler("clicks", ("on_kinesis_record", stream)))
        .body["resource"]["aws_lambda_event_source_mapping"]
        .values()
    )
    assert mapping["starting_position_timestamp"] == "2026-01-02T03:04:05Z"


def test_texts_that_look_like_expressions_stay_what_they_are():
    body = configuration(
        handler(
            "price", sqs("orders"), env={"AA": "${x}", "BB": "%{if}", "CC": f"${ACCOUNT}", "DD": f"${{x}} {REGION}"}
        )
    ).body
    env = body["resource"]["aws_lambda_function"]["price_function"]["environment"]["variables"]
    account = "data.aws_caller_identity.current.account_id"
    assert env == {
        "AA": "$${x}",
        "BB": "%%{if}",
        "CC": f'${{"$"}}${{{account}}}',
        "DD": "$${x} ${data.aws_region.current.id}",
    }


def test_variables_and_lookups_are_those_that_it_uses():
    body = configuration(handler("tick", schedule("rate(1 hour)"))).body
    assert list(body["variable"]) == ["app_name", "stage"] and body["variable"]["stage"]["default"] == "dev"
    used = {one.split(".")[1] for one in references(json.dumps(body).replace('\\"', '"')) if one.startswith("data.")}
    assert used == set(body["data"])


def test_a_newer_provider_is_asked_for_where_an_argument_needs_it():
    def version(*handlers):
        return configuration(*handlers).body["terraform"]["required_providers"]["aws"]["version"]

    assert version(handler("tick", schedule("rate(1 hour)"))) == ">= 5.100, < 7.0"
    assert version(handler("abroad", sns("arn:aws:sns:eu-west-2:000000000000:news"))) == ">= 6.0, < 7.0"
    assert version(handler("web", ("lambda_function", {"url": "iam"}))) == ">= 6.29, < 7.0"


def test_who_needs_a_role_waits_for_its_policy_and_who_needs_a_rule_for_its_target():
    body = configuration(
        handler("tick", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna")), handler("ingest", s3("files"))
    ).body
    assert "aws_iam_role_policy.tick_role" in body["resource"]["aws_lambda_function"]["tick_function"]["depends_on"]
    (timed,) = body["resource"]["aws_scheduler_schedule"].values()
    assert any(one.startswith("aws_iam_role_policy.tick_scheduler_role") for one in timed["depends_on"])
    (invoked,) = body["resource"]["aws_lambda_invocation"].values()
    assert invoked["lifecycle_scope"] == "CRUD" and any("permission" in one for one in invoked["depends_on"])


def test_nothing_of_an_account_is_in_it_and_it_is_the_same_each_time():
    handlers = [handler("price", sqs("orders"), dlq="dead"), handler("ingest", s3("files", prefix="in/"))]
    one, other = configuration(*handlers), configuration(*handlers)
    assert json.dumps(one.body) == json.dumps(other.body) and one.files == other.files
    assert not any(stand_in in text for text in texts(one.body) for stand_in in (ACCOUNT, REGION))
    assert all(EXPRESSION.search(text) for text in texts(one.body) if "${" in text.replace("$${", ""))


def test_what_no_template_makes_is_refused():
    with pytest.raises(
        NbChaliceError, match="--record keeps events in the bucket of nbchalice, which no template makes"
    ):
        configuration(handler("price", sqs("orders"), record=10))
