"""An ODCS file as text, checked against the standard's own model; every complaint knows its line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from custview_pipeline.contracts.written_model import invalid_model
from custview_pipeline.contracts.yaml_text import KeyPath, YamlText, nearest, parse_yaml, suggest
from custview_pipeline.kernel.errors import ProjectInvalid

SUPPORTED_VERSION: Final = "v3."
_SURELY_MEANT: Final = 0.75  # likeness from which a custom property is a misspelling and not another tool's


@dataclass(frozen=True, slots=True)
class Place:
    """One spot of a written file."""

    written: YamlText
    path: KeyPath = ()

    def at(self, *more: str | int) -> "Place":
        """Return the place below this one."""
        return Place(self.written, (*self.path, *more))

    def invalid(self, what: str, *more: str | int) -> ProjectInvalid:
        """Return the error that names file and line of the place ``more`` below."""
        return self.written.invalid(what, *self.path, *more)

    def scalar(self, *more: str | int) -> str | None:
        """Return a scalar as it was written."""
        return self.written.scalar(*self.path, *more)


@dataclass(frozen=True, slots=True)
class CustomValue:
    """The value of one custom property, and where it is written."""

    value: Any
    place: Place

    def text(self, name: str) -> str:
        """Return the value as text.

        Raises:
            ProjectInvalid: It is a list, a mapping or nothing.
        """
        written = self.place.scalar("value")
        if written is None:
            raise self.place.invalid(f"{name!r} needs a value")
        return written

    def share(self, name: str) -> float:
        """Return the value as a number from 0 to 1.

        Raises:
            ProjectInvalid: It is no such number.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not 0 <= self.value <= 1:
            raise self.place.invalid(f"{name!r} should be a number from 0 to 1", "value")
        return float(self.value)


def read_document(text: str, *, file: str) -> tuple[OpenDataContractStandard, Place]:
    """Return the contract as the standard's model, and the top of its file.

    Raises:
        ProjectInvalid: It is no YAML mapping, no data contract of version 3, or holds a key that the standard does not know.
    """
    written = parse_yaml(text, file=file)
    content, top = written.mapping(), Place(written)
    if content.get("kind") != "DataContract":
        raise top.invalid("kind should be DataContract", "kind")
    version = str(content.get("apiVersion"))
    if not version.startswith(SUPPORTED_VERSION):
        raise top.invalid("apiVersion should be v3.x of the Open Data Contract Standard, such as v3.2.0", "apiVersion")
    for path, known in _unknown_keys(OpenDataContractStandard, content, ()):
        raise top.invalid(f"unknown key {path[-1]!r}{suggest(str(path[-1]), known)}", *path)
    try:
        return OpenDataContractStandard.model_validate(content), top
    except ValidationError as error:
        raise invalid_model(error, OpenDataContractStandard, written) from None


def custom_values(properties: Sequence[CustomProperty] | None, place: Place, known: Sequence[str]) -> Mapping[str, CustomValue]:
    """Return those custom properties whose name is ``known``, or begins with a known name that ends in a dot.

    Others belong to other tools and are left alone, unless they look like a misspelling.

    Raises:
        ProjectInvalid: A known property is written twice, or an unknown one is nearly a known one.
    """
    found: dict[str, CustomValue] = {}
    for index, written in enumerate(properties or ()):
        name, here = written.property or "", place.at("customProperties", index)
        if not any(name == word or (word.endswith(".") and name.startswith(word)) for word in known):
            _refuse_misspelling(name, known, here)
            continue
        if name in found:
            raise here.invalid(f"the custom property {name!r} is written twice")
        found[name] = CustomValue(written.value, here)
    return found


def _refuse_misspelling(name: str, known: Sequence[str], place: Place) -> None:
    meant = nearest(name, known, likeness=_SURELY_MEANT)
    if meant is not None:
        raise place.invalid(f"unknown custom property {name!r}; did you mean {meant!r}?", "property")


def _unknown_keys(model: type[BaseModel], content: Any, path: KeyPath) -> Iterator[tuple[KeyPath, list[str]]]:
    """The standard is closed, its Python model is not below the first level; so the keys are compared here."""
    if not isinstance(content, dict):
        return
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, value in content.items():
        if key not in fields:
            yield (*path, key), list(fields)
            continue
        if isinstance(value, list) and (inner := _model_in(fields[key], is_item=True)):
            for index, item in enumerate(value):
                yield from _unknown_keys(inner, item, (*path, key, index))
        elif inner := _model_in(fields[key], is_item=False):
            yield from _unknown_keys(inner, value, (*path, key))


def _model_in(annotation: Any, *, is_item: bool) -> type[BaseModel] | None:
    """Return the model that a value of this annotation is read by, or an item of it where it is a list."""
    for part in get_args(annotation) or (annotation,):
        if is_item and get_origin(part) is list:
            part = get_args(part)[0]  # noqa: PLW2901 -- the item's own type
        elif is_item:
            continue
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None
