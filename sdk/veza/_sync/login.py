# Written by sdk/generate.py; not edited by hand.
"""Coming by a token: the one in hand, a renewal or a login; one for all callers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from veza._call import Body, Budget, Call
from veza._decode import attached, one
from veza._flight import ThreadFlight
from veza._gate import Gate
from veza._operation import check
from veza._operations import LOGIN, REFRESH_TOKEN
from veza._options import sending
from veza._session import Renewal, as_token, issued
from veza.errors import AuthenticationError, VezaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from veza._call import Answer, Result
    from veza._clock import Clock
    from veza._config import Settings
    from veza._options import CallOptions
    from veza._secret import Secret
    from veza._session import Session
    from veza.models.auth import Login, Tokens
    from veza.tokens import TokenProvider


class Sender(Protocol):
    """The part of the engine that a renewal needs."""

    clock: Clock
    session: Session

    def send(self, call: Call, settings: Settings, read: Callable[[bytes], Result]) -> Answer[Result]:
        """Send a call until it succeeds or must give up."""
        ...


class Renewer:
    """Keeps a session's token fresh, with one renewal however many calls need it."""

    def __init__(self, engine: Sender, provider: TokenProvider | None) -> None:
        self._engine = engine
        self._provider = provider
        self._flight = ThreadFlight(detached=provider is not None)
        self._own = ThreadFlight()
        self._logins = Gate()
        self._renewals = Gate()

    def can_renew(self) -> bool:
        """Whether a rejected token can be replaced."""
        return self._provider is not None or self._engine.session.renewal() is not Renewal.IMPOSSIBLE

    def token(self, rejected: Secret | None, budget: Budget, settings: Settings) -> Secret | None:
        """Return a token other than the rejected one; None where there is no login to be had.

        Raises:
            VezaError: the login or its renewal failed.
        """
        session, clock = self._engine.session, self._engine.clock
        token = session.usable(clock.monotonic(), rejected)
        if token is not None or not self.can_renew():
            return token or session.access

        def renew() -> Secret | None:
            fresh = session.usable(clock.monotonic(), rejected)
            return fresh or self._renew(rejected, settings, budget)

        return self._flight.run(renew, budget)

    def _renew(self, rejected: Secret | None, settings: Settings, budget: Budget) -> Secret | None:
        session = self._engine.session
        if self._provider is not None:
            return self._provided(self._provider, rejected)
        refresh = session.refresh
        if refresh is not None:
            try:
                self.refresh(refresh, settings, deadline=budget.remaining())
            except AuthenticationError:
                session.refused(refresh)
                if session.renewal() is Renewal.IMPOSSIBLE:
                    raise
            else:
                return session.access
        if session.email is None or session.password is None:
            return session.access
        self.login(session.email, session.password, settings, deadline=budget.remaining())
        return session.access

    def _provided(self, provider: TokenProvider, rejected: Secret | None) -> Secret:
        text = provider(None if rejected is None else rejected.get_secret_value())
        return self._engine.session.provided(as_token(text))

    def login_again(
        self, email: str, password: Secret, settings: Settings, *, remember_me: bool | None = None,
        deadline: float | None = None, **options: Unpack[CallOptions],
    ) -> Login:  # fmt: skip
        """Log in with the client's own credentials, one after the other, so that a refusal is shared by all who ask.

        Raises:
            VezaError: as any call.
        """
        budget = Budget(self._engine.clock.monotonic, deadline or settings.deadline)
        mine: list[Login] = []

        def work() -> Secret | None:
            left = budget.remaining()
            mine.append(self.login(email, password, settings, remember_me=remember_me, deadline=left, **options))
            return self._engine.session.access

        while not mine:
            self._own.run(work, budget)
        return mine[0]

    def login(
        self, email: str, password: Secret, settings: Settings, *, remember_me: bool | None = None,
        deadline: float | None = None, anyway: bool = False, **options: Unpack[CallOptions],
    ) -> Login:  # fmt: skip
        """Log in and take the tokens; not with credentials that were refused, unless `anyway`.

        Raises:
            VezaError: as any call.
        """
        from veza.models.auth import Login  # noqa: PLC0415  (built when first used)

        fields: dict[str, object] = {"email": email, "password": password}
        if remember_me is not None:
            fields["remember_me"] = remember_me
        began = self._engine.clock.monotonic()
        check(LOGIN.body or {}, fields, "login")
        if not anyway:
            self._logins.pass_by((email, password), began)
        call = Call(
            "POST", LOGIN.path, body=Body(fields), auth=False, repeatable=False, deadline=deadline, secrets=(password,),
            operation=LOGIN.id, **sending(auth=False, **options),
        )  # fmt: skip
        try:
            login = attached(self._engine.send(call, settings, one(Login)))
        except VezaError as error:
            session = self._engine.session
            if (email, password) == (session.email, session.password):  # others would push out our own refusal
                self._logins.note((email, password), error, self._engine.clock.monotonic())
            raise
        self._logins.forget()
        self._engine.session.accept(*issued(login), login.expires_in, began)
        return login

    def refresh(
        self, refresh: Secret, settings: Settings, *, deadline: float | None = None, **options: Unpack[CallOptions]
    ) -> Tokens:
        """Renew the tokens and take them.

        Raises:
            VezaError: as any call.
        """
        from veza.models.auth import Tokens  # noqa: PLC0415  (built when first used)

        fields = {"refresh_token": refresh}
        began = self._engine.clock.monotonic()
        check(REFRESH_TOKEN.body or {}, fields, "refresh")
        self._renewals.pass_by(refresh, began)
        call = Call(
            "POST",
            REFRESH_TOKEN.path,
            body=Body(fields),
            auth=False,
            repeatable=False,
            deadline=deadline,
            secrets=(refresh,),
            operation=REFRESH_TOKEN.id,
            **sending(auth=False, **options),
        )
        try:
            tokens = attached(self._engine.send(call, settings, one(Tokens)))
        except VezaError as error:
            self._renewals.note(refresh, error, self._engine.clock.monotonic(), renewal=True)
            raise
        self._engine.session.accept(*issued(tokens), tokens.expires_in, began)
        return tokens
