"""The event sources, by the name of their decorator and cell magic."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from nbchalice.errors import InvalidInputError
from nbchalice.runtime.entry_points import UnusableSourceError, load, refuse, source_names, third_parties
from nbchalice.runtime.event_kinds import kinds_of
from nbchalice.sources.base import Source
from nbchalice.sources.cw_event import CloudWatchEvents
from nbchalice.sources.dynamodb import DynamoDB
from nbchalice.sources.kinesis import Kinesis
from nbchalice.sources.lambda_function import PureLambda
from nbchalice.sources.s3 import S3
from nbchalice.sources.schedule import Schedule
from nbchalice.sources.sns import SNS
from nbchalice.sources.sqs import SQS

BUILT_IN: dict[str, Source] = {
    source.name: source
    for source in (Schedule(), S3(), SNS(), SQS(), CloudWatchEvents(), Kinesis(), DynamoDB(), PureLambda())
}


class NoSuchSourceError(InvalidInputError, KeyError):
    """A source that no installed package has, or that cannot be used."""

    code = "unusable-source"


class Sources(Mapping[str, Source]):
    """nbchalice's own sources, and those of other packages, which are imported when they are asked for.

    One that cannot be used raises ``NoSuchSourceError`` when it is asked for by its name. Who goes through all of them
    gets the others, and the person is told, once.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __getitem__(self, name: str) -> Source:
        return BUILT_IN[name] if name in BUILT_IN else self._other(name)

    def _other(self, name: str) -> Source:
        try:
            source = load(name)
            if not isinstance(source, Source):
                refuse(name, f"its entry point gives {source!r}, which is not an nbchalice.sources.base.Source")
            return source
        except UnusableSourceError as error:
            raise NoSuchSourceError(error.text, error.hint) from None
        except KeyError:
            hint = "install the package that has it into the kernel's environment, then run %reload_ext nbchalice"
            raise NoSuchSourceError(f"no installed package has the event source {name}", hint) from None

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        for name in third_parties():
            try:
                self._other(name)
            except NoSuchSourceError as error:
                self._tell(error.message)
            else:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in source_names()

    def _tell(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            print(f"nbchalice: {why}", file=sys.stderr)


SOURCES = Sources()


def source_of(event: object) -> Source:
    """Return the source whose raw events look like this one; of any other JSON the one that may have any."""
    for kind in kinds_of(event):
        if not kind.any_event or (isinstance(event, dict) and kind.recognizes and kind.recognizes(event)):
            return SOURCES[kind.name]
    return SOURCES[PureLambda.name]
