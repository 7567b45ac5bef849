"""What stands for an app, written down for tools that deploy it themselves: CloudFormation and SAM."""
