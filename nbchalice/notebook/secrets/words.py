"""The words that tell a credential's name, or something harmless, from each other."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEUTRAL = _words(
    """
    prod production dev develop staging stage test testing live old new value val str string text raw bytes b64
    base64 encoded hex plain plaintext clear default current main v
    """
)
"""At the end of a name these say nothing: ``api_token_prod_2``."""
HARMLESS = _words(
    """
    name names id ids arn arns param params parameter parameters path paths url urls uri uris urn endpoint
    endpoints type types kind column columns col cols field fields header headers table tables policy policies
    file files filename filepath dir directory folder prefix suffix length len size count counts counter number
    num limit limits max min pattern regex regexp format fmt label labels title message messages msg hint hints
    help prompt prompts description desc doc docs version versions algorithm alg algo method mode class cls
    model models provider backend source location bucket buckets queue topic region env var variable variables
    attr attribute attributes prop property option options flag flags arg args namespace scope scopes audience
    aud issuer iss ttl expiry expires expiration timeout age date time timestamp at index idx position separator
    sep delimiter template placeholder strategy rotation rule rules state status event events error errors
    exception exceptions code codes group groups role roles user users username login owner email alias ref
    reference manager mgr realm store service services host hostname domain page view route routes form input inputs
    widget element selector xpath css budget estimate dtype encoding map mapping vocab usage cost price hash
    hashes digest hasher checksum schema server vault engine spec config settings kwargs tag tags category
    categories color key keyword keywords word words list set dict cache context reader loader getter factory
    handler function func fn callback validator generator parser checker requirement requirements required
    length strength score reset request response result results link cookie_name tokenizer embedding embeddings
    ratio rate probability
    """
)
"""A name that ends so is of something about a credential: ``secret_name``, ``TOKEN_URL``, ``password_policy``."""
NOT_TOKENS = _words(
    """
    next page pagination continuation pad padding eos bos unk mask sep cls stop start starting end special csrf
    xsrf public first last prev previous cur current word sub subword input output image audio max min num n
    type shard resume sync idempotency request lexer syntax
    """
)
"""Before ``token``: ``next_token``, ``pad_token``."""
NOT_PASSWORDS = _words(
    """
    first second third one two multi single forward backward boarding high low band by bypass compass encompass
    trespass overpass underpass surpass
    """
)
"""Before ``pass``: ``second_pass``."""
KEYS = _words(
    """
    api access secret private signing encryption master account sharedaccess
    """
)
"""Before ``key``: a key that opens something."""
MAYBE_KEYS = _words(
    """
    auth shared subscription service storage app application consumer webhook hmac jwt crypto crypt fernet aes
    deploy client ssh rsa server integration admin root license licence session cookie security write ingestion
    function functions openai anthropic stripe sendgrid twilio datadog google azure mailgun github gitlab slack
    weather maps sign encrypt decrypt heroku snyk hubspot pagerduty cipher
    """
)
MAYBE = _words(
    """
    auth authorization credential credentials creds jwt bearer cookie sas
    """
)
PLACEHOLDERS = _words(
    """
    your my our the a an some this is insert enter put here todo fixme replace change changeme me example sample
    dummy fake foo bar baz mock placeholder redacted hidden masked secret secrets password passwd pass token
    tokens api apikey key keys access auth bearer user username name value string str text none null nil
    undefined empty test testing invalid unknown default optional required not set unset with of for to in and
    or new old client private public
    """
)
