"""What is known of functions of Python and of well-known libraries: what they change, and which are cheap."""

from __future__ import annotations

import sys

from nbchalice.runtime.decorators import CHALICES_OWN
from nbchalice.runtime.event_kinds import BUILT_IN


def words(text: str) -> frozenset[str]:
    """Return the words of a text, for tables that would be long as lists."""
    return frozenset(text.split())


MUTATORS = words(
    """
    append appendleft extend extendleft insert remove pop popleft popitem clear update setdefault add discard
    sort reverse rotate difference_update intersection_update symmetric_difference_update move_to_end subtract
    __setitem__ __delitem__ __setattr__ put put_nowait write writelines push set writerow writerows writeheader
    """
)
"""Methods that change the object they are called on."""

ARGUMENT_MUTATORS = words(
    """
    setattr delattr random.shuffle shuffle heapq.heappush heapq.heappop heapq.heapify heapq.heapreplace
    heapq.heappushpop heappush heappop heapify heapreplace heappushpop bisect.insort bisect.insort_left
    bisect.insort_right insort insort_left insort_right operator.setitem operator.delitem operator.iadd setitem
    delitem dict.update dict.setdefault dict.pop dict.clear list.append list.extend list.insert list.sort
    list.pop list.remove list.clear list.reverse set.add set.update set.discard object.__setattr__ next
    """
)
"""Functions that change their first argument."""

IMMUTABLE_RESULTS = words(
    """
    len int float str bool complex bytes repr ord chr hash round abs divmod isinstance issubclass callable id
    format ascii bin hex oct all any
    """
)
SHARING = words(
    """
    dict list tuple set frozenset sorted reversed zip iter enumerate map filter next getattr vars max min sum
    copy.copy copy partial functools.partial itertools.chain chain ChainMap itertools.cycle cycle globals locals
    memoryview super deque defaultdict OrderedDict collections.deque collections.OrderedDict functools.reduce
    reduce cast typing.cast csv.writer csv.DictWriter
    """
)
"""Functions whose result shares objects with their arguments."""

ITERATORS = words("iter zip map filter enumerate reversed open")
"""Builtins that return what can be read only once."""

LOOKS = words("print display repr str id type isinstance hash len callable help dir getattr hasattr") | ITERATORS
"""Builtins that read nothing of an iterator, or not yet."""

STREAM_KEYWORDS = words("file stream fp out buf buffer")
"""Arguments by which a function is told where to write."""

PURE_CALLS = words(
    """
    print display len repr str json.dumps pprint pprint.pprint hash id type dir help isinstance sum min max
    sorted any all list tuple dict set
    """
)
"""Functions that look at their arguments and do not change them.

No run can decide about them in two places. ``print(client)`` would be asked about, as nobody can describe a client; and
in the handler's own cell, where everything that acts travels, ``re.findall("a", text)`` or a plot runs on Lambda as
well as here and makes no value another: it would only bring its library along.
"""
PURE_MODULES = words(
    """
    inspect dis timeit json pprint math statistics textwrap difflib nbchalice re datetime itertools calendar fractions
    hashlib base64 uuid string unicodedata html platform unittest doctest
    """
)
"""Modules whose functions look at their arguments and do not change them; they serve as ``PURE_METHODS`` do."""

PURE_METHODS = words(
    """
    get keys values items copy encode decode head tail info describe plot show summary print close save savefig hist
    boxplot to_csv to_json to_parquet to_excel to_string to_html debug warning error exception critical log display
    shutdown stop quit read_text exists is_file is_dir invoke generate_sqs_event generate_sns_event generate_s3_event
    generate_cw_event generate_kinesis_event score predict predict_proba predict_log_proba decision_function transform
    inverse_transform evaluate get_params
    """
)
"""Methods called for their result or their output, not to change the object.

They serve where no run can compare: for objects that nobody can describe, such as a client or a model of a framework,
and for what a handler calls, which is not run: ``log.info(rows)`` does not change ``log``, so that stays compared.
"""

CONFIGURES = (
    "set",
    "seed",
    "manual_seed",
    "rc",
    "register",
    "basicConfig",
    "dictConfig",
    "fileConfig",
    "config",
    "filterwarnings",
    "simplefilter",
    "enable",
    "disable",
    "install",
    "patch",
    "mock",
    "setup",
    "init",
    "add",
    "append",
    "insert",
    "remove",
    "clear",
    "include",
    "mount",
    "use",
    "bind",
    "connect_signal",
    "subscribe",
    "update",
    "define",
    "declare",
    "option",
    "middleware",
)
"""A method or function whose name begins so is called to set its object or module up."""

TRAINS = frozenset(
    ["fit", "partial_fit", "train", "fit_transform", "fine_tune", "learn", "compile", "load_state_dict", "load_weights"]
)

RUNS_SQL = words(
    """
    execute executemany executescript commit create_function create_aggregate create_collation create_window_function
    """
)
"""Methods of a connection, which no run can compare: what was done with it is done again, a query, too."""

HANDLER_DECORATORS = CHALICES_OWN | {kind.name for kind in BUILT_IN}


def is_handler_decorator(path: tuple[str, ...]) -> bool:
    """Tell whether ``app.<path>`` registers a handler, which concerns no other handler."""
    return len(path) == 1 and (path[0] in HANDLER_DECORATORS or path[0].startswith("on_"))


STDLIB = sys.stdlib_module_names
OUTSIDE = words(
    """
    subprocess socket urllib http smtplib ftplib imaplib poplib telnetlib sqlite3 dbm shelve pickle
    multiprocessing concurrent asyncio glob shutil getpass webbrowser xmlrpc tarfile zipfile gzip bz2 lzma
    marshal fileinput ssl selectors timeit cProfile profile runpy venv ensurepip pip select tempfile
    """
)
"""Modules of the standard library whose functions act on the disk, the network or other processes."""

READS_FILES = words(
    """
    open read_text read_bytes read_csv read_parquet read_json read_excel read_pickle read_feather read_table
    read_hdf read_orc read_sas read_spss read_stata read_fwf scan_csv scan_parquet loadtxt genfromtxt load_model
    from_file read_file
    """
)
LOADS_FILES = words("joblib.load numpy.load numpy.fromfile torch.load pickle.load_file")
"""Functions named by no word of ``READS_FILES`` that read the file their first argument names."""

OF_THE_PLACE = words(
    """
    os.getcwd os.path.expanduser os.path.abspath os.path.realpath pathlib.Path.home pathlib.Path.cwd glob.glob
    glob.iglob os.listdir os.scandir os.walk
    """
)
"""What tells of the folder it is asked in, and of the user's: a run in other folders shows whether that matters."""

OF_THE_MACHINE = words(
    """
    os.getlogin os.getpid os.getppid os.getuid os.uname socket.gethostname socket.getfqdn platform.node
    platform.platform platform.release platform.version platform.uname platform.processor getpass.getuser
    uuid.getnode shutil.which shutil.disk_usage
    """
)
"""What tells of the computer it is asked on: its names, its processes."""

PATH_ASKS = words("iterdir glob rglob resolve absolute expanduser")
"""Methods of a path that look at the disk, and tell nothing where there is nothing: of the place, too."""

OF_THE_MOMENT = words(
    """
    time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns time.process_time
    datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today pandas.Timestamp.now
    pandas.Timestamp.today pandas.Timestamp.utcnow tempfile.mkdtemp tempfile.mkstemp
    """
)
OF_CHANCE = words(
    """
    uuid.uuid1 uuid.uuid4 os.urandom secrets.token_hex secrets.token_bytes secrets.token_urlsafe secrets.choice
    secrets.randbelow secrets.randbits
    """
)
GENERATORS = words("random numpy.random")
"""Modules whose functions draw from one generator, which can be seeded."""

OWN_GENERATORS = words("random.Random numpy.random.default_rng numpy.random.RandomState numpy.random.Generator")
"""What makes a generator of its own: each of its methods draws from it."""

SEEDS = words("seed default_rng getstate setstate get_state set_state")

HEAVY = words(
    """
    pandas polars torch tensorflow keras sklearn transformers xgboost lightgbm catboost spacy
    sentence_transformers joblib statsmodels datasets pyspark dask modin vaex cudf fastai nltk gensim jax flax
    prophet requests httpx urllib3 aiohttp openai anthropic
    """
)
"""Libraries whose methods of the names above may change what they are methods of, or reach out."""
