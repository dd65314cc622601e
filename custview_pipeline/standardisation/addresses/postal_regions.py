"""Where postal codes lie: the states of US ZIP prefixes and the provinces of Chinese ones."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from custview_pipeline.standardisation.addresses.chinese_divisions import Level, divisions, short_name

# First three digits by state. Source: USPS, labeling list L002 of the Domestic Mail Manual; checked against the directory of
# ZIP codes that the package zipcodes 3.0 carries. A prefix of two states has offices of both (06390 Fishers Island NY).
_US: Final = """AA 340 AE 090-099 AK 995-999 AL 350-352 354-369 AP 962-966 AR 716-729 AS 967 AZ 850-853 855-857 859-860 863-865
    CA 900-908 910-928 930-961 CO 800-816 CT 060-069 DC 200 202-205 569 888 DE 197-199 FL 320-339 341-342 344 346-347 349 FM 969
    GA 300-319 398-399 GU 969 HI 967-968 IA 500-516 520-528 ID 832-838 IL 600-620 622-629 IN 460-479 KS 660-662 664-679
    KY 400-418 420-427 LA 700-701 703-708 710-714 MA 010-027 055 MD 205-212 214-219 ME 039-049 MH 969 MI 480-499
    MN 550-551 553-567 MO 630-631 633-641 644-658 726 MP 969 MS 386-397 MT 590-599 NC 270-289 ND 580-588 NE 680-681 683-693
    NH 030-038 NJ 070-089 NM 870-871 873-884 NV 889-891 893-895 897-898 NY 005 063 100-149 OH 430-459 OK 730-731 734-741 743-749
    OR 970-979 PA 150-196 PR 006-007 009 PW 969 RI 028-029 SC 290-299 SD 570-577 TN 370-385 TX 733 739 750-770 772-799 885
    UT 840-847 VA 201 205 220-246 VI 008 VT 050-054 056-059 WA 980-986 988-994 WI 530-532 534-535 537-549 WV 247-268
    WY 820-831 834"""
# First two digits by province. Source: China Post, whose first two digits are the postal province. Some border counties are
# served from next door: Alxa (75), Hinggan (13), Oroqen and Morin Dawa (16) of Inner Mongolia, Shengsi (20) of Zhejiang.
_CHINA: Final = """北京 10 上海 20 天津 30 重庆 40 内蒙古 01-02 13 16 75 山西 03-04 河北 05-07 辽宁 11-12 吉林 13
    黑龙江 15-16 江苏 21-22 安徽 23-24 山东 25-27 浙江 31-32 20 江西 33-34 福建 35-36 湖南 41-42 湖北 43-44
    河南 45-47 广东 51-52 广西 53-54 贵州 55-56
    海南 57 四川 61-64 云南 65-67 陕西 71-72 甘肃 73-74 宁夏 75 青海 81 新疆 83-84 西藏 85-86"""


def _listed(table: str) -> Iterator[tuple[str, str]]:
    """Yield region and prefix."""
    region = ""
    for word in table.split():
        if not word[0].isdigit():
            region = word
            continue
        first, _, last = word.partition("-")
        yield from ((region, f"{number:0{len(first)}}") for number in range(int(first), int(last or first) + 1))


@cache
def us_zip_prefixes() -> frozenset[tuple[str, str]]:
    """Return every pair of a state or territory (USPS code) and the first three digits of a ZIP code in it."""
    return frozenset(_listed(_US))


@cache
def chinese_postal_prefixes() -> frozenset[tuple[str, str]]:
    """Return every pair of a province (full name of GB/T 2260) and the first two digits of a postal code in it."""
    full = {short_name(division.name): division.name for division in divisions() if division.level is Level.REGION}
    return frozenset((full[region], prefix) for region, prefix in _listed(_CHINA))
