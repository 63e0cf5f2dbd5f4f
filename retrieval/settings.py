"""Settings: `prizemarks.toml` in the archive; `PRIZEMARKS_*` in the environment goes before it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from retrieval.catalogue.errors import ArchiveError

FILE = "prizemarks.toml"
_PREFIX = "PRIZEMARKS_"


class Settings(BaseSettings):
    """What an archive may set for itself. Unknown names are refused, so that a typo is seen."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True)

    max_megapixels: float = Field(200.0, gt=0, le=10_000, description="larger images: quarantine")
    max_minutes: float = Field(10.0, gt=0, le=1440, description="slower images: quarantine")
    workers: int = Field(0, ge=0, le=256, description="ingest processes; 0: one a core")
    host: str = Field("127.0.0.1", description="address the web page listens on")
    port: int = Field(8501, ge=1, le=65_535, description="port of the web page")
    public_name: str = Field("", description="hosts by which a proxy leads to it, by commas")

    @property
    def max_pixels(self) -> int:
        """`max_megapixels` in pixels."""
        return round(self.max_megapixels * 1e6)


def read_settings(folder: Path) -> Settings:
    """Return the settings of the archive in `folder`; ArchiveError names what is wrong in them."""
    path = folder / FILE
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    written = {name.upper() for name in os.environ if name.upper().startswith(_PREFIX)}
    if unknown := written - known:  # which pydantic-settings passes over
        raise _no_setting("The environment", min(unknown), known)

    class OfArchive(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, TomlConfigSettingsSource(settings_cls, path)

    try:
        return OfArchive()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise _no_setting(str(path), name, Settings.model_fields) from error
        raise ArchiveError(
            f"{path} or the environment ({_PREFIX}{name.upper()}) sets {name!r} wrongly: "
            f"{first['msg']}."
        ) from error
    except ValueError as error:
        raise ArchiveError(f"{path} is not valid TOML: {error}.") from error


def _no_setting(where: str, name: str, known: Collection[str]) -> ArchiveError:
    (nearest,) = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)
    return ArchiveError(
        f"{where} sets {name!r}, which is not a setting: correct it (the nearest is {nearest!r}) "
        "or remove it."
    )
