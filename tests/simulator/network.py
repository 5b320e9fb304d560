"""The simulated network: carries requests to the simulated hosts, and loses, breaks or limits what the plan says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from urllib.parse import unquote

import httpx
from simulator.api import PASSWORD, VezaApi
from simulator.clock import SimulatedClock
from simulator.processor import HyperswitchApi
from simulator.wire import Answer, Question

API_HOST, PROCESSOR_HOST, PAGE_HOST = "api.veza.example", "hyperswitch.example", "checkout.example"
BASE_URL = f"https://{API_HOST}"
PROCESSOR_URL = f"https://{PROCESSOR_HOST}"
LATENCY = 0.05
LATE = 150
"""Seconds after which the backend carries out a request whose answer a proxy no longer awaited."""
_LOST = {"lost_before": httpx.ConnectError, "lost_after": httpx.ReadError}


class Network(httpx.BaseTransport):
    """One network for both hosts.

    Args:
        api: the backend.
        processor: the processor.
        clock: a request takes its time.
        tick: told before a request arrives, and after it was carried out.
        sent: told of each write, with its method and path, before the backend sees it.
    """

    def __init__(
        self,
        api: VezaApi,
        processor: HyperswitchApi,
        clock: SimulatedClock,
        tick: Callable[[str], None],
        sent: Callable[[str, str], None],
    ) -> None:
        self._api = api
        self._processor = processor
        self._clock = clock
        self._tick = tick
        self._sent = sent
        self._requests = {API_HOST: 0, PROCESSOR_HOST: 0}
        self.faults: dict[str, dict[int, str]] = {API_HOST: {}, PROCESSOR_HOST: {}}
        self.met: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        name = f"{request.method} {request.url.path}"
        if not self._api.world.looking:
            self._api.world.just_told.clear()
        self._tick(f"network: before {name}")
        self._look_for_secrets(request)
        number = self._requests[host] = self._requests[host] + 1
        fault = self.faults[host].get(number, "")
        if fault:
            self.met.append(f"{fault} on {name}")
        self._clock.sleep(LATENCY)
        if fault == "lost_before":
            raise _LOST[fault]("simulated", request=request)
        if fault in {"error_before", "limited", "limited_long"}:
            return self._response(_broken(fault), request)
        if request.method != "GET":
            self._sent(request.method, request.url.path)
        if fault == "late_after" and request.method != "GET":
            self._later(_question(request))
            return self._response(_broken(fault), request)
        answer = self._answer(host, _question(request))
        return self._delivered(request, answer, fault)

    def _later(self, question: Question) -> None:
        def carry_out() -> None:
            self._api.answer(question)

        self._api.world.after(LATE, carry_out)

    def _delivered(self, request: httpx.Request, answer: Answer, fault: str) -> httpx.Response:
        self._tick(f"network: after {request.method} {request.url.path}")
        if fault == "lost_after":
            raise _LOST[fault]("simulated", request=request)
        if fault == "error_after" or (fault == "garbage" and request.method != "GET"):
            return self._response(_broken("garbage" if fault == "garbage" else "error_after"), request)
        if fault == "garbage":
            return self._response(Answer(200, b'{"data": {"id": 1'), request)
        if fault == "conflict_after" and "/orders" in request.url.path and request.method == "POST":
            # A proxy repeated the request, and passes the refusal of the second on.
            code = "REFUND_ALREADY_REQUESTED" if request.url.path.endswith("/refund") else "ORDER_ALREADY_OWNED"
            return self._response(self._api.error(409, code, "it was carried out before"), request)
        answer.delivered()
        return self._response(answer, request)

    def _look_for_secrets(self, request: httpx.Request) -> None:
        if PASSWORD in unquote(str(request.url)):
            self._api.world.sins.append(("secret_sent", f"the password was sent to {request.url.host} in an address"))

    def _answer(self, host: str, question: Question) -> Answer:
        world = self._api.world
        world.catch_up()
        return self._processor.answer(question) if host == PROCESSOR_HOST else self._api.answer(question)

    def _response(self, answer: Answer, request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", "date": format_datetime(self._clock.at, usegmt=True)}
        return httpx.Response(
            answer.status, headers={**headers, **answer.headers}, content=answer.encoded(), request=request
        )


def _question(request: httpx.Request) -> Question:
    content = request.read()
    body = json.loads(content) if content else None
    headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers.items()}
    return Question(request.method, request.url.path, dict(request.url.params), headers, body)


def _broken(fault: str) -> Answer:
    if fault in {"limited", "limited_long"}:
        seconds = 3 if fault == "limited" else 900
        document = {"error": "rate limit exceeded", "message": "slow down", "retry_after_seconds": seconds}
        return Answer(429, document, {"retry-after": str(seconds)})
    if fault == "garbage":
        return Answer(200, b"<html>504 Gateway Time-out")
    return Answer(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"})
