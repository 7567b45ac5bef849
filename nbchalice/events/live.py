"""Live mode: real events are handled in this process by the function as it is defined now."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping

from nbchalice.aws.errors import explain
from nbchalice.deploy.desired import is_made
from nbchalice.errors import InvalidInputError, LostAnswerError, NbChaliceError
from nbchalice.events.handled_in_process import HERE
from nbchalice.events.leases import Lease, queue_name, seen_now, tags_of
from nbchalice.events.triggers import Route
from nbchalice.logs.invocation import Invocation
from nbchalice.polling import poll
from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, error_code, or_missing
from nbchalice.sources import SOURCES
from nbchalice.sources.messages import EVERYTHING
from nbchalice.sources.redirects import Redirect
from nbchalice.typed import JSON

BEAT_EVERY = 30.0
RETRY_AFTER = 2.0
MOST_NAMES = 9
WAIT_SECONDS = 2
HIDDEN_SECONDS = 40.0  # A queue hides for 30 s what somebody received, unless it was made otherwise.
Call = Callable[[object], Invocation]


class Live:
    """Handles the events of one trigger in this process, from `start` to `stop`.

    Parameters
    ----------
    aws : AWS
        where.
    route : Route
        The trigger and the deployed function.
    call : Call
        Handles an event with the function as it is defined at that moment.
    on_invocation : Callable[[Invocation], object]
        Takes what became of each event.
    on_trouble : Callable[[NbChaliceError or None], object]
        Takes what AWS refuses for now, and None when it works again.
    """

    def __init__(
        self,
        aws: AWS,
        route: Route,
        call: Call,
        on_invocation: Callable[[Invocation], object],
        on_trouble: Callable[[NbChaliceError | None], object],
    ) -> None:
        self._aws, self.ref, self._call = aws, route.ref, call
        self._on_invocation, self._on_trouble = on_invocation, on_trouble
        if not is_made(route.source, aws):
            raise InvalidInputError(f"the local AWS has no {route.source.title}, whose events could be redirected")
        self._route = route
        self._redirect = redirect_of(route)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._url = ""
        self._beat = 0.0
        self._left: JSON = {}

    @property
    def running(self) -> bool:
        """Whether events are handled here."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Pause the deployed trigger and begin to handle its events.

        Raises
        ------
        AWSError
            AWS refused; the deployed trigger stands as before.
        """
        with self._lock:
            if self.running:
                return
            self._stop.clear()
            try:
                self._redirect, self._url = with_queue(self._aws, self._route)
                self._redirect.begin(self._aws)
            except Exception as error:
                self._restore()
                raise explain(error, f"going live with {self.ref.handler}") from None
            self._beat = time.monotonic()
            self._thread = threading.Thread(target=self._poll, name=f"nbchalice-live-{self.ref.handler}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop handling events, and put the deployed trigger back.

        Raises
        ------
        AWSError
            AWS refused; a later deploy or status repairs the trigger.
        """
        with self._lock:
            self._stop.set()
            thread = self._thread
            if thread is not None and thread.is_alive() and thread is not threading.current_thread():
                thread.join()
            if self._url:
                self._restore()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is stopped."""
        self._stop.wait(seconds)

    def _restore(self) -> None:
        try:
            restore(self._aws, self._redirect, self._url, self._left)
            self._url = ""
        except LostAnswerError:
            raise
        except Exception as error:
            raise explain(error, f"putting back the trigger of {self.ref.handler}") from None

    def _poll(self) -> None:
        url, troubled = "", False
        while not self._stop.is_set():
            try:
                url = url or _url_of(self._aws, self._redirect.polled_arn)
                self._tell_alive()
                messages = _receive(self._aws, url, self._redirect.batch, WAIT_SECONDS)
                if troubled:
                    self._on_trouble(None)
                troubled = False
            except Exception as error:
                troubled = True
                self._on_trouble(explain(error, f"receiving events of {self.ref.handler}"))
                self._stop.wait(RETRY_AFTER)
                continue
            self._handle(url, messages)

    def _handle(self, url: str, messages: list[JSON]) -> None:
        """Handle a batch; what failed stays in the queue."""
        wanted = [message for message in messages if self._redirect.wants(message)]
        done = [message for message in messages if message not in wanted]
        try:
            event = self._redirect.event(wanted) if wanted else None
            if event is None:
                done = messages
            else:
                invocation = self._call(event)
                done += _done(wanted, invocation)
                self._remember(wanted, done, event)
                HERE.add(self.ref.name, invocation)
                self._on_invocation(invocation)
            _delete(self._aws, url, done)
        except Exception as error:
            self._on_trouble(explain(error, f"handling an event of {self.ref.handler}"))

    def _remember(self, wanted: list[JSON], done: list[JSON], event: object) -> None:
        """Keep what failed: from a temporary queue it goes to the deployed function in the end."""
        for message in wanted:
            if message in done:
                self._left.pop(message["MessageId"], None)
            elif self._redirect.polled_arn == self._redirect.queue_arn:
                self._left[message["MessageId"]] = event

    def _tell_alive(self) -> None:
        if time.monotonic() - self._beat > BEAT_EVERY:
            self._beat = time.monotonic()
            self._aws.client("sqs").tag_queue(QueueUrl=self._url, Tags=seen_now())


def _done(messages: list[JSON], invocation: Invocation) -> list[JSON]:
    if invocation.status == "error":
        return []
    return [message for message in messages if message["MessageId"] not in invocation.failed_ids]


def with_queue(aws: AWS, route: Route) -> tuple[Redirect, str]:
    """Return the redirect of a trigger, and the URL of its temporary queue, which is made."""
    number = 1
    while True:
        redirect = redirect_of(route, queue_name(route, number))
        try:
            return redirect, _make_queue(aws, redirect)
        except Exception as error:
            if number == MOST_NAMES or not error_code(error).endswith("QueueDeletedRecently"):
                raise
        number += 1


def _make_queue(aws: AWS, redirect: Redirect) -> str:
    """Make the temporary queue: it carries events where the trigger has no queue, and tells who is live."""
    client, tags = aws.client("sqs"), tags_of(redirect.function)
    url = str(client.create_queue(QueueName=Arn.parse(redirect.queue_arn).name, tags=tags)["QueueUrl"])
    client.tag_queue(QueueUrl=url, Tags=tags)  # one that stood keeps the tags of who was live before
    if redirect.polled_arn == redirect.queue_arn:
        client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": redirect.queue_policy()})
    return url


def _url_of(aws: AWS, arn: str) -> str:
    queue = Arn.parse(arn)
    return str(
        aws.client("sqs", queue.region).get_queue_url(QueueName=queue.name, QueueOwnerAWSAccountId=queue.account)[
            "QueueUrl"
        ]
    )


def _receive(aws: AWS, url: str, most: int, seconds: int) -> list[JSON]:
    answer = aws.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=most, WaitTimeSeconds=seconds, **EVERYTHING
    )
    return [dict(message) for message in answer.get("Messages", [])]


def _delete(aws: AWS, url: str, messages: list[JSON]) -> None:
    for message in messages:
        aws.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def restore(aws: AWS, redirect: Redirect, url: str, failed: JSON | None = None) -> None:
    """Put the deployed trigger back, hand what is left to the deployed function, and remove the temporary queue.

    Each event is forgotten only when the function has it, so that a restore that fails part way can be done again.
    An event's own entry in ``failed`` is then None.
    """
    redirect.end(aws)
    handed = {} if failed is None else failed
    for message_id, event in list(handed.items()):
        _hand(aws, redirect, event)
        handed[message_id] = None
    if url and redirect.polled_arn == redirect.queue_arn:
        # What a process took before it was killed is hidden for a while, and would go with the queue.
        deleted: set[str] = set()
        poll(lambda: _all_handed_on(aws, redirect, url, handed, deleted), time.monotonic() + HIDDEN_SECONDS)
    if url:
        with or_missing():
            aws.client("sqs").delete_queue(QueueUrl=url)
    handed.clear()


def _all_handed_on(aws: AWS, redirect: Redirect, url: str, handed: JSON, deleted: set[str]) -> bool:
    """Hand on what can be received now; whether nothing is hidden that was not handed on before."""
    client = aws.client("sqs")
    while messages := _receive(aws, url, 10, 0):
        for message in messages:
            _hand(aws, redirect, None if message["MessageId"] in handed else redirect.event([message]))
            handed[message["MessageId"]] = None
            _delete(aws, url, [message])
            deleted.add(message["MessageId"])
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    hidden = int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])
    return hidden <= len(handed.keys() - deleted)


def _hand(aws: AWS, redirect: Redirect, event: object) -> None:
    """Give an event to the deployed function's queue of asynchronous events; None is nothing of interest."""
    if event is None:
        return
    try:
        aws.client("lambda").invoke(
            FunctionName=redirect.function.name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
    except LostAnswerError as error:
        hint = f"the event may reach the function twice: %chalice logs {redirect.function.handler}"
        raise LostAnswerError(f"handing an event back to {redirect.function.name}", error.cause, hint) from None


def repair(aws: AWS, leases: list[Lease], handlers: Mapping[str, list[Route]]) -> None:
    """Put back the triggers whose live process has died.

    Parameters
    ----------
    aws : AWS
        where.
    leases : list[Lease]
        The leases to end; those of triggers that are no longer registered only lose their queue.
    handlers : Mapping[str, list[Route]]
        The routes of each registered handler, by name.
    """
    for lease in leases:
        try:
            for route in (route for route in handlers.get(lease.handler, []) if lease.is_of(route)):
                restore(aws, redirect_of(route, lease.queue), lease.url)
            with or_missing():
                aws.client("sqs").delete_queue(QueueUrl=lease.url)
        except Exception as error:
            raise explain(error, f"repairing the trigger of {lease.handler} after live mode") from None


def displaced_resources(leases: list[Lease], handlers: Mapping[str, list[Route]]) -> set[str]:
    """Return the keys of the resources that live mode changed or removed for as long as it lasts.

    Parameters
    ----------
    leases : list[Lease]
        The leases.
    handlers : Mapping[str, list[Route]]
        The routes of each registered handler, by name.
    """
    keys: set[str] = set()
    for lease in leases:
        redirected = [route for route in handlers.get(lease.handler, []) if lease.is_of(route)]
        keys |= {redirect_of(route).displaced.key for route in redirected}
    return keys


def can_be_live(route: Route) -> bool:
    """Whether the events of a trigger can be led to a kernel."""
    return _redirect(route, queue_name(route)) is not None


def _redirect(route: Route, queue: str) -> Redirect | None:
    return route.source.redirect(route.options, route.ref, route.ref.arn_of("sqs", queue))


def redirect_of(route: Route, queue: str = "") -> Redirect:
    """Return the redirect of a trigger over its temporary queue.

    Parameters
    ----------
    route : Route
        The trigger.
    queue : str
        The queue's name. Default: the first that it may have.

    Raises
    ------
    InvalidInputError
        There is none for it.
    """
    redirect = _redirect(route, queue or queue_name(route))
    if redirect is None:
        *first, last = [source.live_for for source in SOURCES.values() if source.live_for]
        raise InvalidInputError(
            f"live mode is not for {route.source.title} events of {route.ref.handler} "
            f"({route.source.describe(route.options)})",
            f"it is for {', '.join(first)} and {last}; --source chooses one of several",
        )
    return redirect
