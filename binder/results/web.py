"""Nouns as the answers of a web route."""

from __future__ import annotations

from typing import Any


class Routed:
    """What a route of FastAPI, or a model of pydantic, may hold and return: its `data()` is what is
    sent."""

    def data(self) -> dict[str, Any]:
        """The same as JSON data."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema as schemas

        sent = schemas.plain_serializer_function_ser_schema(lambda noun: noun.data())
        return schemas.is_instance_schema(cls, serialization=sent)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object", "title": cls.__name__}
