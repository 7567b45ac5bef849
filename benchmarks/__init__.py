"""Measurements; `make bench` runs all, `python -m benchmarks NAME` one. No test depends on how fast anything is."""

NAMES = {
    "deploy": "Deploying 4 and 64 handlers (schedule, S3, SNS, SQS), beside Chalice and SAM CLI",
    "command_line": "The shell's command, beside a script that imports boto3 and makes one call",
    "loading": "Loading the extension, and running a cell with a magic",
    "slicing": "Finding what a handler needs of a notebook",
    "recursion": "A notebook whose functions all call one another",
    "verifying": "Proving an edited handler, with the process already there",
    "proving": "Proving an edited handler in a kernel, whole",
    "packaging": "A handler with pandas, beside Chalice",
    "archive": "A cold start with dependencies, as a layer and as an archive",
    "cold_start": "Importing the deployed module, beside a bare function, Chalice and Powertools",
    "records": "A handler's time for each record, beside a bare function, Chalice and Powertools",
    "send": "From a click on Send to the log line",
    "viewer": "The log viewer in a browser under 10,000 lines a second",
    "queues": "Messages of handlers that are busy at the same time",
    "memory": "Memory of the kernel",
    "secrets": "The search for credentials in a line of a megabyte",
    "crashes": "What the local AWS had acknowledged and lost by kill -9",
}
"""The benchmarks in the order of the table, and what each measures."""
