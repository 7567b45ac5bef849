"""Credentials are found by their look or their name, names and paths are none, and no text takes long to search."""

import base64
import random
import re

import pytest

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.secrets import (
    find_secret,
    find_secret_value,
    names,
    pairs,
    reading,
    require_no_secret_env,
    shapes,
    values,
)

try:
    from re import _parser
except ImportError:  # pragma: no cover
    import sre_parse as _parser

_DRAW = random.Random(20)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def some(length, letters=LETTERS):
    """Make up a token; what is made here opens nothing, and stands in no file."""
    return "".join(_DRAW.choice(letters) for _ in range(length))


def hexes(length):
    return some(length, "0123456789abcdef")


def figures(length):
    return some(length, "123456789")


WORD = "hun" + "ter2x9"
TOKEN = "9b" + some(22)
UUID = f"{hexes(8)}-{hexes(4)}-4{hexes(3)}-a{hexes(3)}-{hexes(12)}"
BASIC = base64.b64encode(f"user:{WORD}".encode()).decode()
BEGIN = "-----BEGIN "

CODE = {
    "a variable": f"password = '{WORD}'",
    "an annotation": f"token: str = '{TOKEN}'",
    "an annotation with a call": f"password: str = Field(default='{WORD}')",
    "a walrus": f"if (api_key := '{TOKEN}'): pass",
    "an f-string": f"password = f'{WORD}'",
    "bytes": f"password = b'{WORD}'",
    "raw bytes": f"password = rb'{WORD}'",
    "three quotes": f"password = '''{WORD}'''",
    "a sum": f"token = 'x' + y + '{TOKEN}'",
    "encoded": f"secret = '{WORD}'.encode()",
    "wrapped": f"secret = SecretStr('{WORD}')",
    "decoded": f"token = base64.b64decode('{TOKEN}')",
    "an alternative": f"api_key = os.environ.get('K') or '{TOKEN}'",
    "a condition": f"password = '{WORD}' if local else read()",
    "two targets": f"a = password = '{WORD}'",
    "a pair of targets": f"user, password = 'admin', '{WORD}'",
    "an attribute": f"self.password = '{WORD}'",
    "an item": f"os.environ['API_KEY'] = '{TOKEN}'",
    "a default of environ.get": f"x = os.environ.get('API_TOKEN', '{TOKEN}')",
    "a default of getenv": f"x = os.getenv('DB_PASSWORD', '{WORD}')",
    "a default by name": f"x = env.str('DB_PASSWORD', default='{WORD}')",
    "setdefault": f"os.environ.setdefault('DB_PASSWORD', '{WORD}')",
    "putenv": f"os.putenv('SECRET', '{WORD}')",
    "setattr": f"setattr(config, 'password', '{WORD}')",
    "a third argument": f"parser.set('db', 'password', '{WORD}')",
    "a keyword": f"connect(host, password='{WORD}')",
    "a keyword beside an ARN": f"call('arn:aws:iam::123456789012:role/x', password='{WORD}')",
    "a line with EXAMPLE": f"password = '{WORD}'  # EXAMPLE",
    "a parameter": f"def f(host, password='{WORD}'): pass",
    "a parameter by name": f"def f(*, api_key: str = '{TOKEN}'): pass",
    "a lambda's": f"f = lambda token='{TOKEN}': token",
    "a class attribute": f"class C:\n    secret_key = '{TOKEN}'",
    "an entry": f"c = {{'db': {{'user': 'x', 'password': '{WORD}'}}}}",
    "a header": f"h = {{'X-Api-Key': '{TOKEN}'}}",
    "a header in small letters": f"h['x-api-key'] = '{TOKEN}'",
    "a list of headers": f"h = [('X-Api-Key', '{TOKEN}')]",
    "Bearer": f"h = {{'Authorization': 'Bearer {TOKEN}'}}",
    "Bearer in an f-string": f"h = {{'Authorization': f'Bearer {TOKEN}'}}",
    "Token": f"h = {{'Authorization': 'Token {hexes(40)}'}}",
    "Basic": f"h = {{'Authorization': 'Basic {BASIC}'}}",
    "auth": f"get(url, auth=('admin', '{WORD}'))",
    "HTTPBasicAuth": f"HTTPBasicAuth('admin', '{WORD}')",
    "login": f"smtp.login('me@example.org', '{WORD}')",
    "login, user elsewhere": f"ftp.login(user, '{WORD}')",
    "login by name": f"ftp.login('bob', passwd='{WORD}')",
    "auth of a session": f"session.auth = ('bob', '{WORD}')",
    "auth without brackets": f"session.auth = 'bob', '{WORD}'",
    "auth in a variable": f"auth = (USER, '{WORD}')",
    "auth in a dictionary": f"options = {{'auth': ('bob', '{WORD}')}}",
    "another auth": f"Elasticsearch(host, http_auth=('bob', '{WORD}'))",
    "auth in one text": f"make_headers(basic_auth='bob:{WORD}')",
    "FTP": f"FTP('ftp.example.org', 'bob', '{WORD}')",
    "connect by name": f"client.connect(host, username='bob', password='{WORD}')",
    "SSH": f"client.connect('host', 22, 'bob', '{WORD}')",
    "MySQL by place": f"pymysql.connect('host', 'bob', '{WORD}', 'shop')",
    "Oracle by place": f"oracledb.connect('bob', '{WORD}', 'host/shop')",
    "MQTT": f"client.username_pw_set('bob', '{WORD}')",
    "urllib": f"manager.add_password(None, url, 'bob', '{WORD}')",
    "a zip": f"archive.setpassword(b'{WORD}')",
    "a list of keys": f"API_KEYS = ['{some(32)}', '{some(32)}']",
    "a dictionary of keys": f"tokens = {{'a': '{some(32)}'}}",
    "a comparison": f"if token == '{TOKEN}7': pass",
    "pwd": f"pwd = '{WORD}'",
    "SMTP_PASS": f"SMTP_PASS = '{WORD}'",
    "a stage": f"DB_PASSWORD_PROD = '{WORD}'",
    "a number": f"SLACK_TOKEN_2 = '{TOKEN}'",
    "camels": f"mySecretString = '{TOKEN}'",
    "no separator": f"dbpassword = '{WORD}'",
    "signs only": "password = 'P@ss" + "word!x'",
    "a passphrase": f"passphrase = '{WORD}'",
    "a UUID": f"api_token = '{UUID}'",
    "hexadecimal": f"twilio_auth_token = '{hexes(32)}'",
    "base64": f"FERNET_KEY = '{some(43)}='",
    "a client secret": f"client_secret = '{some(40)}'",
    "credentials": f"credentials = '{some(40)}'",
    "AWS's secret": f"aws_secret_access_key = '{some(40)}'",
    "AWS's secret as argument": f"boto3.client('s3', aws_secret_access_key='{some(40)}')",
    "ODBC": f"c = 'Driver={{ODBC Driver 18}};Server=x;Uid=sa;Pwd={WORD};'",
    "ODBC in an f-string": f"c = f'Server={{s}};UID=sa;PWD={WORD}'",
    "ODBC in a sum": f"c = 'SERVER=y;' + 'UID=sa;PWD={WORD}'",
    "a DSN": f"c = 'host=db user=app password={WORD} dbname=x'",
    "JSON in a text": f"c = json.loads('{{\"password\": \"{WORD}\"}}')",
    "YAML in a text": f"c = '''\ndb:\n  password: {WORD}\n'''",
    "a query": f"u = 'https://x.example/a?id=1&api_key={TOKEN}'",
    "an option": f"c = 'mysqldump --password={WORD} shop'",
    "an option with a blank": f"c = 'mysqldump --password {WORD} shop'",
    "a list of options": f"c = ['mysqldump', '--password', '{WORD}']",
    "curl": f"c = 'curl -u admin:{WORD} https://x.example'",
    "SQL": f"""c = "CREATE USER x IDENTIFIED BY '{WORD}'" """,
    "a comment": f"def f():\n    # password = '{WORD}'\n    pass",
    "update": f"os.environ.update({{'API_TOKEN': '{TOKEN}'}})",
    "update by name": f"os.environ.update(DB_PASSWORD='{WORD}')",
    "pass": f"c = {{'user': 'x', 'pass': '{WORD}'}}",
    "dbpass": f"dbpass = '{WORD}'",
    "pw": f"pw = '{WORD}'",
    "pass in a text": f"c = 'user=x;pass={WORD}'",
    "npm's file": f"c = '//registry.example/:_authToken={UUID}'",
    "netrc": f"c = 'machine x login me password {WORD}'",
    "Docker's file": f"c = {{'auths': {{'x': {{'auth': '{BASIC}'}}}}}}",
    "Oracle": "u = 'jdbc:oracle:thin:scott/ti" + "ger@//host:1521/x'",
    "MySQL": f"u = 'jdbc:mysql://host/db?user=x&password={WORD}'",
    "signs in a key": f"SECRET_KEY = 'django-insecure-k&z#{some(10)}!w(x'",
    "figures": f"api_key = '{figures(20)}'",
    "Google's password for programs": "password = 'xkqz wjvb " + "plmr tyuc'",
    "a with": f"with connect(password='{WORD}') as c: pass",
    "await": f"async def f():\n    await connect(password='{WORD}')",
    "a decorator": f"@app.lambda_function(env=dict(DB_PASSWORD='{WORD}'))",
    "a pair in a pair": f"c = 'url=https://x.example?api_key={TOKEN}'",
    "a piece of a statement": f"    'password': '{WORD}',",
    "an indented line": f"    x = os.getenv('DB_PASSWORD', '{WORD}')",
}  # fmt: skip
LOOKS = {
    "redis": f"redis://:{WORD}@cache:6379/0",
    "redis, short": "redis://:" + "pw@cache:6379/0",
    "postgres": "postgres://u:" + "pw@host/db",
    "capitals": f"POSTGRES://USER:{WORD}@HOST/DB",
    "mongodb+srv": f"mongodb+srv://app:{WORD}@c0.example.net/x",
    "git": f"https://oauth2:{TOKEN}@gitlab.example/x.git",
    "AWS": "AKIA" + some(16, "ABCDEFGHIJKLMNOP234567"),
    "AWS, temporary": "ASIA" + some(16, "ABCDEFGHIJKLMNOP234567"),
    "GitHub": "ghp_" + some(36),
    "GitHub, fine": f"github_pat_{some(22)}_{some(59)}",
    "GitLab": "glpat-" + some(20),
    "GitLab's runner": "glrt-" + some(20),
    "Slack": f"xoxb-{figures(12)}-{figures(12)}-{some(24)}",
    "Slack's app": f"xapp-1-{some(10)}-{figures(12)}-{hexes(40)}",
    "Slack's webhook": f"https://hooks.slack.com/services/T{some(8)}/B{some(8)}/{some(24)}",
    "Stripe": "sk_live_" + some(24),
    "Stripe, restricted": "rk_live_" + some(24),
    "Stripe, for tests": "sk_test_" + some(24),
    "Stripe's webhook": "whsec_" + some(32),
    "SendGrid": f"SG.{some(22)}.{some(43)}",
    "Twilio": "SK" + hexes(32),
    "Discord": f"M{some(23)}.G{some(5)}.{some(37)}7",
    "Discord's webhook": f"https://discord.com/api/webhooks/{figures(18)}/{some(68)}",
    "Google": "AIza" + some(35),
    "Google's client": "GOCSPX-" + some(28),
    "Google's access": "ya29.a0" + some(60),
    "Azure's storage": f"AccountName=x;AccountKey={some(86)}==;EndpointSuffix=core.windows.net",
    "Azure's bus": f"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey={some(43)}=",
    "Azure's client": f"{some(3)}8Q~{some(34)}",
    "Azure's signature": f"https://x.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig={some(43)}%3D",
    "Docker": "dckr_pat_" + some(27),
    "Databricks": "dapi" + hexes(32),
    "npm": "npm_" + some(36),
    "PyPI": "pypi-AgEIcHlwaS5vcmc" + some(60),
    "RSA": f"{BEGIN}RSA PRIVATE KEY-----\nMII",
    "PKCS 8": f"{BEGIN}PRIVATE KEY-----\nMII",
    "OpenSSH": f"{BEGIN}OPENSSH PRIVATE KEY-----\nb3Bl",
    "PGP": f"{BEGIN}PGP PRIVATE KEY BLOCK-----\n",
    "a JSON web token": f"eyJ{some(20)}.eyJ{some(30)}.{some(43)}",
    "OpenAI": "sk-" + some(47) + "7",
    "OpenAI's project": "sk-proj-" + some(80),
    "Anthropic": "sk-ant-api03-" + some(80),
    "Hugging Face": "hf_" + some(34),
    "Mailgun": "key-" + hexes(32),
    "Mailchimp": hexes(32) + "-us12",
    "Telegram": f"{figures(9)}:AA{some(33)}",
    "DigitalOcean": "dop_v1_" + hexes(64),
    "Shopify": "shpat_" + hexes(32),
    "Terraform": f"{some(14)}.atlasv1.{some(64)}",
    "Vault": "hvs." + some(90),
}
HARMLESS = [
    "secret_name = 'prod/db/password1'",
    "KEY_PASSWORD_PARAM = '/app/prod/db1/password'",
    "tokenizer_name = 'bert-base-uncased-v2'",
    "tokenizer = 'bert-base-uncased-v2'",
    "password_policy = 'min8-upper1-digit1'",
    "access_key_column = 'access_key_2024'",
    "SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-a1b2c3'",
    "secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-a1b2c3'",
    "token_url = 'https://auth.example.org/oauth2/token'",
    "TOKEN_TABLE = 'tokens-2024-prod'",
    "token_type = 'Bearer2'",
    "API_KEY_HEADER = 'X-Api-Key-V2'",
    "password_hash = '5f4dcc3b5aa765d61d8327deb882cf99'",
    "secret_id = 'projects/123/secrets/db/versions/1'",
    "credentials_path = '~/.aws/credentials2'",
    "password_file = '/run/secrets/db1_password'",
    "DB_PASSWORD = '/app/prod/db1/password'",
    "api_key = 'prod/stripe/key2'",
    "password = os.environ['DB_PASSWORD']",
    "password = getpass()",
    "secret = client.get_secret('prod-db-password-2')",
    "client.get_secret_value(SecretId='prod/db1/password2')",
    "password = '{{resolve:secretsmanager:prod/db1:SecretString:password}}'",
    "token = '<your-token-1>'",
    "token = 'your-api-token-123'",
    "password = '********'",
    "api_key = 'xxxxxxxxxxxxxxxxxxxx1'",
    "password = f'{prefix}'",
    "url = f'postgres://{user}:{password}@{host}/db'",
    "url = 'postgres://%s:%s@%s/db' % (user, password, host)",
    "url = 'postgres://user:password@localhost/db'",
    "url = 'https://example.org:8080/a@b'",
    "c = f'Driver=x;Uid={user};Pwd={password}'",
    "h = {'Authorization': f'Bearer {token}'}",
    "h = {'Authorization': 'Bearer ' + token}",
    "text = 'Bearer authentication or Basic authentication'",
    "next_token = 'eyx1234567890abcdef1'",
    "pad_token = '[PAD1]'",
    "eos_token = '<|endoftext|>'",
    "token = 'word2vec'",
    "if token == 'covid19vaccines': pass",
    "hash_algorithm = 'sha256'",
    "dtypes = {'password': 'float32', 'token': 'int64', 'secret': 'varchar64'}",
    "s3.put_object(Key='data/2024/12/orders1.parquet')",
    "sort_key = 'created_at_2'",
    "partition_key = 'order2024id'",
    "max_tokens = 4096",
    "model = 'claude-3-5-sonnet-20241022'",
    "commit = '43fc912ef59a83054ea7f6706df4d53a7dea4d80'",
    "bucket = 'my-secret-bucket-2024'",
    "KEY = 'AKIAIOSFODNN7EXAMPLE'",
    "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'",
    "raise ValueError('invalid password: must have 8 characters')",
    "logger.info('token=%s', token)",
    "sql = 'update users set password = :password1 where id = 1'",
    "css = 'sk-estimator-html-container-id'",
    "xox = 'xoxb-your-token-here-please'",
    "compass = 'north-12'",
    "if ok: pass\nx = 'a1b2c3d4e5f6'",
    "passed = 'test_a1b2c3'",
    "arn = f'arn:aws:secretsmanager:{region}:{account}:secret:db-a1b2c3d4'",
    "text = 'passengers: 1234567'",
    "second_pass = 'lane2-north'",
    "hf = 'hf_requiredCharacteristicTypesForDisplay'",
    "token = r'[-!#$%&+.^_0-9a-zA-Z]+'",
    "moved('HTTPPasswordMgr', 'urllib2', 'urllib.request')",
    "auth = 'AWS::S3::DisableS3ExpressSessionAuth'",
    "KEY = f'AKIA" + "{suffix}'",
    "session.auth = (user, password)",
    "session.auth = ('bob', os.environ['PASSWORD'])",
    "auth = ('basic', 'digest')",
    "auth = ('basic', 'sha256', 'x509v3')",
    "auth = 'aws:v4'",
    "auth = ('prod/user', 'prod/password')",
    "oauth = ('client', 'https://auth.example.org/oauth2')",
    "auth = ['orders2024', 'returns2024']",
    "authors = ('ann1980', 'bob1990')",
    "login(url, timeout=30)",
    "page.login('bob')",
    "sqlite3.connect('orders2024.db')",
    "client.connect('broker-1.example.org', 1883, 60)",
    "signal.connect('row-changed-2', 'orders2024')",
    "pymysql.connect('db1.example.org', 'bob', password)",
    "ssh.connect('host', 22, 'bob', PASSWORD)",
    "FTP('ftp2.example.org')",
    "ftp.storbinary('STOR orders2024.csv', file)",
]


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_a_credential_is_found_by_what_it_is_called(code):
    assert find_secret(code)


@pytest.mark.parametrize("value", LOOKS.values(), ids=LOOKS)
def test_a_credential_is_found_by_its_look_wherever_it_stands(value):
    assert find_secret_value("", value)
    assert find_secret(f"x = {value!r}")
    assert find_secret(f"def f():\n    return g({value!r}, 1)  # a call")
    assert find_secret_value("SETTING", f"see {value}")


@pytest.mark.parametrize("code", HARMLESS)
def test_names_paths_and_placeholders_are_no_credentials(code):
    assert find_secret(code) is None


@pytest.mark.parametrize("code", [code for code in CODE.values() if "\n" not in code and "#" not in code])
def test_a_mark_waves_a_line_through(code):
    assert find_secret(f"{code}  # pragma: allowlist secret") is None


def test_a_mark_counts_for_its_own_line_only():
    lines = [f"c = dict(\n    password='{WORD}',", f"    token='{TOKEN}',\n)"]
    assert find_secret("  # pragma: allowlist secret\n".join(lines))
    both = "\n".join(lines).replace(",\n", ",  # pragma: allowlist secret\n")
    assert find_secret(both) is None


def test_a_text_of_several_lines_is_marked_behind_it():
    code = f"c = '''\ndb:\n  password: {WORD}\n  key: {BEGIN}RSA PRIVATE KEY-----\n'''"
    assert find_secret(code)
    assert find_secret(code + "  # pragma: allowlist secret") is None


def refused(*cells, code="secret-in-slice"):
    """Return the error of a handler that uses what the cells define as ``x``."""
    texts = [*cells, "def h(event):\n    return x"]
    made = [Cell(str(order), f"cell {order + 1}", text, order) for order, text in enumerate(texts)]
    with pytest.raises(CaptureError, check=lambda error: error.code == code) as caught:
        slice_handler(made, "h", notebook="nb.ipynb")
    return caught.value


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (f"x = dict(\n    host='db',\n    password='{WORD}',\n)", 3),
        (f"x = '''\ndb:\n  password: {WORD}\n'''", 3),
        (f"import os\n\nx = os.getenv(\n    'DB_PASSWORD',\n    '{WORD}')", 5),
        (f"# a comment\nx = 'redis://:{WORD}@cache'", 2),
        (f"def x():\n    # api_key = '{TOKEN}'\n    pass", 2),
    ],
)
def test_the_error_names_the_line_and_shows_no_value(code, line):
    error = refused(code)
    assert f"cell 1, line {line}" in str(error)
    assert WORD not in str(error) and TOKEN not in str(error)
    marked = code.split("\n")
    where = line - 1 if "'''" not in code else len(marked) - 1
    marked[where] += "  # pragma: allowlist secret"
    assert slice_handler(
        [Cell("a", "cell 1", "\n".join(marked), 0), Cell("b", "cell 2", "def h(event):\n    return x", 1)],
        "h",
        notebook="nb.ipynb",
    )


def test_all_are_told_at_once_each_with_its_place():
    error = refused(
        f"import os\npassword = '{WORD}'\nsession.auth = ('bob', '{WORD}')",
        f"x = dict(\n    token='{TOKEN}',\n    safe='{TOKEN}',  # pragma: allowlist secret\n    api_key='{TOKEN}',\n)\nx[1] = password",
        code="several-problems",
    )
    assert [str(one.location) for one in error.problems] == ["cell 1, line 2", "cell 2, line 2", "cell 2, line 4"]
    assert {one.code for one in error.problems} == {"secret-in-slice"}
    assert WORD not in str(error) and TOKEN not in str(error)
    with pytest.raises(CaptureError, check=lambda error: error.code == "several-problems") as caught:
        require_no_secret_env("h", {"DB_PASSWORD": WORD, "STAGE": "dev", "API_TOKEN": TOKEN}, None)
    assert len(caught.value.problems) == 2 and "--env API_TOKEN" in str(caught.value)


def test_no_error_shows_a_line_with_a_credential():
    for line in (f"password = '{WORD}'", f"password = '{WORD}'  # pragma: allowlist secret"):
        assert Cell("a", "cell 1", line, 0).location(1) == Location("cell 1", 1)
    assert Cell("a", "cell 1", "x = 1", 0).location(1).source == "x = 1"


def test_variables_are_looked_at_with_their_names():
    def wrong(name, value, **more):
        with pytest.raises(CaptureError) as caught:
            require_no_secret_env("h", {name: value}, None, **more)
        assert value not in str(caught.value)
        return caught.value

    error = wrong("DB_PASSWORD", WORD, configured={"DB_PASSWORD": WORD})
    assert error.message == (
        "handler h: environment variable DB_PASSWORD of .chalice/config.json holds a password or token"
    )
    assert '"allow_secret": ["DB_PASSWORD"] to .chalice/config.json' in error.hint
    error = wrong("DB_PASSWORD", WORD, configured={"DB_PASSWORD": "other"})
    assert error.message == "handler h: --env DB_PASSWORD holds a password or token"
    assert "--allow-secret DB_PASSWORD" in error.hint
    assert "Slack" in wrong("WEBHOOK_URL", LOOKS["Slack's webhook"]).message
    require_no_secret_env("h", {"DB_PASSWORD": WORD}, None, allowed=["DB_PASSWORD"])
    require_no_secret_env("h", {"TOKEN_TABLE": "tokens1", "SECRET_ARN": "arn:aws:x:y:1:secret:a1b2c3"}, None)


@pytest.mark.slow
def test_what_stands_among_its_like_is_found():
    for code in (*CODE.values(), *(f"x = {value!r}" for value in LOOKS.values())):
        if "\n" not in code and not code.startswith((" ", "class", "def", "if")):
            assert find_secret("token = x; " * 20_000 + code.replace(": str", "")) or _by_its_tree(code), code


def _by_its_tree(code):
    """Whether only the syntax tree tells; code of more than 100 KB is searched as a text."""
    return not list(reading.in_text(code, quoted=True))


def patterns():
    for shape in shapes.SHAPES:
        yield shape.what, shape.pattern
    for module in (names, pairs, reading, values):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}.{name}", value.pattern


def repeats(pattern, within=()):
    """Yield each repetition in a parsed pattern, with those it is in."""
    for code, value in pattern:
        if str(code) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            least, most, inner = value
            if (least, most) not in {(0, 1), (1, 1)}:
                yield str(code), least, most, within
            yield from repeats(inner, (*within, most) if most != 1 else within)
        elif str(code) == "SUBPATTERN":
            yield from repeats(value[-1], within)
        elif str(code) == "BRANCH":
            for branch in value[1]:
                yield from repeats(branch, within)
        elif str(code) in {"ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"}:
            yield from repeats(value if str(code) == "ATOMIC_GROUP" else value[1], within)


@pytest.mark.parametrize("pattern", [pytest.param(pattern, id=what) for what, pattern in patterns()])
def test_no_pattern_can_be_slow(pattern):
    words = pattern == names._PARTS.pattern
    for kind, least, most, within in repeats(_parser.parse(pattern)):
        assert not within, "a repetition within a repetition can be taken in many ways"
        # Each search is bounded, and nothing that was taken is given back. Names and values, which are split into
        # words, are short.
        assert words or most <= 400, "a search that reads on to the end does so from each place"
        assert words or kind == "POSSESSIVE_REPEAT" or least == most or most <= 20, "what was taken is given back"
    assert not words or names._LONGEST <= 100


def test_what_is_split_into_words_is_short():
    assert names.level_of("password_" * 100_000) is None
    assert not values.holds(values.Level.PASSWORD, "a1" * 100_000)


@pytest.mark.parametrize("code", ["x = " + "(" * 5_000, "x = " + "-" * 50_000 + "1", "x = " + "'a' + " * 5_000 + "'b'"])
def test_code_that_python_cannot_read_is_searched_as_text(code):
    assert find_secret(code) is None
    assert find_secret(f"{code}; password = '{WORD}'")


def test_a_variable_set_by_a_magic_is_code_of_the_handler():
    def cells(line):
        handler = Cell("b", "cell 2", "def h(event):\n    return os.environ['API_TOKEN']", 1)
        return [Cell("a", "cell 1", f"import os\n{line}", 0), handler]

    with pytest.raises(CaptureError, check=lambda error: error.code == "secret-in-slice") as caught:
        slice_handler(cells(f"%env API_TOKEN={TOKEN}"), "h", notebook="nb.ipynb")
    assert "cell 1, line 2" in str(caught.value) and TOKEN not in str(caught.value)
    assert "set it with os.environ[NAME] = VALUE, and end that line with" in caught.value.hint
    marked = f"os.environ['API_TOKEN'] = '{TOKEN}'  # pragma: allowlist secret"
    assert TOKEN in slice_handler(cells(marked), "h", notebook="nb.ipynb").module
