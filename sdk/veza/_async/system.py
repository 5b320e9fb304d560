"""What the backend says of itself."""

from __future__ import annotations

from typing import Unpack

from veza import _operations as contract
from veza._async.resource import AsyncResource
from veza._options import CallOptions
from veza.models.system import Health, Status


class AsyncSystem(AsyncResource):
    """What the backend says of itself. Needs no login."""

    async def health(self, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> Health:
        """Ask whether the backend is up (operation getHealth).

        Args:
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            InternalServerError: 503, the backend runs but is not well.
            VezaError: as any call.
        """
        return await self._one(contract.GET_HEALTH, Health, deadline=deadline, **options)

    async def status(self, *, deadline: float | None = None, **options: Unpack[CallOptions]) -> Status:
        """Ask which environment this is and which services it uses (operation getStatus).

        Args:
            deadline: seconds for all attempts and waits.
            options: `timeout` and `extra_headers`, for this call alone.

        Raises:
            VezaError: as any call.
        """
        return await self._one(contract.GET_STATUS, Status, deadline=deadline, **options)
