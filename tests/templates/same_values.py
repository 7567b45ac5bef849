"""The values of a template of CloudFormation and of the configuration of Terraform that is made of it, side by side."""

import json
import re
from collections import Counter
from itertools import chain

from .configurations import EXPRESSION

# What stands apart in Terraform: of what, and by which argument; the bus of a rule is told again.
APART = {
    "aws_iam_role_policy": ("aws_iam_role", {"role"}),
    "aws_cloudwatch_event_target": ("aws_cloudwatch_event_rule", {"rule", "event_bus_name"}),
    "aws_lambda_runtime_management_config": ("aws_lambda_function", {"function_name"}),
}
# What only Terraform has, and what both say in another way: the code is told by its file's name.
OWN = {"name_prefix", "source_code_hash", "lifecycle_scope", "depends_on", "s3_bucket"}
FILES = {"filename", "s3_key"}
DOCUMENTS = {"policy", "assume_role_policy", "event_pattern", "filter_policy", "redrive_policy"}
MOMENTS = {"StartingPositionTimestamp", "starting_position_timestamp"}
PSEUDO = {"aws_partition": "AWS::Partition", "aws_region": "AWS::Region", "aws_caller_identity": "AWS::AccountId"}


def unlike(template, made, logical):
    """The values of a resource that only one of the two has: those of CloudFormation with -, those of Terraform with +."""
    kind, name = made.names[logical].split(".")
    given = dict(made.body["resource"][kind][name])
    for other, (of, links) in APART.items():
        if of == kind and name in made.body["resource"].get(other, {}):
            apart = made.body["resource"][other][name]
            given |= {f"{other}.{one}": value for one, value in apart.items() if one not in links}
    if kind == "aws_lambda_invocation":
        given["policy"] = given.pop("input")
    there = _counted(_of_template(template.body["Resources"][logical]["Properties"]))
    here = _counted(_Terraform(made).values(given))
    return [f"-{one}" for one in there - here] + [f"+{one}" for one in here - there]


def _counted(values):
    return Counter(map(repr, values))


def _of_template(value, key=""):
    match value:
        case {"S3Bucket": _, "S3Key": {"Fn::Sub": place}}:
            return [place.partition("}")[2]]
        case {"ZipFile": _}:
            return ["attach"]
        case {"Ref": name} if len(value) == 1:
            return [f"<{name}>"]
        case {"Fn::GetAtt": path}:
            return [f"<{'.'.join(path)}>"]
        case {"Fn::Sub": text}:
            return [re.sub(r"\$\{!|\$\{([^}]+)\}", lambda one: f"<{one[1]}>" if one[1] else "${", text)]
        case {"Key": _, "Value": tag}:
            return _of_template(tag)
        case dict():
            return list(chain.from_iterable(_of_template(inner, name) for name, inner in value.items()))
        case list():
            return list(chain.from_iterable(_of_template(inner, key) for inner in value))
    return ["a moment"] if key in MOMENTS else [value]


class _Terraform:
    def __init__(self, made):
        self._logical = {address: name for name, address in made.names.items()}

    def values(self, value, key=""):
        key = key.rpartition(".")[2]
        if key in OWN:
            return []
        if isinstance(value, dict):
            return list(chain.from_iterable(self.values(inner, name) for name, inner in value.items()))
        if isinstance(value, list):
            return list(chain.from_iterable(self.values(inner, key) for inner in value))
        if not isinstance(value, str):
            return [value]
        if key in DOCUMENTS:
            return self.values(json.loads(value))
        text = EXPRESSION.sub(lambda one: self._named(one[1]), value).replace("$${", "${").replace("%%{", "%{")
        if key in FILES:
            return ["attach" if "attach-" in text else re.split("[/>]", text)[-1]]
        return ["a moment" if key in MOMENTS else text.replace("index.applied", "index.lambda_handler")]

    def _named(self, text):
        """What CloudFormation calls what an expression stands for."""
        kind, name, *attribute = text.split(".")
        if kind in {"var", "path"}:
            return f"<{''.join(part.capitalize() for part in name.split('_'))}>"
        if kind == "data":
            return f"<{PSEUDO[name]}>"
        own = self._logical[f"{kind}.{name}"]
        by_name = attribute == ["function_name"] or kind == "aws_lambda_layer_version"
        return f"<{own}>" if by_name else f"<{own}.Arn>"
