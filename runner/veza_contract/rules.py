"""The rules of `contract diff`: what each kind of change means for today's SDK. An id never changes its meaning."""

from __future__ import annotations

from typing import Final

from veza_contract.findings import Verdict

_BREAKS: Final = {
    "operation-missing": "an operation that the SDK calls is not in the spec",
    "operation-moved": "an operation has another method or path",
    "login-asked": "a login is asked for, and the SDK carries none",
    "login-carried": "a login is carried in another way",
    "parameter-unknown": "a parameter that the SDK sends is not known",
    "parameter-moved": "a parameter has another place",
    "parameter-required": "a parameter that the SDK may leave out is required",
    "parameter-unsendable": "a parameter that the SDK cannot send is required",
    "body-unknown": "no body is taken where the SDK sends one",
    "body-required": "a body is required where the SDK sends none",
    "body-media": "the body is not taken as JSON",
    "request-field-unknown": "a field that the SDK sends is not known",
    "request-field-required": "a field that the SDK may leave out is required",
    "request-field-unsendable": "a field that the SDK cannot send is required",
    "request-narrower": "fewer values are taken than the SDK may send",
    "request-restricted": "an object that the SDK may send is refused as a whole",
    "success-missing": "no success is documented",
    "response-media": "a success is not JSON",
    "response-empty": "a success has no content",
    "envelope-missing": "a page has no envelope, so that its counts are missing",
    "response-field-gone": "a field that the SDK needs is gone",
    "response-field-optional": "a field that the SDK needs may be missing",
    "response-null": "a field may be null, which the SDK does not read",
    "response-wider": "a field has values that the SDK does not know",
    "money-unread": "an amount has a form that the SDK cannot read exactly",
    "checkout-secret": "a client secret comes in place of the checkout's URL",
    "error-media": "an error is not JSON: its words are lost",
    "error-shape": "an error has a shape that the SDK does not read: its words are lost",
    "incomparable": "a schema is not one, or cannot be compared",
}
_DRIFTS: Final = {
    "login-dropped": "no login is asked for; the SDK carries one",
    "login-oauth": "the login is by OAuth or OpenID; it is taken for a bearer token",
    "login-general": "a login is asked for of the whole spec, and so of logging in; taken for an oversight",
    "parameter-optional": "a parameter that the SDK needs is optional",
    "request-field-optional": "a field that the SDK always sends is optional",
    "request-field-unnamed": "a field that the SDK sends is not named any more, and let through",
    "request-wider": "more values are taken than the SDK sends",
    "request-format": "a text must be an e-mail address; the SDK sends what it is given",
    "request-id-form": "ids have another form; they are sent as they came",
    "success-added": "a success that the SDK does not list; it reads it",
    "envelope-bare": "an answer is not in the envelope; the SDK reads it all the same",
    "response-field-dropped": "an optional field is gone",
    "response-field-always": "an optional field is always there",
    "response-narrower": "a field has fewer values than the SDK knows",
    "response-nullable": "an optional field may be null; the SDK reads it as absent",
    "response-unused": "an answer of which the SDK needs nothing is another one",
    "response-values": "a field by which nothing is decided has values that the SDK does not know; it keeps them",
    "response-form": "a field is written in another way, which the SDK reads too",
    "money-major": "an amount comes in major units; the SDK reads it exactly",
    "error-other": "an error is in another form than the contract has; the SDK finds its words",
    "error-empty": "an error has no content; the SDK's error tells the status alone",
    "status-added": "an error status that the SDK does not list",
    "status-gone": "a status is not documented any more",
    "required-unsaid": "the spec does not say what is required",
    "bounds-unsaid": "the spec leaves out formats, patterns, bounds or values",
    "base-assumed": "the spec states no base path; ours is assumed",
}
_BEYOND: Final = {
    "operation-added": "an operation that the SDK has no method for",
    "parameter-added": "a parameter that the SDK has no argument for",
    "body-added": "a body that the SDK does not send",
    "request-field-added": "a field that the SDK has no argument for",
    "response-field-added": "a field that the SDK keeps as an extra",
}
_UNREAD: Final = {
    "unread": "a part of the spec cannot be read",
    "not-compared": "with `--partial`: an operation that the spec does not have",
}

RULES: Final[dict[str, tuple[Verdict, str]]] = {
    rule: (verdict, sentence)
    for verdict, rules in (
        (Verdict.BREAK, _BREAKS), (Verdict.DRIFT, _DRIFTS), (Verdict.BEYOND, _BEYOND), (Verdict.UNREAD, _UNREAD)
    )
    for rule, sentence in rules.items()
}  # fmt: skip
"""By its id: what a rule's changes mean, in one word and in one sentence."""


def verdict(rule: str) -> Verdict:
    """Return what a rule's changes mean for today's SDK."""
    return RULES[rule][0]
