"""What runs in the interpreter of a Lambda function."""
