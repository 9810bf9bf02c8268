"""Configuration: `config.yaml` and the environment to one checked value."""

from __future__ import annotations

from gateway.config.load import load_config, read_config
from gateway.config.model import Config

__all__ = ["Config", "load_config", "read_config"]
