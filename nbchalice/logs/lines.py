"""One event of CloudWatch Logs -> what it says: Lambda's own lines, the function's records, nbchalice's markers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from nbchalice.logs.places import CELLS
from nbchalice.logs.tracebacks import HEADER
from nbchalice.runtime.invocation_lines import PREFIX
from nbchalice.typed import JSON, Values

ID = r"[0-9A-Za-z-]{8,64}"
RECORD = re.compile(rf"\[(?P<level>[A-Z]{{3,10}})\]\t[^\t\n]{{0,40}}\t(?P<id>{ID}|None|)\t(?P<message>.*)", re.DOTALL)
LAMBDA = re.compile(rf"(?P<kind>START|END|REPORT) RequestId: (?P<id>{ID})(?P<rest>.*)", re.DOTALL)
TIMEOUT = re.compile(rf"\S+Z (?P<id>{ID}) (?P<message>Task timed out after [\d.]+ seconds)")
EXIT = re.compile(
    rf"RequestId: (?P<id>{ID}) (?:Error: (?P<message>[^\n]+)\n(?P<type>\w+\.\w+)"
    r"|(?:Error: )?(?P<sole>(?:Runtime|Process) exited [^\n]*))\s*$"
)
PLATFORM = re.compile(
    r"(INIT_START Runtime Version|INIT_REPORT |RESTORE_START |RESTORE_REPORT |(EXTENSION|LOGS|TELEMETRY)\tName:)"
)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBERS = re.compile(
    r"(Billed Restore Duration|Billed Duration|Init Duration|Restore Duration|Max Memory Used|Memory Size|Duration"
    r"|Status|Error Type): ([^\s,]+)"
)
REPORT_NAMES = {
    "Duration": "duration_ms",
    "Billed Duration": "billed_ms",
    "Init Duration": "init_ms",
    "Restore Duration": "init_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "max_memory_mb",
    "Status": "status",
    "Error Type": "error_type",
}
METRIC_NAMES = {
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_ms",
    "initDurationMs": "init_ms",
    "restoreDurationMs": "init_ms",
    "memorySizeMB": "memory_mb",
    "maxMemoryUsedMB": "max_memory_mb",
}
ID_KEYS = ("requestId", "AWSRequestId", "aws_request_id", "function_request_id")
KNOWN_KEYS = {"timestamp", "level", "log_level", "message", "logger", *ID_KEYS}
TRACE_KEYS = {"stackTrace", "errorType", "errorMessage", "location"}


LineKind = Literal[
    "start", "end", "report", "marker", "record", "print", "error", "exit", "timeout", "init", "platform"
]
SPOKEN: dict[str, LineKind] = {"START": "start", "END": "end", "REPORT": "report"}
PLATFORM_KINDS: dict[str, LineKind] = {
    "platform.start": "start",
    "platform.runtimeDone": "end",
    "platform.report": "report",
}


@dataclass(frozen=True)
class Line:
    """What one log event says.

    Parameters
    ----------
    kind : LineKind
        ``start``, ``end``, ``report``, ``marker``, ``record``, ``print``, ``error`` (of an exception, or what looks
        like it), ``exit``, ``timeout``, ``init`` (of an environment's start) or ``platform`` (of no interest).
    request_id : str
        The invocation's, or an empty text where the line does not tell.
    level, message, logger : str or str or None
        Of a record.
    data : Values
        Numbers of a report, content of a marker, further fields of a JSON record, document of an error.
    text : str
        The whole line, for a reader who does not believe it; of a marker, ``message`` is what was printed before it.
    """

    kind: LineKind
    request_id: str = ""
    level: str = ""
    message: str = ""
    logger: str | None = None
    data: Values = field(default_factory=dict)
    text: str = ""


def read_line(message: str) -> Line:
    """Read the message of one log event; never raises (Lambda: "Working with Lambda function logs")."""
    text = message.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if (line := _json(text)) is not None:
        return replace(line, text=text)
    text = CELLS.as_now(text)
    for read in (_lambda, _marker, _record, _uncaught, _failure):
        if (line := read(text)) is not None:
            return replace(line, text=text)
    if match := PLATFORM.match(text):
        return Line("init" if match[1].startswith(("INIT", "RESTORE")) else "platform", text=text)
    return Line("print", message=text, text=text)


def _lambda(text: str) -> Line | None:
    match = LAMBDA.match(text)
    if match is None:
        return None
    data = _report(match["rest"]) if match["kind"] == "REPORT" else {}
    return Line(SPOKEN[match["kind"]], match["id"], data=data)


def _report(text: str) -> JSON:
    numbers = {REPORT_NAMES[name]: value for name, value in NUMBERS.findall(text) if name in REPORT_NAMES}
    return {name: _number(name, value) for name, value in numbers.items()}


def _number(name: str, value: object) -> object:
    if name in {"status", "error_type"}:
        return str(value)
    if not isinstance(value, str | int | float):
        return None
    try:
        return int(float(value)) if name.endswith("_mb") else float(value)
    except (ValueError, OverflowError):
        return None


def _marker(text: str) -> Line | None:
    printed, prefix, rest = text.rpartition(PREFIX)  # a handler need not end its lines
    content = _loads(rest) if prefix else None
    request_id = content.get("request_id") if content else None
    return Line("marker", request_id, message=printed, data=content or {}) if isinstance(request_id, str) else None


def _record(text: str) -> Line | None:
    match = RECORD.match(text)
    if match is None:
        return None
    request_id = "" if match["id"] == "None" else match["id"]
    return Line("record", request_id, match["level"], match["message"])


def _uncaught(text: str) -> Line | None:
    head = text.removeprefix("[ERROR] ")
    return None if head == text else Line("error", level="ERROR", message=head)


def _failure(text: str) -> Line | None:
    if match := TIMEOUT.match(text):
        return Line("timeout", match["id"], message=match["message"])
    if match := EXIT.match(text):
        data = {"errorType": match["type"] or "Runtime.ExitError", "errorMessage": match["message"] or match["sole"]}
        return Line("exit", match["id"], data=data)
    return None


def _loads(text: str) -> JSON | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _json(text: str) -> Line | None:
    content = CELLS.as_now_in(_loads(text)) if text.startswith("{") else None
    if content is None:
        return None
    kind = content.get("type")
    if isinstance(kind, str) and kind.startswith("platform."):
        return _platform(kind, content.get("record"))
    level = content.get("level", content.get("log_level"))
    if not isinstance(level, str) or not ("message" in content or "errorType" in content):
        return None
    request_id = next((content[key] for key in ID_KEYS if UUID.fullmatch(str(content.get(key)))), "")
    if "message" not in content:
        return Line("error", request_id, level.upper(), data=content)
    extra = {key: value for key, value in content.items() if key not in KNOWN_KEYS | TRACE_KEYS}
    logger = content.get("logger")
    return Line(
        "record", request_id, level.upper(), _json_message(content), logger if isinstance(logger, str) else None, extra
    )


def _json_message(content: JSON) -> str:
    message, stack, trace = content["message"], content.get("stackTrace"), content.get("exception")
    text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    if not isinstance(stack, list):
        # Powertools writes the traceback of logger.exception("...") as a text of its own.
        return f"{text}\n{trace}" if isinstance(trace, str) and trace.startswith(HEADER) else text
    lines = [str(entry).rstrip("\n") for entry in stack]
    return "\n".join([text, HEADER, *lines, f"{content.get('errorType')}: {content.get('errorMessage')}"])


def _platform(kind: str, record: object) -> Line:
    if isinstance(record, str):
        return _failure(record) or Line("platform")
    name = PLATFORM_KINDS.get(kind)
    if name and isinstance(record, dict) and isinstance(record.get("requestId"), str):
        return Line(name, record["requestId"], data=_metrics(record))
    return Line("init" if kind.startswith(("platform.init", "platform.restore")) else "platform")


def _metrics(record: JSON) -> JSON:
    metrics = record.get("metrics")
    known = metrics.items() if isinstance(metrics, dict) else ()
    numbers = {METRIC_NAMES[name]: _number(METRIC_NAMES[name], value) for name, value in known if name in METRIC_NAMES}
    named = {"status": record.get("status"), "error_type": record.get("errorType")}
    return {**numbers, **{name: value for name, value in named.items() if isinstance(value, str)}}
