"""The features that matching compares: what standardisation fills, protection tokenises and the match index holds.

A feature is text until the airlock's last step and a keyed token afterwards, under the same name.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Feature:
    """One comparable fact of a record.

    Attributes:
        name: Column name, before and after tokenising.
        token_field: Which tokens it shares equality with: ``given`` and ``family`` both draw from ``name``, so that a
            swapped pair still meets. None marks a flag (boolean), which is kept as it is.
        is_list: Whether a record may have several. None of them is null, but for parts of further addresses: their lists are of
            one length, and the n-th elements are of one address.
        fuzzy_from: Least number of characters from which values one edit apart are found; None where typos are not sought.
    """

    name: str
    token_field: str | None
    is_list: bool = False
    fuzzy_from: int | None = None


_ALL: Final = (
    Feature("is_enterprise", None),
    # Names of persons.
    Feature("given", "name", fuzzy_from=3),  # first given name, two letters or more
    Feature("given_group", "nickname_group"),  # the formal name its nickname stands for most often
    Feature("given_groups", "nickname_group", is_list=True),  # every formal name it may stand for, itself too
    Feature("given_initial", "initial"),
    Feature("given_sound", "sound"),
    Feature("given_prefix", "prefix"),  # its first three letters
    Feature("middle", "name"),
    Feature("middle_initial", "initial"),
    Feature("family", "name", fuzzy_from=4),  # all words of the family name, closed up
    Feature("family_sound", "sound"),
    Feature("family_prefix", "prefix"),
    Feature("name_suffix", "name_suffix"),  # jr, sr, ii, iii, iv
    Feature("name_words", "name", is_list=True),  # every word of the name, former and native names too, order free
    Feature("native_name", "native_name"),
    # Birth, gender and the rest of a person.
    Feature("birth_date", "birth_date"),
    Feature("birth_year", "birth_year"),
    Feature("birth_month", "month_or_day"),
    Feature("birth_day", "month_or_day"),
    Feature("is_birth_first_of_january", None),  # a day that sources fill in where they know the year alone
    Feature("gender", "gender"),
    Feature("birth_place", "birth_place", fuzzy_from=5),
    Feature("occupation", "occupation"),
    Feature("employer", "enterprise_name"),  # without legal form and spaces
    # Contact, of both.
    Feature("email", "email"),  # the first; so are its parts
    Feature("email_local", "email_local"),
    Feature("email_domain", "email_domain"),
    Feature("is_email_from_name", None),  # a local part made of the name is no further evidence
    Feature("emails", "email", is_list=True),
    Feature("phones", "phone", is_list=True),
    Feature("phone_tails", "phone_tail", is_list=True, fuzzy_from=7),  # last seven digits: fewer keys than whole numbers need
    # Address, of both: the first.
    Feature("house_number", "house_number"),
    Feature("street", "street", fuzzy_from=4),
    Feature("unit", "unit"),
    Feature("city", "city"),
    Feature("postal_code", "postal_code", fuzzy_from=5),
    Feature("postal_area", "postal_area"),  # its first three characters
    # The second address and the following ones; most of their values are also somebody's first, and so their typos are found.
    Feature("further_house_numbers", "house_number", is_list=True),
    Feature("further_streets", "street", is_list=True),
    Feature("further_units", "unit", is_list=True),
    Feature("further_cities", "city", is_list=True),
    Feature("further_postal_codes", "postal_code", is_list=True),
    # Identifiers, of both.
    Feature("identifiers", "identifier", is_list=True, fuzzy_from=7),  # scheme and value
    Feature("identifier_schemes", "identifier_scheme", is_list=True),
    Feature("national_ids", "identifier", is_list=True),  # those of which nobody has two in life
    Feature("national_id_schemes", "identifier_scheme", is_list=True),
    # Enterprises.
    Feature("enterprise_name", "enterprise_name", fuzzy_from=6),  # without legal form and spaces
    Feature("enterprise_names", "enterprise_name", is_list=True),  # legal and trading names
    Feature("enterprise_lead", "enterprise_lead"),  # its first two words that tell anything
)

FEATURES: Final[dict[str, Feature]] = {feature.name: feature for feature in _ALL}
FLAGS: Final = tuple(feature.name for feature in _ALL if feature.token_field is None)
FUZZY: Final = tuple(feature.name for feature in _ALL if feature.fuzzy_from is not None)
# What one address is compared by -> the list of the same parts of the further ones.
FURTHER_ADDRESS_PARTS: Final = {
    "house_number": "further_house_numbers",
    "street": "further_streets",
    "unit": "further_units",
    "city": "further_cities",
    "postal_code": "further_postal_codes",
}
