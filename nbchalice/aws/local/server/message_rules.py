"""What SQS and SNS refuse of a message besides its text: attributes, ids, delays. Each says it in words of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Record = dict[str, Any]
LONGEST_NAME = 256
MOST_ATTRIBUTES = 10  # of a message of SQS
NAME = re.compile(r"[\w.-]+", re.ASCII)
TYPE = re.compile(r"(String|Number|Binary)(\..*)?", re.DOTALL)
# Message group and deduplication: letters, digits and punctuation.
IDENTIFIER = re.compile(r"[!-~]{1,128}")
IDENTIFIERS = ("MessageGroupId", "MessageDeduplicationId")
LONGEST_DELAY = 900


def value_of(attribute: Record) -> object:
    """Return the value of an attribute in the field that its type wants; None where it is not there."""
    is_binary = str(attribute.get("DataType", "")).startswith("Binary")
    return attribute.get("BinaryValue" if is_binary else "StringValue")


def is_number(text: object) -> bool:
    """Whether a text is a number."""
    try:
        float(str(text))
    except ValueError:
        return False
    return True


def against_message_of_queue(message: Record, *, fifo: bool) -> str:
    """Return what SQS says against attributes, ids and delay of a message, or an empty text."""
    problems = (
        *against_identifiers(message),
        *against_delay(message, fifo=fifo),
        *against_attributes_of_queue(message.get("MessageAttributes") or {}),
    )
    return next(iter(problems), "")


def against_identifiers(message: Record) -> Iterator[str]:
    """Yield what SQS says of the ids that a message bears."""
    for name in IDENTIFIERS:
        given = message.get(name)
        if given is not None and not IDENTIFIER.fullmatch(str(given)):
            yield (
                f"Value {given} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and "
                "punctuation characters. 1 to 128 in length."
            )


def against_delay(message: Record, *, fifo: bool) -> Iterator[str]:
    """Yield what SQS says of delay and deduplication in a queue that has neither, or less of it."""
    delay, other = message.get("DelaySeconds"), message.get("MessageDeduplicationId")
    if delay is not None and not 0 <= int(delay) <= LONGEST_DELAY:
        yield (
            f"Value {delay} for parameter DelaySeconds is invalid. "
            f"Reason: DelaySeconds must be >= 0 and <= {LONGEST_DELAY}."
        )
    if other is not None and not fifo:
        yield (
            f"Value {other} for parameter MessageDeduplicationId is invalid. "
            "Reason: The request includes a parameter that is not valid for this queue type."
        )


def against_attributes_of_queue(attributes: Mapping[str, Record]) -> Iterator[str]:
    """Yield what SQS says of the attributes of a message."""
    if len(attributes) > MOST_ATTRIBUTES:
        yield f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
    for name, attribute in attributes.items():
        kind = str(attribute.get("DataType") or "")
        if len(name.encode()) > LONGEST_NAME:
            yield f"Length of message (user) attribute name must be at most {LONGEST_NAME} bytes."
        elif not NAME.fullmatch(name) or name.startswith(".") or name.endswith(".") or ".." in name:
            yield (
                f"The message (user) attribute name '{name}' is invalid. It can only include alphanumeric characters, "
                "hyphens, underscores, and periods, and neither starts nor ends with a period, nor has two in a row."
            )
        elif name.lower().startswith(("aws.", "amazon.")):
            yield f"The message (user) attribute name '{name}' is reserved: it starts with AWS. or Amazon."
        elif not TYPE.fullmatch(kind):
            yield (
                f"The type of message (user) attribute '{name}' is invalid. "
                "You must use only the following supported type prefixes: Binary, Number, String."
            )
        elif not value_of(attribute):
            family = kind.partition(".")[0]
            yield f"Message (user) attribute '{name}' must contain a non-empty value of type '{family}'."
        elif kind.startswith("Number") and not is_number(value_of(attribute)):
            yield f"Can't cast the value of message (user) attribute '{name}' to a number."


def against_attributes_of_topic(attributes: Mapping[str, Record]) -> str:
    """Return what SNS says of the attributes of a message, or an empty text."""
    for name, attribute in attributes.items():
        kind = str(attribute.get("DataType") or "")
        if problem := against_name_of_topic(name):
            return problem
        if not TYPE.fullmatch(kind):
            return (
                f"The message attribute '{name}' has an invalid message attribute type, "
                "the set of supported type prefixes is Binary, Number, and String."
            )
        field = "Binary" if kind.startswith("Binary") else "String"
        other = attribute.get("StringValue" if field == "Binary" else "BinaryValue")
        if other and not value_of(attribute):
            return f"The message attribute '{name}' with type '{kind}' must use field '{field}'."
        if not value_of(attribute):
            return (
                f"The message attribute '{name}' must contain non-empty message attribute value "
                f"for message attribute type '{kind}'."
            )
        if kind.startswith("Number") and not is_number(value_of(attribute)):
            return f"Could not cast message attribute '{name}' value to number."
    return ""


def against_name_of_topic(name: str) -> str:
    """Return what SNS says of the name of an attribute, or an empty text."""
    if len(name.encode()) > LONGEST_NAME:
        return f"Length of message attribute name must be less than {LONGEST_NAME} bytes."
    if wrong := next((letter for letter in name if not NAME.fullmatch(letter)), ""):
        return (
            f"Invalid non-alphanumeric character '#x{ord(wrong):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.startswith("."):
        return "Invalid message attribute name starting with character '.' was found."
    if name.endswith("."):
        return "Invalid message attribute name ending with character '.' was found."
    return "Message attribute name can not have successive '.' character." if ".." in name else ""
