"""E-mail addresses: made of the name, made of anything else, or a family's."""

from typing import Final

import polars as pl

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.pools import choose, one_way

_PROVIDERS: Final = {
    "US": (
        "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "comcast.net", "verizon.net", "att.net",
    ),
    "GB": (
        "gmail.com", "hotmail.co.uk", "outlook.com", "yahoo.co.uk", "btinternet.com", "icloud.com", "sky.com", "talktalk.net",
        "live.co.uk",
    ),
    "CN": ("qq.com", "163.com", "126.com", "qq.com", "sina.com", "foxmail.com", "139.com", "gmail.com", "sohu.com"),
}  # fmt: skip
_PROVIDER_WEIGHTS: Final = (40.0, 16.0, 11.0, 9.0, 8.0, 6.0, 4.0, 3.0, 3.0)
_ADJECTIVES: Final = (
    "happy", "sunny", "lazy", "silent", "crazy", "lucky", "blue", "red", "golden", "silver", "wild", "little", "big", "fast",
    "sleepy", "rusty", "dusty", "cosmic", "electric", "salty", "spicy", "frosty", "stormy", "gentle", "brave",
)  # fmt: skip
_NOUNS: Final = (
    "bear", "tiger", "panda", "rider", "runner", "gamer", "dreamer", "painter", "baker", "angler", "hiker", "falcon", "otter",
    "dragon", "wizard", "pirate", "rocket", "guitar", "garden", "meadow", "river", "cactus", "cookie", "pepper", "maple",
)  # fmt: skip


def make_mailboxes(people: pl.DataFrame, chance: Chance) -> pl.Series:
    """Return an address for each person, no two alike; reads given, family, country and birth_date."""
    words = choose(_ADJECTIVES, chance, people.height) + choose(_NOUNS, chance, people.height)
    number = pl.Series(chance.whole(1, 999, people.height)).cast(pl.String)
    account = pl.Series(chance.whole(10**6, 4 * 10**9, people.height)).cast(pl.String)
    pattern = pl.Series("pattern", chance.weighted((26.0, 14.0, 10.0, 9.0, 9.0, 8.0, 12.0, 12.0), people.height))
    given, family = plain_letters("given"), plain_letters("family")
    ways = (
        given + "." + family,
        given.str.head(1) + family,
        given + family,
        given + "_" + family,
        given + "." + family + number,
        family + given.str.head(1) + pl.col("birth_date").dt.strftime("%y"),
        pl.lit(words + number),
        given + number,
    )
    domain = _domains(people["country"], chance)
    local = pl.when(domain.is_in(["qq.com", "foxmail.com"])).then(account).otherwise(one_way(pattern, ways))
    return _made_unique(people.select(local=local, domain=domain))


def make_family_mailboxes(people: pl.DataFrame, chance: Chance, share: float = 0.14) -> pl.Series:
    """Trick: one mailbox for a household. Return its address for members of such a household, null for others."""
    family = plain_letters("family")
    draw = pl.Series("draw", chance.whole(0, 3, people.height))
    number = pl.Series(chance.whole(1, 99, people.height)).cast(pl.String)
    ways = (
        "the" + family + "s",
        family + ".family",
        family + "family" + number,
        "family" + family + number,
    )
    own = _made_unique(people.select(local=one_way(draw, ways), domain=_domains(people["country"], chance)))
    has_one = (people["size"] > 1) & (people["country"] != "CN") & pl.Series(chance.happens(people.height, share))
    of_head = people["household"].search_sorted(people["household"])
    return own.zip_with(has_one, pl.repeat(None, people.height, dtype=pl.String, eager=True)).gather(of_head)


def plain_letters(name: str) -> pl.Expr:
    """Return a column in lower case without anything but letters a to z."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"[^a-z]", "")


def _domains(countries: pl.Series, chance: Chance) -> pl.Series:
    draws = {country: choose(domains, chance, len(countries), _PROVIDER_WEIGHTS) for country, domains in _PROVIDERS.items()}
    of_country = pl.when(countries == "US").then(draws["US"]).when(countries == "GB").then(draws["GB"]).otherwise(draws["CN"])
    return pl.select(of_country).to_series()


def _made_unique(addresses: pl.DataFrame) -> pl.Series:
    """Return local@domain; the second and later owners of an address get a number behind the local part."""
    place = pl.int_range(pl.len()).over("local", "domain")
    local = pl.when(place > 0).then(pl.col("local") + (place + 1).cast(pl.String)).otherwise(pl.col("local"))
    return addresses.select(local + "@" + pl.col("domain")).to_series()
