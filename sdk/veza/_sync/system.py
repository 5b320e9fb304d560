# Written by sdk/generate.py; not edited by hand.
"""What the backend says of itself."""

from __future__ import annotations

from typing import Unpack

from veza import _operations as contract
from veza._options import CallOptions
from veza._sync.resource import Resource
from veza.models.system import Health, Status


class System(Resource):
    """What the backend says of itself. Needs no login."""

    def health(self, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> Health:
        """Ask whether the backend is up (operation getHealth).

        Args:
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InternalServerError: 503, the backend runs but is not well.
            VezaError: as any call.
        """
        return self._one(contract.GET_HEALTH, Health, deadline=deadline, **options)

    def status(self, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> Status:
        """Ask which environment this is and which services it uses (operation getStatus).

        Args:
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            VezaError: as any call.
        """
        return self._one(contract.GET_STATUS, Status, deadline=deadline, **options)
