"""How much of the hardships is tried: a share with every run of the tests, the whole with ``NBCHALICE_WHOLE=1``."""

import os

from hypothesis import HealthCheck, settings

WHOLE = bool(os.environ.get("NBCHALICE_WHOLE"))


def count(share, whole):
    """Return how many cases to try."""
    return whole if WHOLE else share


# The share is the same in every run, so that it cannot fail by chance; the whole looks elsewhere each time.
EXAMPLES = settings(
    max_examples=count(100, 5000),
    derandomize=not WHOLE,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
