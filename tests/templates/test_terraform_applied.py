"""Configurations of Terraform, applied to the local AWS where Terraform and its provider for AWS are on this machine."""

import json
from dataclasses import replace

import pytest

from nbchalice.resources import upload_bucket as bucket_of_uploads
from nbchalice.resources.stored_bundle import bundle_folder
from nbchalice.resources.upload_bucket import upload_bucket
from nbchalice.templates.cloudformation import template_of
from nbchalice.templates.terraform import for_terraform
from nbchalice.templates.written import write

from ..deploy.harness import unique
from ..doctor.conftest import root, shops  # noqa: F401
from ..waiting import wait_until
from .stacks import NOT_RUN, PREFIX, Comparison, Handling, everything, paired, uploaded

pytestmark = [pytest.mark.local_aws, pytest.mark.slow]


class Applied(Handling):
    """What Terraform made of an app."""

    def __init__(self, aws, terraform, made, packages, folder):
        self.aws, self.terraform, self.app, self.folder = aws, terraform, made, folder
        self.packages, self.bucket = packages, unique("code")
        self.template = template_of(made, packages)
        self.made = for_terraform(self.template)
        write(self.template, folder, "terraform", made)
        uploaded(aws, self.template, self.bucket)
        self.run("init")
        self.run("validate")
        self.run("apply", "-auto-approve")

    def run(self, word, *options):
        """Run Terraform on it, with the place of the code where it asks for that."""
        given = [f"-var=code_bucket={self.bucket}", f"-var=code_prefix={PREFIX}"]
        asks = word in {"apply", "plan", "destroy"}
        return self.terraform.run(self.folder, word, *options, *(given if asks else []))

    def ids(self):
        """What each resource is called on AWS, by its name in CloudFormation's template."""
        state = json.loads((self.folder / "terraform.tfstate").read_text())["resources"]
        ids = {
            f"{one['type']}.{one['name']}": one["instances"][0]["attributes"]["id"]
            for one in state
            if one["mode"] == "managed"
        }
        return {name: ids.get(address) for name, address in self.made.names.items()}

    def unlike(self):
        """In what each resource is not as a deploy makes it, by its name in CloudFormation's template; and what else it makes."""
        made, left_out = paired(self.app, self.packages, self.template, self.aws)
        folder = f"{upload_bucket(self.aws.account, self.aws.region)}/{bundle_folder(self.app.name, self.app.stage)}"
        stored = (folder, f"{self.bucket}/{PREFIX}")
        both = Comparison(self.aws, self.template.body, {}, self.ids(), made, stored, not_taken={})
        return {name: (one.kind, both.unlike(name)) for name, one in made.items()}, left_out


@pytest.fixture(scope="module")
def applied(terraform, root, shops, tmp_path_factory):  # noqa: F811
    """Both apps of the doctor as one, made of code in a bucket: of files the provider makes one function at a time."""
    one, other = shops["first"], shops["second"]
    handlers = tuple(left for each in (*one.made.handlers, *other.made.handlers) if (left := here(each)))
    made = replace(other.made, handlers=handlers)
    packages = {**one.packages(one.made)(), **other.packages(other.made)()}
    before = everything(root, other.place)
    patch = pytest.MonkeyPatch()
    patch.setattr(bucket_of_uploads, "DIRECT_LIMIT", 0)
    result = Applied(root, terraform, made, packages, tmp_path_factory.mktemp("build"))
    patch.undo()
    result.place, result.before = other.place, before
    return result


def here(one):
    """A handler as it can be applied here: no function URL, whose statements take a newer provider, and no code signing,
    of which the local AWS tells nothing."""
    if any("url" in trigger.options for trigger in one.triggers):
        return None
    return replace(one, settings={name: value for name, value in one.settings.items() if name != "code_signing"})


def test_each_resource_is_as_a_deploy_makes_it_and_a_plan_finds_nothing_to_change(applied, capsys):
    rows, left_out = applied.unlike()
    with capsys.disabled():
        print(f"\nchecked by terraform validate and apply, with hashicorp/aws {applied.terraform.version}")
        print(f"resources that Terraform made of {applied.app.name}, beside what a deploy makes:")
        for name, (kind, reasons) in rows.items():
            print(f"  {kind:22} {applied.made.names.get(name, ''):74} {'; '.join(reasons) or 'equal'}")
    assert {name: reasons for name, (_, reasons) in rows.items() if reasons} == {}
    assert left_out <= {"event invoke config", "bundle", "upload bucket"}
    assert "No changes" in applied.run("plan", "-detailed-exitcode")


def test_an_event_of_each_source_is_handled(applied):
    waiting = [one for one in applied.app.handlers if one.name not in NOT_RUN]
    for one in waiting:
        applied.send(one)
    wait_until(lambda: not [one.name for one in waiting if not applied.handled(one)])


def test_nothing_is_left_when_it_is_destroyed(applied):
    applied.run("destroy", "-auto-approve")
    assert everything(applied.aws, applied.place) == applied.before
