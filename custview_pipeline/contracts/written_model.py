"""From YAML to a closed pydantic model, with errors that name file and line and never more than one thing at a time."""

from typing import TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from custview_pipeline.contracts.yaml_text import YamlText, suggest
from custview_pipeline.kernel.errors import ProjectInvalid


class WrittenModel(BaseModel):
    """Base of everything people write: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=BaseModel)


def read_model(model: type[Model], written: YamlText) -> Model:
    """Return ``written`` as the model says it; an empty file takes every default.

    Raises:
        ProjectInvalid: A key is unknown, missing or holds what it cannot.
    """
    content = {} if written.content is None else written.mapping()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise invalid_model(error, model, written) from None


def invalid_model(error: ValidationError, model: type[BaseModel], written: YamlText) -> ProjectInvalid:
    """Return the first of pydantic's complaints in our words; a misspelt key goes before the one that is missing for it."""
    first = min(error.errors(include_url=False, include_input=False), key=lambda each: each["type"] == "missing")
    path = tuple(place for place in first["loc"] if place != "[key]")
    return written.invalid(_complaint(first, model, ".".join(map(str, path))), *path)


def _complaint(error: ErrorDetails, model: type[BaseModel], key: str) -> str:
    if error["type"] == "extra_forbidden":
        known = _keys_beside(model, tuple(error["loc"]))
        return f"unknown key {key!r}{suggest(str(error['loc'][-1]), known) or _listed(known)}"
    if error["type"] == "missing":
        return f"the key {key!r} is missing"
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return f"{key!r}: {message}"


def _keys_beside(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    places = iter(location[:-1])
    for place in places:
        field = model.model_fields.get(str(place))
        inner = None if field is None else field.annotation
        if get_origin(inner) in (
            dict,
            tuple,
        ):  # models by names that people choose, or in a list: name or place is no key of ours
            inner = get_args(inner)[1 if get_origin(inner) is dict else 0]
            next(places, None)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)


def _listed(names: list[str]) -> str:
    return f"; known are {', '.join(names)}"
