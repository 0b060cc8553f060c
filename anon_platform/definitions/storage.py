"""Dagster's own storage: PostgreSQL when the environment names one, SQLite below ANON_HOME otherwise."""

from collections.abc import Mapping
from typing import Any

from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from anon_platform.database import database_url
from anon_platform.home import home


class InstanceStorage(DagsterStorage, ConfigurableClass):
    """Chooses the storage when Dagster starts; `dagster.yaml` names this class and nothing else."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No settings: the environment decides (see `database.database_url`)."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # a storage of another class, which Dagster accepts
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """A PostgreSQL or SQLite storage of Dagster's own."""
        del config_value
        url = database_url()
        if url.startswith("postgresql"):
            from dagster_postgres import DagsterPostgresStorage

            return DagsterPostgresStorage(postgres_url=url, inst_data=inst_data)
        folder = home() / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        return DagsterSqliteStorage.from_local(str(folder), inst_data=inst_data)


class ArtifactStorage(LocalArtifactStorage):
    """Dagster's local files below ANON_HOME, not in the project folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No settings."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # see above
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> LocalArtifactStorage:
        """The storage below ANON_HOME."""
        del config_value
        return LocalArtifactStorage(str(home() / "dagster"), inst_data=inst_data)
