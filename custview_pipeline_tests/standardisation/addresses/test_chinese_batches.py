"""Many addresses in Chinese characters at once: what reading them one by one gives; the addresses are made up."""

import csv
from functools import partial
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.addresses.chinese_batches import read_chinese_addresses
from custview_pipeline.standardisation.addresses.chinese_divisions import Level, divisions
from custview_pipeline.standardisation.addresses.chinese_places import take_closed_place, take_place
from custview_pipeline_tests.standardisation.addresses import alike
from custview_pipeline_tests.standardisation.addresses.alike import row
from custview_pipeline_tests.standardisation.addresses.test_chinese_addresses import PLACES

assert_read_alike = partial(alike.assert_read_alike, read_chinese_addresses)
read_many = partial(alike.read_many, read_chinese_addresses)
DISTRICTS = [division for division in divisions() if division.level is Level.DISTRICT and division.city]
HEADS = [f"{d.region if d.region != d.city else ''}{d.city}{d.name}" for d in DISTRICTS]
TAILS = [
    "5号",
    "16号12栋1303室",
    "249号5号楼2单元302",
    "8号3座",
    "8号3幢1单元",
    "8号院2号楼",
    "8号12",
    "12-3号",
    "100101号",
    "八号",
]


def pool(name):
    with (files("custview_pipeline.demo") / "pools" / f"{name}.csv").open(encoding="utf-8") as lines:
        return [line["street"] for line in csv.DictReader(lines)]


STREETS = pool("cn_streets")


def test_the_addresses_of_the_tables_are_read_alike():
    assert_read_alike([row("CN", address=text) for text, _ in PLACES])


def test_addresses_as_people_have_them_are_read_alike_and_nearly_all_at_once():
    rows = []
    for k in range(1500):
        place, head, street = DISTRICTS[k * 37 % len(HEADS)], HEADS[k * 37 % len(HEADS)], STREETS[k * 7 % len(STREETS)]
        rows.append(row("CN", address=f"{head}{street}{TAILS[k % 3]}"))
        code = "200000" if k % 2 else None
        line = f"{place.name}{street}5号"
        rows.append(row(address_line1=line, address_line2="12栋1303室", city=place.city, region=place.region, postal_code=code))
    assert assert_read_alike(rows) > 0.7


@pytest.mark.parametrize("end", ["", "路", "新区", "县城路", "划", "东路5号", "街道", "自治县", "管理委员会"])
def test_a_closed_place_is_taken_whatever_follows(end):
    closed = {head: place for head in HEADS[::5] if (place := take_closed_place(head)) is not None}
    assert len(closed) > len(HEADS[::5]) / 2
    assert {head: take_place(head + end) for head in closed} == {head: (place, end) for head, place in closed.items()}


_HEADS = st.sampled_from(HEADS) | st.sampled_from(
    ["深圳南山区", "北京朝阳", "朝阳区", "中国上海市静安区", "台湾省台北市大安区", "深圳市"]
)
_CHARACTERS = st.text(st.sampled_from("人民中山新区市县镇街道路号大巷弄三一旗城东西门村园"), max_size=6)
_STREETS = st.sampled_from(
    ["人民路", "南山大道", "中关村南大街", "三里屯街道工体北路", "幸福新村", "花园路", "八一路", "市辖区人民路"]
)


@settings(max_examples=40)
@given(st.lists(st.tuples(_HEADS, _CHARACTERS, st.just("") | _STREETS, st.sampled_from(TAILS)), min_size=1, max_size=20))
def test_any_characters_are_read_alike(rows):
    assert_read_alike([row("CN", address="".join(parts)) for parts in rows])


_NAMES = st.sampled_from([None, "广东省", "深圳市", "上海市", "上海", "Shanghai", "南山区", "A市"])


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda region, city, street, tail, second, code, country: row(
                country, region=region, city=city, address_line1=street + tail, address_line2=second, postal_code=code
            ),
            *(
                _NAMES,
                _NAMES,
                st.sampled_from(["南山区人民路", "深圳市南山区人民路", "静安区南京西路", "人民路"]),
                st.sampled_from(TAILS),
            ),
            st.sampled_from([None, "3栋203室", "12", "A座", "号楼"]),
            st.sampled_from([None, "518000", "51800", "ABC", "12"]),
            st.sampled_from(["CN", "US", "HK", None]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_addresses_in_columns_are_read_alike(rows):
    assert_read_alike(rows)


def test_the_common_shape_is_read_here():
    rows = [
        row("CN", address="上海市浦东新区建设北路188号17栋1303室"),
        row(
            "CN",
            address_line1="南山区科技园路5号",
            address_line2="3栋203室",
            city="深圳市",
            region="广东省",
            postal_code="518000",
        ),
        row("CN", house_number="5", street_name="南山区科技园路", city="深圳市", region="广东省"),
        row("CN", house_number="13", street_name="丰台区永安路", unit="3栋203室", city="北京市"),
    ]
    assert assert_read_alike(rows) == 1


@pytest.mark.parametrize(
    "cells",
    [
        {"address": "深圳南山科技园路5号"},
        {"address": "上海市浦东新区建设北路188号12345678室"},
        {"address": "12 Nanjing Road, Shanghai"},
        {},
    ],
)
def test_everything_else_is_left(cells):
    assert read_many([row("CN", **cells)]) == {}


def test_no_cells_no_addresses():
    assert read_many([]) == {}
