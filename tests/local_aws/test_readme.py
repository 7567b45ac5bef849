"""What the README says of the local AWS: each statement has a test, and what is not as on AWS is shown here."""

import json
import os
import re
from pathlib import Path

import pytest

from nbchalice.aws.local.client import spawn
from nbchalice.aws.local.client.server import local_home
from nbchalice.aws.local.server.workers import POLL_SECONDS
from nbchalice.aws.local.shared.home import Record

from ..log_groups import read_lines
from ..roles import NOTHING, make_role

ROOT = Path(__file__).parents[2]
# How each statement begins, and the tests of it.
STATEMENTS = {
    "The local AWS is one process": ["test_lifecycle.py::test_two_starts_at_once_make_one_server"],
    "ended after four hours": [
        "test_lifecycle.py::test_an_idle_server_stops",
        "test_readme.py::test_it_ends_after_four_hours",
    ],
    "keeps its state when it stops": ["test_lifecycle.py::test_state_survives_a_stop"],
    "without the packages of your notebook": ["test_environment_of_handlers.py::test_a_forgotten_dependency"],
    "Dependencies with compiled code": ["../ui/test_other_machines.py::test_compiled_dependencies"],
    "What AWS refuses, it refuses with AWS's errors": [
        "test_requests.py::test_a_message_that_sns_refuses",
        "test_doors.py::test_each_service_says_in_its_own_words_that_a_key_is_unknown",
    ],
    "the local AWS runs the same versions, made for it": ["../ui/test_other_machines.py::test_compiled_dependencies"],
    "It saves its state within a second": [
        "test_lifecycle.py::test_changes_are_saved_without_being_asked",
        "test_crashes.py::test_a_kill_in_the_midst_of_a_save",
        "test_crashes.py::test_a_crash_loses_nothing_that_was_saved",
    ],
    "where saving falls behind": [
        "test_unsaved.py::test_calls_wait_until_what_is_too_old_is_written",
        "test_crashes.py::test_calls_wait_while_the_disk_does_not_keep_up",
    ],
    "clock is set back": [
        "test_clock.py::test_while_it_runs_what_waits",
        "test_clock.py::test_what_was_saved_at_a_later_time",
    ],
    "Where it fails (a full disk)": ["test_crashes.py::test_a_disk_that_is_full_or_read_only_is_told"],
    "A file that cannot be read": ["test_saved_state.py::test_a_damaged_file_is_moved_aside_and_told"],
    "state that a newer release": ["test_saved_state.py::test_newer_state_is_refused"],
    "A server that died is started again": ["test_death.py::test_a_call_goes_on"],
    "`local env` prints the variables": ["test_security.py::test_client_arguments_and_environment"],
    "`local reset` forgets everything": ["test_lifecycle.py::test_reset_forgets_everything"],
    "listens on the loopback interface only": ["test_security.py::test_one_loopback_port_is_open"],
    "answers only calls that are signed": ["test_security.py::test_a_wrong_key_or_secret_changes_nothing"],
    "keys that it does not know": [
        "test_doors.py::test_each_service_says_in_its_own_words_that_a_key_is_unknown",
        "test_doors.py::test_what_a_stranger_sends_is_not_kept",
    ],
    "signatures for another service": ["test_doors.py::test_a_signature_for_another_service"],
    "times that are more than 15 minutes off": [
        "test_limits.py::test_a_clock_may_be_off_by_so_many_minutes",
        "test_limits.py::test_a_request_of_another_day",
        "test_limits.py::test_a_presigned_url_may_be_signed_fifteen_minutes_ahead",
    ],
    "headers `x-amz-*` that are not signed": ["test_doors.py::test_a_header_that_was_not_signed"],
    "bodies that are not the signed ones": ["test_doors.py::test_a_body_that_is_not_the_signed_one"],
    "presigned URLs": [
        "test_doors.py::test_a_presigned_url_works_for_its_life",
        "test_doors.py::test_a_presigned_url_ends_with_its_life",
        "test_doors.py::test_a_presigned_form_uploads",
        "test_doors.py::test_a_presigned_url_gives_what_was_signed_and_no_more",
    ],
    "names that AWS does not take": [
        "test_names.py::test_a_name_is_refused_and_taken_as_by_aws",
        "test_names.py::test_nothing_is_made_of_a_name_that_is_refused",
    ],
    "parameters of Lambda, EventBridge": [
        "test_constraints.py::test_what_the_model_of_a_service_does_not_take_is_refused",
        "test_constraints.py::test_each_thing_that_they_take_is_taken",
    ],
    "what does not fit to what stands": [
        "test_refused_by_state.py::test_what_does_not_fit_is_refused",
        "test_refused_by_state.py::test_what_fits_is_taken",
    ],
    **dict.fromkeys(
        (
            "roles that Lambda or Scheduler may not assume",
            "notifications of a bucket that overlap",
            "aliases of versions that are missing",
            "six targets of a rule",
            "policies that are none",
        ),
        ["test_refused_by_state.py::test_what_does_not_fit_is_refused"],
    ),
    "lets a queue be made again and emptied again at once": ["test_readme.py::test_a_queue_is_made_again_at_once"],
    "attributes, ids, groups and delays of messages": [
        "test_requests.py::test_a_message_that_sqs_refuses",
        "test_requests.py::test_attributes_that_sns_refuses",
        "test_requests.py::test_of_a_batch_sns_refuses_single_messages",
        "test_requests.py::test_a_queue_that_sqs_refuses",
        "test_requests.py::test_a_subscription_that_sns_refuses",
    ],
    "events and answers over 6 MB": [
        "test_limits.py::test_a_body_is_read_up_to_its_limit",
        "test_limits.py::test_what_says_that_it_is_too_large",
        "test_limits.py::test_an_event_has_lambdas_size",
        "test_limits.py::test_a_message_of_a_queue_has_sqs_own_limit",
        "test_lambda_events.py::test_an_answer_over_lambdas_limit",
    ],
    "Event patterns, filter policies and filters": [
        "test_patterns.py::test_event_patterns_match_as_predicted",
        "test_patterns.py::test_filter_policies_are_refused",
        "test_patterns.py::test_filter_criteria_are_refused",
    ],
    "code in `/var/task`": ["test_confined_handlers.py::test_what_lambda_has_read_only"],
    "`/tmp` is the environment's own": ["test_confined_handlers.py::test_tmp_is_an_environments_own"],
    "there is no shared memory": ["test_confined_handlers.py::test_without_shared_memory"],
    "a process over the function's memory": ["test_confined_handlers.py::test_over_the_memory_limit"],
    "links in a zip are kept": [
        "test_unpack.py::test_links_and_modes_that_stay_inside_are_kept",
        "test_unpack.py::test_nothing_is_written_through_a_link",
        "test_confined_handlers.py::test_links_in_code_and_layers_lead_to_nothing",
    ],
    "nothing of yours is in sight": ["test_confined_handlers.py::test_attacks"],
    "the network is free": ["test_confined_handlers.py::test_what_works_on_lambda_works"],
    "shells, programs": ["test_confined_handlers.py::test_what_works_on_lambda_works"],
    "a function that causes its own events": ["test_recursion.py::test_a_loop_ends_after_16_rounds"],
    "`plan` and `deploy` name such a handler": [
        "../deploy/test_loops.py::test_a_handler_that_causes_its_own_events_is_told",
    ],
    "In live mode the handler runs in the kernel": [
        "../ui/test_live_mode.py::test_it_says_that_it_stops_no_loop",
        "../deploy/test_loops.py::test_a_handler_that_causes_its_own_events_is_told",
    ],
    "unless `put-function-recursion-config`": ["test_recursion.py::test_a_call_in_a_loop_is_refused_unless"],
    "Where there is only Landlock": ["test_confined_handlers.py::test_what_landlock_cannot_enforce"],
    "`PermissionError: [Errno 13] Permission denied`": ["test_confined_handlers.py::test_where_only_landlock_confines"],
    "With neither (macOS": ["test_confined_handlers.py::test_without_any_means_handlers_run"],
    "`nbchalice local status` says what is missing": [
        "test_confined_handlers.py::test_what_cannot_be_enforced_is_told"
    ],
    "Handlers may do what their function's role may": ["test_permissions.py::test_each_environment_has_credentials"],
    "the policy of the bucket, queue": [
        "test_policies.py::test_a_buckets_own_policy",
        "test_policies.py::test_a_queues_own_policy",
    ],
    "its boundary": ["test_policies.py::test_a_boundary_narrows"],
    "action and resource count": ["test_permissions.py::test_a_call_takes_the_permission_that_it_takes_on_aws"],
    "a batch or transaction": [
        "test_policies.py::test_a_call_about_several_things",
        "test_policies.py::test_an_object_that_is_missing",
    ],
    "credentials end with their environment": [
        "test_permissions.py::test_each_environment_has_credentials",
        "test_policies.py::test_urls_and_forms_that_a_handler_presigned",
    ],
    "a call whose permission nobody": ["test_policies.py::test_a_call_whose_permission_nobody_knows"],
    "not asked": [
        "test_policies.py::test_what_needs_no_permission",
        "test_readme.py::test_services_need_no_permission",
    ],
    "`--role` names a role": ["test_refused_by_state.py::test_what_does_not_fit_is_refused"],
    "a function with a role of a real account": ["test_policies.py::test_a_role_of_a_real_account_may_do_nothing"],
    "no processor by memory size": ["test_readme.py::test_the_memory_size_gives_no_processor"],
    "ten times a second": ["test_readme.py::test_memory_is_measured_ten_times_a_second"],
    "ignores batching windows": ["test_readme.py::test_a_batching_window_is_ignored"],
    "parallel batches and tumbling windows": ["test_readme.py::test_streams_have_no_parallel_batches_and_no_windows"],
    "retries, ages, bisecting": [
        "../events/test_streams.py::test_a_batch_that_fails_is_tried_again_as_the_mapping_says",
        "../events/test_streams.py::test_records_that_are_too_old",
        "../events/test_streams.py::test_a_dead_letter_queue_is_told",
    ],
    "nbchalice itself checks the rules of AWS": ["../handlers/test_bad_input.py::test_"],
    "started when it is needed": ["test_lifecycle.py::test_nothing_runs_before_the_first_start"],
    "shared by all kernels and shells": [
        "test_lifecycle.py::test_a_second_call_finds_the_running_server",
        "test_lifecycle.py::test_the_server_outlives_the_process",
    ],
    "with the Python that the runtime names": ["test_environment_of_handlers.py::test_another_python_version_is_used"],
    "a deploy in which that happens": ["test_death.py::test_a_deploy_during_which_it_dies_is_whole_in_the_end"],
    "so that neither a web page in your browser nor another user": [
        "test_security.py::test_a_foreign_host_or_origin",
        "test_security.py::test_an_unsigned_simple_request_of_a_web_page",
        "test_security.py::test_files_are_readable_by_their_owner_only",
    ],
    "unless `put-function-recursion-config` allows it": ["test_recursion.py::test_a_call_in_a_loop_is_refused_unless"],
    "the event goes to the dead-letter queue": ["test_recursion.py::test_a_loop_ends_after_16_rounds_and_the_log_says"],
    "nothing counts the rounds there": ["../ui/test_live_mode.py::test_a_loop_goes_on_until_it_is_stopped"],
    "nothing is written through one": ["test_unpack.py::test_nothing_is_written_through_a_link"],
    "includes what listens on this computer's own interface": [
        "test_security.py::test_handlers_reach_the_local_aws_with_a_key_of_their_own"
    ],
    "`send` and `logs` print the option to add": ["../ui/test_allow.py::test_what_send_says_to_add_makes"],
    "for other services the action alone": ["test_permissions.py::test_a_call_takes_the_permission"],
    "`DeleteObjects` is refused as a whole": ["test_policies.py::test_a_call_about_several_things"],
    "an object that is missing is a 404": ["test_policies.py::test_an_object_that_is_missing"],
    "URLs that it presigned hold on": ["test_readme.py::test_what_a_handler_presigned_holds_as_long_as_it_says"],
    "start an execution": ["test_readme.py::test_a_rule_starts_an_execution_whatever_its_role_may_do"],
    "the keys of what is encrypted": ["test_readme.py::test_the_key_of_what_is_encrypted_is_not_asked_for"],
    "the kernel and `nbchalice local env` may do everything": [
        "test_security.py::test_client_arguments_and_environment"
    ],
    "so may a handler in live mode": ["../ui/test_live_mode.py::test_a_loop_goes_on_until_it_is_stopped_and_does"],
}
# What claims nothing of the local AWS.
ADVICE = [
    "start Jupyter after",
    "It is not AWS.",
    "on AWS it has your credentials there, too",
    "Handlers have Lambda's rules",
]


def section():
    return (ROOT / "README.md").read_text().partition("\n## The local AWS\n")[2].partition("\n## ")[0]


def claims():
    """The section's sentences and points, and what they say after a semicolon."""
    text = re.sub(r"^```.*?^```", "", section(), flags=re.DOTALL | re.MULTILINE)
    blocks = [" ".join(block.split()) for block in re.split(r"\n\n|\n(?=- )", text)]
    return [claim for block in blocks for claim in re.split(r"(?<=[.;])\s+", block) if claim]


def test_each_statement_is_in_the_readme_and_each_claim_has_a_test():
    text = " ".join(section().split())
    assert [start for start in [*STATEMENTS, *ADVICE] if start not in text] == []
    assert [claim for claim in claims() if not any(start in claim for start in [*STATEMENTS, *ADVICE])] == []


@pytest.mark.parametrize("start", STATEMENTS)
def test_the_tests_of_a_statement_exist(start):
    for name in STATEMENTS[start]:
        file, _, test = name.partition("::")
        assert re.search(rf"^def {test}", (Path(__file__).parent / file).read_text(), re.MULTILINE), name


def test_it_ends_after_four_hours(monkeypatch):
    monkeypatch.delenv("NBCHALICE_LOCAL_IDLE", raising=False)
    record = Record("i", 1, "k", "s", "t", "0", "v")
    assert spawn.server_settings(local_home(), Path(), 0, record)["idle_seconds"] == 4 * 60 * 60


def test_what_a_handler_presigned_holds_as_long_as_it_says():
    hours = re.search(r"hold on, up to (\d+) hours", section())
    role_keys = ROOT / "nbchalice/aws/local/server/role_keys.py"
    assert (
        hours is not None and f"LIFE = {hours[1]} * 3600" in role_keys.read_text()
    )  # the server's own Python alone can import it


def test_memory_is_measured_ten_times_a_second():
    assert POLL_SECONDS == 1 / 10


@pytest.mark.parametrize("memory", [128, 10240])
def test_the_memory_size_gives_no_processor(functions, memory):
    """On Lambda 128 MB have a fourteenth of one, and 10,240 MB six."""
    name = functions.make("import os\ndef handler(e, c): return os.cpu_count()\n", MemorySize=memory)
    assert functions.invoke(name)[1] == os.cpu_count()


def test_a_batching_window_is_ignored(aws, functions, eventually):
    """On AWS the one message would wait for five minutes."""
    name = functions.make("def handler(e, c): print('got', len(e['Records']))\n")
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    aws("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{name}",
        FunctionName=name,
        BatchSize=10,
        MaximumBatchingWindowInSeconds=300,
    )
    aws("sqs").send_message(QueueUrl=url, MessageBody="1")
    eventually(lambda: "got 1" in functions.log(name))


def test_streams_have_no_parallel_batches_and_no_windows(aws, functions, eventually):
    """On AWS the ten would run at once, and the event would say which window it belongs to."""
    name = functions.make(
        "import time\ndef handler(e, c):\n    begun = time.monotonic_ns(); time.sleep(0.1)\n"
        "    print('ran', begun, time.monotonic_ns(), *e)\n    return {'state': {}}\n"
    )
    aws("kinesis").create_stream(StreamName=name, ShardCount=1)
    describe = lambda: aws("kinesis").describe_stream(StreamName=name)["StreamDescription"]  # noqa: E731
    eventually(lambda: describe()["StreamStatus"] == "ACTIVE")
    for number in range(5):
        aws("kinesis").put_record(StreamName=name, PartitionKey=str(number), Data=json.dumps(number).encode())
    aws("lambda").create_event_source_mapping(
        EventSourceArn=describe()["StreamARN"],
        FunctionName=name,
        BatchSize=1,
        StartingPosition="TRIM_HORIZON",
        ParallelizationFactor=10,
        TumblingWindowInSeconds=30,
    )
    ran = lambda: [line.split()[1:] for line in read_lines(aws("logs"), name) if line.startswith("ran")]  # noqa: E731
    eventually(lambda: len(ran()) == 5)
    spans = sorted((int(begun), int(ended)) for begun, ended, *_ in ran())
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    assert {tuple(keys) for _, _, *keys in ran()} == {("Records",)}


def test_services_need_no_permission(aws, functions, eventually):
    """The queue is polled and the log written, though the function's role may do nothing; a topic needs no policy."""
    role = make_role(aws("iam"), "nothing-later")
    name = functions.make("def handler(e, c): print('got', len(e['Records']))\n", Role=role)
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    aws("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    make_role(aws("iam"), "nothing-later", NOTHING)  # asked when the mapping is made, and not again
    topic = aws("sns").create_topic(Name=name)["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    assert "Policy" not in aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    aws("sns").publish(TopicArn=topic, Message="1")
    eventually(lambda: "got 1" in functions.log(name))


def test_a_queue_is_made_again_at_once(aws):
    url = aws("sqs").create_queue(QueueName="again")["QueueUrl"]
    aws("sqs").delete_queue(QueueUrl=url)
    assert aws("sqs").create_queue(QueueName="again")["QueueUrl"] == url
    aws("sqs").purge_queue(QueueUrl=url)
    aws("sqs").purge_queue(QueueUrl=url)


def test_a_rule_starts_an_execution_whatever_its_role_may_do(aws, eventually):
    states, events, name = aws("stepfunctions"), aws("events"), "unasked"
    role = make_role(aws("iam"), "nothing", NOTHING)
    definition = '{"StartAt": "a", "States": {"a": {"Type": "Pass", "End": true}}}'
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    events.put_rule(Name=name, EventPattern='{"source": ["unasked"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": machine, "RoleArn": role}])
    events.put_events(Entries=[{"Source": "unasked", "DetailType": "t", "Detail": "{}"}])
    eventually(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


def test_the_key_of_what_is_encrypted_is_not_asked_for(aws, functions):
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    aws("s3").create_bucket(Bucket="unasked")
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    aws("s3").put_object(Bucket="unasked", Key="k", Body=b"content", **sealed)
    allowed = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::unasked/k"}]
    read = "boto3.client('s3').get_object(Bucket='unasked', Key='k')['Body'].read().decode()"
    name = functions.make(
        f"import boto3\ndef handler(e, c): return {read}\n", Role=make_role(aws("iam"), "reads", allowed)
    )
    assert functions.invoke(name)[1] == "content"
