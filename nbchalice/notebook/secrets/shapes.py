"""Credentials that can be told by how they look, wherever they stand: tokens with their issuer's mark, keys, headers.

Every pattern begins with letters of its own, and repeats only so often and without going back, so that a search takes
time in proportion to the text, whatever the text is. ``token.*=`` would not: it reads ``tokentoken...`` to the end anew
from each ``token``.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from nbchalice.notebook.secrets.values import is_placeholder, password_like, random_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Shape(NamedTuple):
    """How a kind of credential looks.

    Parameters
    ----------
    what : str
        What it is, with its article.
    hints : tuple[str, ...]
        Texts of which one is in each credential of the kind, in lower case where the pattern ignores case.
    pattern : str
        What it looks like; a group holds the part that is secret, else all of it is.
    check : Callable[[str], bool]
        Whether the secret part is really one, and not, for example, ``xxxx``.
    ignores_case : bool
        Whether small and capital letters are the same.
    begins : bool
        Whether the credential begins with the hint.
    """

    what: str
    hints: tuple[str, ...]
    pattern: str
    check: Callable[[str], bool]
    ignores_case: bool = False
    begins: bool = False


_BASE64 = "[0-9A-Za-z+/]"
_HEX = "[0-9a-f]"
_LETTERS = "[0-9A-Za-z]"
_WORD = "[0-9A-Za-z_]"
_URL = "[0-9A-Za-z_-]"


def _real(text: str) -> bool:
    return not is_placeholder(text)


def _numbered(text: str) -> bool:
    """Whether it has a figure, which ``sk-learn-...`` and ``xoxb-your-bot-token`` have not."""
    return any(map(str.isdigit, text)) and _real(text)


def _by_chance(text: str) -> bool:
    return _numbered(text) or random_like(text)


def _names_a_user(text: str) -> bool:
    """Whether a text is base64 of ``user:password``."""
    try:
        user, sign, password = base64.b64decode(text + "=" * (-len(text) % 4)).partition(b":")
    except (binascii.Error, ValueError):
        return False
    plain = (user + password).decode("latin-1")
    return bool(sign and password) and plain.isascii() and plain.isprintable()


def _bearer(text: str) -> bool:
    return random_like(text) or (len(text) >= 10 and password_like(text))


def _sign(what: str, marks: str, letters: str, length: int, check: Callable[[str], bool] = _real) -> Shape:
    """Return the shape of a token that begins with one of some marks, followed by so many letters at least."""
    begins = "|".join(map(re.escape, marks.split()))
    pattern = rf"(?<![0-9A-Za-z])(?:{begins})({letters}{{{length}}})"
    return Shape(what, tuple(marks.split()), pattern, check, begins=True)


_SIGNED = (
    _sign("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", _LETTERS, 36),
    _sign("a GitHub token", "github_pat_", _WORD, 40),
    _sign("a GitLab token", "glpat- gldt- glrt- glptt- glcbt- glft- glsoat- glagent- gloas- glimt- glffct-", _URL, 20),
    _sign(
        "a Slack token", "xoxa- xoxb- xoxe- xoxp- xoxr- xoxs- xoxc- xoxd- xoxe. xapp-", "[0-9A-Za-z.-]", 12, _numbered
    ),
    _sign("a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ sk_prod_ rk_prod_", _LETTERS, 16),
    _sign("a Stripe webhook secret", "whsec_", r"[0-9A-Za-z+/=]", 24),
    _sign("an OpenAI or Anthropic key", "sk-proj- sk-svcacct- sk-admin- sk-ant- sk-or-v1-", _URL, 20),
    _sign("an OpenAI or Anthropic key", "sk-", _LETTERS, 20, _numbered),
    _sign("a Google API key", "AIza", _URL, 35),
    _sign("a Google client secret", "GOCSPX-", _URL, 24),
    _sign("a Google access token", "ya29.", _URL, 20),
    _sign("a Google refresh token", "1//0", _URL, 30),
    _sign("a Docker token", "dckr_pat_ dckr_oat_", _URL, 20),
    _sign("a Databricks token", "dapi", _HEX, 32),
    _sign("an npm token", "npm_", _LETTERS, 36),
    _sign("a PyPI token", "pypi-", _URL, 40),
    _sign("a Hugging Face token", "hf_ api_org_", _LETTERS, 30, _by_chance),
    _sign("a Twilio key", "SK", _HEX, 32),
    _sign("a Mailgun key", "key-", _HEX, 32),
    _sign("a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", _HEX, 64),
    _sign("a Shopify token", "shpat_ shpca_ shppa_ shpss_", "[0-9A-Fa-f]", 32),
    _sign("a Square token", "sq0atp- sq0csp- sq0idp-", _URL, 22),
    _sign("a HashiCorp Vault token", "hvs. hvb. hvr.", _URL, 24),
    _sign("a Grafana token", "glsa_ glc_", "[0-9A-Za-z+/=_]", 32),
    _sign("a New Relic key", "NRAK- NRJS- NRII-", "[0-9A-Za-z_-]", 19),
    _sign("a Sentry token", "sntrys_ sntryu_", "[0-9A-Za-z+/=_-]", 40),
    _sign("an Atlassian token", "ATATT3 ATCTT3 ATBB", "[0-9A-Za-z_=-]", 28),
    _sign("a Postman key", "PMAK-", "[0-9A-Za-z-]", 50),
    _sign("a PlanetScale token", "pscale_tkn_ pscale_pw_ pscale_oauth_", "[0-9A-Za-z_=.-]", 32),
    _sign("a Notion token", "ntn_ secret_", _LETTERS, 43),
    _sign("a Linear key", "lin_api_", _LETTERS, 32),
    _sign("a Figma token", "figd_", _URL, 36),
    _sign("a Doppler token", "dp.pt. dp.st. dp.ct.", "[0-9A-Za-z._]", 40),
    _sign("a Pulumi token", "pul-", _HEX, 40),
    _sign("a RubyGems key", "rubygems_", _HEX, 48),
    _sign("a SonarQube token", "sqp_ squ_ sqa_", _HEX, 40),
    _sign("a Supabase token", "sbp_", _HEX, 40),
    _sign("a Tailscale key", "tskey-auth- tskey-api- tskey-client-", "[0-9A-Za-z-]", 20),
    _sign("a Replicate token", "r8_", _LETTERS, 37),
    _sign("a Groq key", "gsk_", _LETTERS, 40),
    _sign("a Perplexity key", "pplx-", _LETTERS, 40),
    _sign("an xAI key", "xai-", _LETTERS, 60),
    _sign("a LangSmith key", "lsv2_pt_ lsv2_sk_", _WORD, 32),
    _sign("a Dynatrace token", "dt0c01. dt0s01.", "[0-9A-Z.]", 60),
    _sign("a Facebook token", "EAAM EAAC EAAB EAAG EAAJ EAAD", _LETTERS, 80, _numbered),
    _sign("a Fly.io token", "fm1r_ fm1a_ fm2_", "[0-9A-Za-z+/]", 80),
    _sign("a Heroku key", "HRKU-", _URL, 36),
    _sign("a Sourcegraph token", "sgp_", "[0-9A-Fa-f_]", 40),
    _sign("a 1Password token", "ops_eyJ", "[0-9A-Za-z+/]", 80),
    _sign("an age key", "AGE-SECRET-KEY-1", "[0-9A-Z]", 50),
    _sign("an Amazon Bedrock key", "ABSKQmVkcm9ja0", _BASE64, 30),
    _sign("an Amazon MWS token", "amzn.mws.", "[0-9a-f-]", 36),
)

SHAPES = (
    Shape(
        "an AWS access key id",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"(?<![0-9A-Za-z])(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Za-z])",
        _real,
        begins=True,
    ),
    *_SIGNED,
    Shape(
        "a private key",
        ("-----BEGIN ",),
        r"-----BEGIN [A-Z0-9 ]{0,30}+-----",
        lambda text: "PRIVATE KEY" in text,
        begins=True,
    ),
    Shape("a private key", ("PuTTY-User-Key-File-",), r"PuTTY-User-Key-File-\d", _real, begins=True),
    Shape("a SendGrid key", ("SG.",), rf"(?<![0-9A-Za-z])SG\.{_URL}{{16,24}}+\.{_URL}{{32}}", _real, begins=True),
    Shape(
        "a Slack webhook", ("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/]{20})", _real
    ),
    Shape(
        "a Discord webhook",
        ("api/webhooks/",),
        rf"discord(?:app)?\.com/api/webhooks/\d{{15,22}}+/({_URL}{{30}})",
        _real,
    ),
    Shape(
        "a Discord token",
        ("M", "N", "O"),
        rf"(?<![0-9A-Za-z_.-])[MNO]{_URL}{{22,27}}+\.{_URL}{{6}}\.{_URL}{{27}}",
        _numbered,
    ),
    Shape("a Teams webhook", (".webhook.office.com/",), r"\.webhook\.office\.com/webhookb2/([0-9a-f-]{36})", _real),
    Shape("a Telegram token", (":AA",), rf"(?<!\w)\d{{8,10}}+:AA{_URL}{{32}}", _real),
    Shape("a Mailchimp key", ("-us",), rf"(?<!\w){_HEX}{{32}}-us\d", _real),
    Shape("a Facebook token", ("|",), rf"(?<!\w)\d{{15,16}}+\|({_URL}{{27}})", _by_chance),
    Shape("a Terraform token", (".atlasv1.",), rf"\.atlasv1\.({_URL}{{50}})", _real),
    Shape(
        "an Azure key",
        ("accountkey=", "sharedaccesskey=", "sharedsecretissuer"),
        rf"(?:AccountKey|SharedAccessKey|SharedSecretValue)=({_BASE64}{{30}})",
        _real,
        ignores_case=True,
    ),
    Shape("an Azure signature", ("sig=",), r"[?&;]sig=([0-9A-Za-z%+/]{30})", _real),
    Shape("an Azure client secret", ("Q~",), r"(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31}", _real),
    Shape("an Azure DevOps token", ("AZDO",), rf"(?<![0-9A-Za-z]){_LETTERS}{{76}}AZDO{_LETTERS}{{4}}", _real),
    Shape("a JSON web token", ("eyJ",), rf"(?<![0-9A-Za-z_])eyJ{_URL}{{8,300}}+\.eyJ{_URL}{{10}}", _real, begins=True),
    Shape(
        "a password in a URL",
        ("://",),
        r"[0-9A-Za-z]://[^\s:/@'\"{}$<>\0]{0,100}+:([^\s/@'\"{}$<>\0]{2,200}+)@[\w.\[{\0-]",
        lambda text: not text.startswith("%s") and _real(text),
    ),
    Shape(
        "an Authorization header",
        ("bearer ", "token ", "apikey "),
        r"(?<![\w-])(?:bearer|(?:api-)?token|apikey) {1,3}+([0-9a-z._~+/-]{10,400}+)",
        _bearer,
        ignores_case=True,
    ),
    Shape(
        "an Authorization header", ("basic ",), rf"(?<![\w-])basic {{1,3}}+({_BASE64}{{6,200}}+)", _names_a_user, True
    ),
    Shape(
        "a password in SQL",
        ("identified by '", "password '"),
        r"(?<!\w)(?:identified by|password) '([^'\s]{6,100}+)'",
        password_like,
        ignores_case=True,
    ),
    Shape(
        "a password of Oracle",
        ("oracle:thin:",),
        r"oracle:thin:([\w$#]{1,60}+/[^\s@'\"{}\0]{3,60}+)@",
        _real,
    ),
    Shape(
        "a password of a .netrc",
        (" password ",),
        r"(?<!\w)login [^\s]{1,80}+[ \n]{1,3}+password ([^\s'\"]{4,100}+)",
        password_like,
    ),
    Shape(
        "a login of Docker",
        ('"auth":', "'auth':"),
        rf"[\"']auth[\"']: {{0,3}}+[\"']({_BASE64}{{6,200}}+)",
        _names_a_user,
    ),
    Shape(
        "a password for curl",
        ("-u ", "--user ", "--user="),
        r"(?<!\S)(?:-u|--user)[ =]{1,3}+['\"]?([\w.@+-]{0,60}+:[^\s'\"]{4,100}+)",
        lambda text: password_like(text.partition(":")[2]),
    ),
)


@cache
def _compiled(shape: Shape) -> re.Pattern[str]:
    return re.compile(shape.pattern, re.IGNORECASE if shape.ignores_case else 0)


def by_shape(text: str) -> Iterator[tuple[int, str]]:
    """Yield where a text holds a credential that can be told by its look, and what it is.

    Parameters
    ----------
    text : str
        Any text.
    """
    lowered = text.lower()
    for shape in SHAPES:
        within = lowered if shape.ignores_case else text
        hints = [hint for hint in shape.hints if hint in within]
        for match in _matches(shape, hints, text) if hints else ():
            if shape.check(match[match.lastindex or 0]):
                yield match.start(), shape.what
                break


def _matches(shape: Shape, hints: list[str], text: str) -> Iterator[re.Match[str]]:
    pattern = _compiled(shape)
    if not shape.begins:
        yield from pattern.finditer(text)
        return
    for hint in hints:  # To find a text is much faster than to search for a pattern.
        place = text.find(hint)
        while place >= 0:
            if match := pattern.match(text, place):
                yield match
            place = text.find(hint, place + len(hint))
