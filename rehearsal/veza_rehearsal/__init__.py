"""The rehearsal backend: Veza's API, a Hyperswitch stub and its checkout page, on loopback, with fault switches."""

from veza_rehearsal.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD, LISTENER_EMAIL, PROCESSOR_API_KEY
from veza_rehearsal.faults import FAULTS, Argument, Fault, Switch, parse_fault

__all__ = [
    "DEFAULT_EMAIL",
    "DEFAULT_PASSWORD",
    "FAULTS",
    "LISTENER_EMAIL",
    "PROCESSOR_API_KEY",
    "Argument",
    "Fault",
    "Switch",
    "parse_fault",
]
