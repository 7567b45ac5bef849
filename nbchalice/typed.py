"""Names of the types that many rooms pass on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]
"""An object of a JSON document, such as an answer of AWS; what is in it was not looked at yet."""

Values = Mapping[str, Any]
"""Named values that are only read: options of a trigger, fields of a form, variables of a kernel."""
