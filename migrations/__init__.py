"""Alembic's migrations: the only thing that makes or alters tables."""

from __future__ import annotations
