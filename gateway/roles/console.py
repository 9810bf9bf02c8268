"""The role console: the pages of people. It has none of its own yet: health and metrics are served by every process."""

from __future__ import annotations

from gateway.roles.role import Quiet


class Role(Quiet):
    """Takes its place among the roles, so that a deployment can name it."""
