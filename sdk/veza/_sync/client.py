# Written by sdk/generate.py; not edited by hand.
"""The client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Self, Unpack
from urllib.parse import urlencode

from veza._call import Body, Call, seconds
from veza._clock import Clock, SystemClock
from veza._config import Settings, api_root, count, random_jitter, random_key
from veza._connections import ThreadConnections
from veza._family import family_of, maker
from veza._http_types import HttpClient
from veza._logging import guard
from veza._operation import check
from veza._operations import CREATE_ORDER
from veza._options import as_headers, product
from veza._pace import pace
from veza._process import Bound
from veza._raw import RawResponse, raw_body, safe_path
from veza._retry import RetryPolicy
from veza._secret import Secret
from veza._session import Session, as_secret, as_token
from veza._sync.engine import Engine
from veza._sync.options import ClientOptions, from_environment
from veza.hooks import Hooks
from veza.tokens import TokenProvider

if TYPE_CHECKING:
    from types import TracebackType

    from veza._sync.auth import Auth
    from veza._sync.licenses import Licenses
    from veza._sync.orders import Orders
    from veza._sync.products import Products
    from veza._sync.system import System
    from veza._wire import Json

_DEFAULT_TIMEOUT = 30.0
_RESOURCES = frozenset({"system", "auth", "products", "orders", "licenses"})


class Veza(Bound):
    """A client of one Veza backend, for one account. Safe to share.

    Args:
        base_url: the backend, without `/api/v1`.
        email: the account; with `password` the first call that needs a login logs in by itself.
        password: its password.
        access_token: a token that is already there.
        refresh_token: renews the access token.
        timeout: seconds for connecting, for writing, and for each read of an attempt.
        max_retries: attempts beyond the first, for what is safe to send again.
        idempotency: whether this backend honours `Idempotency-Key`. If it does, writes carry one and are sent
            again after a failure; if not, a write is not sent again once its bytes may have been.
        http_client: a client of httpx or httpx2 to send with; it is never closed here, its cookie jar and its
            `auth` are not used. It belongs to the process (of `Veza`: to the event loop) that first uses it. Or a
            function that makes one: it is called for each process and event loop, and what it made is closed with
            this client. If this is left out, the SDK does so itself.
        clock: the time; the machine's where it is left out.
        deadline: seconds for each call in all, attempts and waits; None for no limit but the timeouts.
        max_retry_after: the longest `Retry-After` in seconds that is waited out.
        idempotency_keys: makes the keys of writes that are given none; random UUIDs where it is left out.
        jitter: returns a number from 0 to 1 that spreads the waits between attempts.
        token_provider: gives the access tokens, in the place of `email` and `password`.
        checkout_page: for a backend that answers a new order with a client secret in place of a URL: the page's
            URL with `{client_secret}` and `{payment_id}` in it.
        hooks: functions that are called with each attempt: for metrics and traces.
        keep_content: whether `response_info.content` of a result holds the body that it was read from.
        app_info: the calling application, such as `shop/1.2`; it is appended to `User-Agent`.
        requests_per_second: a limit that the client keeps by itself, evenly, for all its threads and tasks; each
            process has its own. None for no limit.

    Raises:
        InvalidRequestError: an argument makes no sense.
    """

    def __init__(
        self,
        base_url: str,
        *,
        email: str | None = None,
        password: str | Secret | None = None,
        access_token: str | Secret | None = None,
        refresh_token: str | Secret | None = None,
        timeout: float = _DEFAULT_TIMEOUT,
        max_retries: int = 2,
        idempotency: bool = False,
        http_client: HttpClient | None = None,
        clock: Clock | None = None,
        deadline: float | None = None,
        max_retry_after: float = 60.0,
        idempotency_keys: Callable[[], str] | None = None,
        jitter: Callable[[], float] | None = None,
        token_provider: TokenProvider | None = None,
        checkout_page: str | None = None,
        hooks: Hooks | None = None,
        keep_content: bool = False,
        app_info: str | None = None,
        requests_per_second: float | None = None,
    ) -> None:
        password = as_secret(password, "password")
        access_token = None if access_token is None else as_token(access_token)
        refresh_token = as_secret(refresh_token, "refresh_token")
        root = api_root(base_url)
        session = Session(email, password, access_token, refresh_token)
        self._settings = Settings(
            timeout=seconds(timeout, "timeout") or _DEFAULT_TIMEOUT,
            deadline=seconds(deadline, "deadline"),
            retry=RetryPolicy(count(max_retries, "max_retries"), max_retry_after, jitter or random_jitter),
            idempotency=idempotency,
            new_key=idempotency_keys or random_key,
            checkout_page=checkout_page,
            hooks=hooks,
            keep_content=keep_content,
        )
        self._base_url = base_url
        self._borrows = False
        connections = ThreadConnections(http_client, maker(http_client, "Client", self._settings.timeout))
        family = family_of(connections.pattern)
        guard(family.name)
        self._engine = Engine(
            connections=connections,
            family=family,
            root=root,
            session=session,
            clock=clock or SystemClock(),
            provider=token_provider,
            app_info=product(app_info),
            pace=pace(requests_per_second),
        )

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """Return a client by the environment.

        `VEZA_URL` is the backend, without `/api/v1`; `OPERATOR_EMAIL` and `OPERATOR_PASSWORD` the account, or
        `VEZA_ACCESS_TOKEN` a token. The account is read only if no credentials are passed, or only None.

        Args:
            options: as the constructor.

        Raises:
            InvalidRequestError: `VEZA_URL` is not set, or an option makes no sense.
        """
        base_url, rest = from_environment(options)
        return cls(base_url, **rest)

    @cached_property
    def system(self) -> System:
        """What the backend says of itself."""
        from veza._sync.system import System  # noqa: PLC0415  (loaded when first used)

        return System(self._engine, self._settings)

    @cached_property
    def auth(self) -> Auth:
        """Logging in and out."""
        from veza._sync.auth import Auth  # noqa: PLC0415  (loaded when first used)

        return Auth(self._engine, self._settings)

    @cached_property
    def products(self) -> Products:
        """What can be bought."""
        from veza._sync.products import Products  # noqa: PLC0415  (loaded when first used)

        return Products(self._engine, self._settings)

    @cached_property
    def orders(self) -> Orders:
        """Buying and refunding."""
        from veza._sync.orders import Orders  # noqa: PLC0415  (loaded when first used)

        return Orders(self._engine, self._settings)

    @cached_property
    def licenses(self) -> Licenses:
        """What the account may use."""
        from veza._sync.licenses import Licenses  # noqa: PLC0415  (loaded when first used)

        return Licenses(self._engine, self._settings)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | bool] | None = None,
        json: Json | Mapping[str, object] = None,
        headers: Mapping[str, str] | None = None,
        auth: bool = True,
        idempotency_key: str | None = None,
        deadline: float | None = None,
        timeout: float | None = None,
    ) -> RawResponse:
        """Send what the typed methods do not cover; login, retries, errors and logs are as theirs.

        Args:
            method: the HTTP method.
            path: below the API's base path, starting with `/`, its ids already encoded.
            params: the query.
            json: the body.
            headers: beside the client's own; those that the SDK writes itself are refused, as is `Authorization` if
                `auth` is true.
            auth: whether to carry the login.
            idempotency_key: sent as `Idempotency-Key`.
            deadline: seconds for all attempts and waits.
            timeout: seconds for each attempt's connecting, writing and each read, in the place of the client's.

        Raises:
            InvalidRequestError: the path would leave the API, or a header or the key is malformed.
            VezaError: as any call.
        """
        settings = self._settings
        if idempotency_key is not None:  # an empty one would make an unkeyed write look repeatable
            check(CREATE_ORDER.parameters["Idempotency-Key"], idempotency_key, "idempotency_key")
        call = Call(
            method.upper(),
            safe_path(path),
            urlencode(params) if params else "",
            None if json is None else Body(json),
            as_headers(headers, auth=auth),
            auth=auth,
            repeatable=method.upper() in {"GET", "HEAD", "OPTIONS"}
            or (idempotency_key is not None and settings.idempotency),
            idempotency_key=idempotency_key,
            deadline=seconds(deadline, "deadline"),
            timeout=seconds(timeout, "timeout"),
        )
        del params, json, headers  # a traceback that shows variables must not show these
        answer = self._engine.send(call, settings, raw_body)
        value, content = answer.result
        return RawResponse(value, content, answer.info)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        idempotency: bool | None = None,
        deadline: float | None = None,
        max_retry_after: float | None = None,
        hooks: Hooks | None = None,
        keep_content: bool | None = None,
    ) -> Self:
        """Return a client with other settings that shares this one's connections, login and clock.

        Closing it closes nothing. What is left out stays as it is; as the constructor for the rest.
        """
        old = self._settings
        retry = RetryPolicy(
            old.retry.max_retries if max_retries is None else count(max_retries, "max_retries"),
            old.retry.max_retry_after if max_retry_after is None else max_retry_after,
            old.retry.jitter,
        )
        settings = Settings(
            timeout=seconds(timeout, "timeout") or old.timeout,
            deadline=seconds(deadline, "deadline") or old.deadline,
            retry=retry,
            idempotency=old.idempotency if idempotency is None else idempotency,
            new_key=old.new_key,
            checkout_page=old.checkout_page,
            hooks=hooks or old.hooks,
            keep_content=old.keep_content if keep_content is None else keep_content,
        )
        other = type(self).__new__(type(self))
        kept = {name: value for name, value in self.__dict__.items() if name not in _RESOURCES}
        other.__dict__.update(kept, _borrows=True, _settings=settings)
        return other

    def close(self) -> None:
        """Close the connections, if this client made them."""
        if not self._borrows:
            self._engine.connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {getattr(self, '_base_url', 'no backend')}>"  # it may not have been made
