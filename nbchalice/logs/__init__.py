"""CloudWatch's log events, read into invocations: which messages, how long, what was logged, what went wrong."""
