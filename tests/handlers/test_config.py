"""`.chalice/config.json`: Chalice's keys and precedence, weaker than the notebook."""

import json

import pytest

from nbchalice import operations
from nbchalice.config import OWN, read_config, settings_for, with_config
from nbchalice.errors import InvalidInputError
from nbchalice.notebook_file import read_project


def write(folder, config):
    (folder / ".chalice").mkdir(exist_ok=True)
    (folder / ".chalice" / "config.json").write_text(json.dumps(config))
    return read_config(folder)


def notebook(folder, *cells):
    import nbformat

    path = folder / "note.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    return path


CHALICES_EXAMPLE = {
    "stages": {"dev": {"lambda_functions": {"handle_sqs_message": {"lambda_timeout": 30}}}},
    "version": "2.0",
    "app_name": "chalice-sqs-demo",
}
EXAMPLE_APP = """from nbchalice import Chalice

app = Chalice(app_name='other-name')
app.debug = True

@app.on_sqs_message(queue='my-queue', batch_size=1)
def handle_sqs_message(event):
    for record in event:
        app.log.debug("Received message with contents: %s", record.body)
"""


def test_chalices_example_works(tmp_path, local_aws):
    from nbchalice.aws.target import connect

    write(tmp_path, CHALICES_EXAMPLE)
    project = read_project(notebook(tmp_path, EXAMPLE_APP))
    assert project.name == "chalice-sqs-demo"
    connection = connect("local")
    done = operations.deploy(project, connection)
    try:
        (function,) = done.functions
        assert function.name == "chalice-sqs-demo-dev-handle_sqs_message"
        assert connection.client("lambda").get_function_configuration(FunctionName=function.name)["Timeout"] == 30
        assert operations.deploy(project, connection).changes == ()
    finally:
        operations.delete(project, connection)


def test_the_magic_names_the_app_before_the_file_and_the_file_before_the_code(tmp_path):
    cell = "@app.schedule('rate(1 hour)')\ndef f(event): ..."
    assert read_project(notebook(tmp_path, "%chalice app magic", cell)).name == "magic"
    write(tmp_path, {"app_name": "file"})
    assert read_project(notebook(tmp_path, "%chalice app magic", cell)).name == "magic"
    assert read_project(notebook(tmp_path, EXAMPLE_APP)).name == "file"
    assert read_project(notebook(tmp_path, "%%schedule rate(1 hour)\ndef f(event): ...")).name == "file"


def test_the_function_is_stronger_than_the_stage_and_the_stage_than_the_file(tmp_path):
    config = write(
        tmp_path,
        {
            "lambda_timeout": 10,
            "lambda_memory_size": 256,
            "environment_variables": {"A1": "file", "B1": "file"},
            "tags": {"t": "file"},
            "stages": {
                "dev": {
                    "lambda_timeout": 20,
                    "environment_variables": {"B1": "stage", "C1": "stage"},
                    "lambda_functions": {
                        "price": {
                            "lambda_timeout": 30,
                            "environment_variables": {"C1": "function"},
                            "tags": {"u": "function"},
                        }
                    },
                },
                "prod": {
                    "xray": True,
                    "reserved_concurrency": 5,
                    "layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"],
                },
            },
        },
    )
    assert settings_for(config, "dev", "price") == {
        "timeout": 30, "memory": 256, "env": {"A1": "file", "B1": "stage", "C1": "function"}, "tag": {"t": "file", "u": "function"},
    }  # fmt: skip
    assert settings_for(config, "dev", "other")["timeout"] == 20
    prod = settings_for(config, "prod", "price")
    assert (prod["timeout"], prod["tracing"], prod["reserved_concurrency"], len(prod["layer"])) == (10, True, 5, 1)
    own = with_config(config, "dev", "price", {"timeout": 40, "env": [("C1", "own")]})
    assert own["timeout"] == 40 and own["env"] == {"A1": "file", "B1": "stage", "C1": "own"}


ALL_KEYS = {
    "lambda_timeout": 30,
    "lambda_memory_size": 256,
    "environment_variables": {"A1": "b"},
    "tags": {"t": "u"},
    "layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"],
    "reserved_concurrency": 0,
    "iam_policy_file": "policy.json",
    "log_retention_in_days": 7,
    "subnet_ids": ["subnet-1"],
    "security_group_ids": ["sg-1"],
    "xray": True,
    "autogen_policy": False,
    "api_gateway_stage": "api",
    "automatic_layer": True,
    "dlq": "dead",
    "on_failure": "failed",
    "json_logs": True,
    "ephemeral_storage": 1024,
    "lambda_architecture": "arm64",
    "allowed_accounts": ["123456789012"],
}


def test_every_key_of_chalice_is_known(tmp_path):
    config = write(tmp_path, {"version": "2.0", "app_name": "shop", "stages": {"dev": {}}, **ALL_KEYS})
    found = settings_for(config, "dev", "price")
    assert found["policy"] == ".chalice/policy.json"
    assert found["subnet"] == ["subnet-1"] and found["reserved_concurrency"] == 0 and found["arch"] == "arm64"
    assert len(found) == 16


def test_what_is_left_out_of_recorded_events_may_stand_in_another_section(tmp_path):
    stages = {"dev": {"lambda_functions": {"price": {"record": 20}}}}
    found = settings_for(write(tmp_path, {"redact": ["customer.email"], "stages": stages}), "dev", "price")
    assert found == {"record": 20, "redact": ["customer.email"]}


# The keys that Chalice 1.34 reads from its file, beside those of ALL_KEYS.
FURTHER_KEYS = {
    "api_gateway_endpoint_type": "REGIONAL",
    "api_gateway_endpoint_vpce": ["vpce-1"],
    "api_gateway_policy_file": "api.json",
    "api_gateway_custom_domain": {"domain_name": "shop.example", "certificate_arn": "arn:aws:acm:x"},
    "websocket_api_custom_domain": {"domain_name": "ws.example", "certificate_arn": "arn:aws:acm:x"},
    "minimum_compression_size": 100,
    "profile": "work",
    "manage_iam_role": True,
    "lambda_functions": {"price": {"lambda_timeout": 5, "xray": False}},
}


def test_an_unchanged_file_of_chalice_loads(tmp_path):
    of_chalice = {key: value for key, value in ALL_KEYS.items() if key not in {*OWN, "allowed_accounts"}}
    stage = {**of_chalice, **FURTHER_KEYS}
    config = write(tmp_path, {"version": "2.0", "app_name": "shop", "stages": {"dev": stage}})
    found = settings_for(config, "dev", "price")
    assert (found["arch"], found["timeout"], found["tracing"]) == ("arm64", 5, False)
    assert settings_for(config, "dev", "other")["tracing"] is True


def test_roles(tmp_path):
    role = "arn:aws:iam::123456789012:role/r"
    own = write(tmp_path, {"manage_iam_role": False, "iam_role_arn": role})
    assert settings_for(own, "dev", "f") == {"role": role}
    managed = write(tmp_path, {"manage_iam_role": True, "iam_role_arn": role})
    assert settings_for(managed, "dev", "f") == {}
    policy = write(tmp_path, {"iam_policy_file": "p.json"})
    assert with_config(policy, "dev", "f", {"role": role}) == {"role": role}
    assert settings_for(write(tmp_path, {"autogen_policy": False}), "dev", "f") == {
        "policy": ".chalice/policy-dev.json"
    }


def test_the_variables_that_may_look_like_credentials_add_up(tmp_path):
    config = {"allow_secret": ["A"], "stages": {"dev": {"allow_secret": ["B"]}}}
    config["stages"]["dev"]["lambda_functions"] = {"f": {"allow_secret": ["A", "C"]}}
    written = write(tmp_path, config)
    assert with_config(written, "dev", "f", {"allow_secret": ["D"]})["allow_secret"] == ["A", "B", "C", "D"]
    assert with_config(written, "prod", "f", {})["allow_secret"] == ["A"]


def test_a_value_that_may_be_a_secret_is_not_shown(tmp_path):
    with pytest.raises(InvalidInputError, match="environment_variables DB_PASSWORD wants a text, not a number"):
        write(tmp_path, {"environment_variables": {"DB_PASSWORD": 24681357}})


def test_no_file_says_nothing(tmp_path):
    assert read_config(tmp_path) == {}
    assert settings_for({}, "dev", "f") == {}


@pytest.mark.parametrize(
    "given",
    [{"s3:GetObject": "arn:aws:s3:::b/*"}, ["s3:GetObject=arn:aws:s3:::b/*"], [("s3:GetObject", "arn:aws:s3:::b/*")]],
)
def test_allow_can_be_written_in_several_ways(given):
    assert with_config({}, "dev", "f", {"allow": given})["allow"] == [("s3:GetObject", "arn:aws:s3:::b/*")]


def test_a_byte_order_mark_does_no_harm_and_endless_nesting_is_told(tmp_path):
    write(tmp_path, {"app_name": "shop"})
    path = tmp_path / ".chalice" / "config.json"
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert read_config(tmp_path) == {"app_name": "shop"}
    path.write_text("[" * 100_000)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_config(tmp_path)
