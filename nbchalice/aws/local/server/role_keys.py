"""Temporary credentials of a function's role, which each execution environment has of its own, as on Lambda."""

from __future__ import annotations

import secrets
import time

from ministack.services import iam, sts

from .signature import Key

LIFE = 12 * 3600  # seconds that a URL may hold which an environment presigned; Lambda's credentials last about as long


class RoleKey:
    """The credentials of one execution environment; they end with its process, but not the URLs that it presigned.

    They are kept among STS's sessions, where MiniStack looks up who calls.

    Parameters
    ----------
    role : str
        ARN of the function's role. Only its name counts: that of another account stands for one of this.
    function : str
        ARN of the function, whose name is the session's, as on Lambda.
    """

    def __init__(self, role: str, function: str) -> None:
        self._role = role.rpartition("/")[2]
        self._account, self._function = function.split(":")[4], function.rpartition(":")[2]
        self._access_key = ""

    def issue(self) -> dict[str, str]:
        """Return new credentials as Lambda's variables; earlier ones end."""
        self.end()
        self._access_key = "ASIA" + secrets.token_hex(8).upper()
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(96)
        role = iam._roles.get_scoped(self._account, None, self._role) or {}
        sts._sessions[self._access_key] = {
            "Arn": f"arn:aws:sts::{self._account}:assumed-role/{self._role}/{self._function}",
            "UserId": f"{role.get('RoleId', self._role)}:{self._function}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        }
        return {
            "AWS_ACCESS_KEY_ID": self._access_key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
        }

    def end(self) -> None:
        """Let the credentials sign no more calls."""
        if session := sts._sessions.get(self._access_key):
            session.update(Expiration=time.time() + LIFE, Ended=True)
        for key, other in list(sts._sessions.items()):
            if sts._session_expired(other):
                sts._sessions.pop(key, None)


def role_key(access_key: str) -> Key | None:
    """Return the temporary key of this name, of an execution environment or given out by STS."""
    session = sts._sessions.get(access_key)
    if session is None or sts._session_expired(session) or not session.get("SecretAccessKey"):
        return None
    token, ended = session.get("SessionToken") or "", session.get("Ended", False)
    return Key(access_key, session["SecretAccessKey"], token, of_handler=True, ended=ended)
