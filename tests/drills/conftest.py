"""What drills borrow from other rooms: a GitHub of this computer, and a community's repository."""

from __future__ import annotations

from tests.contribution.conftest import hub, made_hub
from tests.repository.conftest import community, place, server

__all__ = ["community", "hub", "made_hub", "place", "server"]
