"""What each kind of resource is called in the formats of templates."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """A kind of resource.

    Parameters
    ----------
    cloudformation : str
        Its type in CloudFormation.
    terraform : str
        Its type in Terraform's provider for AWS. Names of arguments follow from CloudFormation's.
    """

    LOG_GROUP = "AWS::Logs::LogGroup", "aws_cloudwatch_log_group"
    ROLE = "AWS::IAM::Role", "aws_iam_role"
    LAYER = "AWS::Lambda::LayerVersion", "aws_lambda_layer_version"
    FUNCTION = "AWS::Lambda::Function", "aws_lambda_function"
    INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig", "aws_lambda_function_event_invoke_config"
    MAPPING = "AWS::Lambda::EventSourceMapping", "aws_lambda_event_source_mapping"
    PERMISSION = "AWS::Lambda::Permission", "aws_lambda_permission"
    URL = "AWS::Lambda::Url", "aws_lambda_function_url"
    SUBSCRIPTION = "AWS::SNS::Subscription", "aws_sns_topic_subscription"
    RULE = "AWS::Events::Rule", "aws_cloudwatch_event_rule"
    SCHEDULE = "AWS::Scheduler::Schedule", "aws_scheduler_schedule"
    # What a function of the template's own does.
    BUCKET_EVENTS = "Custom::BucketEvents", "aws_lambda_invocation"
    REDRIVE_POLICY = "Custom::RedrivePolicy", "aws_lambda_invocation"

    def __init__(self, cloudformation: str, terraform: str) -> None:
        self.cloudformation = cloudformation
        self.terraform = terraform

    @classmethod
    def of(cls, cloudformation: str) -> Kind:
        """Return the kind that CloudFormation calls so."""
        return next(one for one in cls if one.cloudformation == cloudformation)
