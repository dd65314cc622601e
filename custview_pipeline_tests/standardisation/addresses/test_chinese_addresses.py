"""Chinese addresses in characters: names of GB/T 2260, levels, numbers; the addresses are made up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.addresses.chinese_addresses import (
    comparable_chinese_address,
    is_real_chinese_address,
    parse_chinese_address,
    show_chinese_address,
)
from custview_pipeline.standardisation.addresses.chinese_divisions import Level, divisions, short_name

PLACES = [
    ("广东省深圳市南山区科技园路5号", "广东省 深圳市 南山区"),
    ("广东深圳南山科技园路5号", "广东省 深圳市 南山区"),
    ("深圳市南山区科技园路5号", "广东省 深圳市 南山区"),
    ("深圳南山区科技园路5号", "广东省 深圳市 南山区"),
    ("深圳深南大道1号", "广东省 深圳市 -"),
    ("福田区福华路1号", "广东省 深圳市 福田区"),  # one city has a district of this name
    ("朝阳区建国路1号", "- - 朝阳区"),  # two have
    ("北京市朝阳区建国路1号", "北京市 北京市 朝阳区"),
    ("北京朝阳建国路1号", "北京市 北京市 朝阳区"),
    ("北京市市辖区朝阳区建国路1号", "北京市 北京市 朝阳区"),
    ("北京北京市朝阳区建国路1号", "北京市 北京市 朝阳区"),
    ("中国北京市崇文区前门大街1号", "北京市 北京市 崇文区"),  # until 2010
    ("上海浦东世纪大道100号", "上海市 上海市 浦东新区"),
    ("重庆市渝中区民权路2号", "重庆市 重庆市 渝中区"),
    ("江苏省昆山市人民路8号", "江苏省 苏州市 昆山市"),
    ("苏州昆山人民路8号", "江苏省 苏州市 昆山市"),
    ("内蒙古呼和浩特赛罕区丹桂大道1号", "内蒙古自治区 呼和浩特市 赛罕区"),
    ("新疆乌鲁木齐天山区解放北路1号", "新疆维吾尔自治区 乌鲁木齐市 天山区"),
    ("广西南宁市青秀区民族大道1号", "广西壮族自治区 南宁市 青秀区"),
    ("宁夏回族自治区银川市金凤区正源街1号", "宁夏回族自治区 银川市 金凤区"),
    ("西藏拉萨市城关区北京中路1号", "西藏自治区 拉萨市 城关区"),
    ("湖北恩施州利川市清江大道1号", "湖北省 恩施土家族苗族自治州 利川市"),
    ("云南省大理白族自治州大理市人民路1号", "云南省 大理白族自治州 大理市"),
    ("青海省海南州共和县青海湖大街1号", "青海省 海南藏族自治州 共和县"),
    ("海南省海口市美兰区海府路1号", "海南省 海口市 美兰区"),
    ("吉林市船营区松江路1号", "吉林省 吉林市 船营区"),
    ("湖北省仙桃市仙桃大道1号", "湖北省 仙桃市 -"),  # no prefecture governs it
    ("浙江省丽水市景宁县人民路1号", "浙江省 丽水市 景宁畲族自治县"),
    ("浙江省杭州市临平区迎宾路1号", "浙江省 杭州市 临平区"),  # since 2021
    ("黑龙江省大庆市让胡路区中山路55号", "黑龙江省 大庆市 让胡路区"),
    ("山东省青岛市市南区大学路380号", "山东省 青岛市 市南区"),
    ("河北省唐山市路北区虹桥西路261号", "河北省 唐山市 路北区"),
    ("四川省成都市高新区紫金东路8号", "四川省 成都市 高新区"),  # a development zone, in no list
    ("广东省中山市石岐区民生路1号", "广东省 中山市 石岐区"),
    ("香港九龙弥敦道100号", "香港特别行政区 - -"),
    ("澳门特别行政区友谊大马路1号", "澳门特别行政区 - -"),
    ("台湾台北市信义区市府路1号", "台湾省 台北市 信义区"),
    ("臺灣臺北市信義區市府路1號", "台湾省 臺北市 信義區"),
    ("北京路5号", "- - -"),
    ("南京东路1号", "- - -"),
    ("阳光小区3栋", "- - -"),
    ("人民路1号都市花园", "- - -"),
]


@pytest.mark.parametrize(("text", "places"), PLACES)
def test_region_city_and_district_come_with_their_full_names(text, places):
    parts = parse_chinese_address(text)

    assert [parts.get(level, "-") for level in ("region", "city", "district")] == places.split()
    assert is_real_chinese_address(parts)


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("上海南京西路1038号", "南京西路"),
        ("北京朝阳门外大街1号", "朝阳门外大街"),
        ("天津市河北路12号", "河北路"),
        ("广州中山大道西12号", "中山大道西"),
        ("南京江东中路369号", "江东中路"),
        ("成都市武侯区一环路南四段16号", "一环路南四段"),
        ("北京市海淀区学院南路62号", "学院南路"),
        ("大连市中山区中山路1号", "中山路"),
    ],
)
def test_a_street_that_begins_as_a_place_stays_a_street(text, street):
    assert parse_chinese_address(text)["street"] == street


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("建国路88号3号楼1201室", {"street": "建国路", "house_number": "88号", "building": "3号楼", "unit": "1201室"}),
        (
            "春熙路12号2栋3单元501室",
            {"street": "春熙路", "house_number": "12号", "building": "2栋", "entrance": "3单元", "unit": "501室"},
        ),
        ("花桥镇绿地大道231弄", {"town": "花桥镇", "street": "绿地大道", "house_number": "231弄"}),
        ("南苑街道公园路3号", {"town": "南苑街道", "street": "公园路", "house_number": "3号"}),
        ("镇江路7号", {"street": "镇江路", "house_number": "7号"}),
        ("延安西路1088弄12号501室", {"street": "延安西路", "house_number": "1088弄", "building": "12号", "unit": "501室"}),
        ("人民路甲12号", {"street": "人民路", "house_number": "甲12号"}),
        ("人民路12-3号", {"street": "人民路", "house_number": "12-3号"}),
        ("人民路5号院2号楼", {"street": "人民路", "house_number": "5号院", "building": "2号楼"}),
        ("人民路一百二十三号", {"street": "人民路", "house_number": "123号"}),
        ("人民路十号二十栋一二〇五室", {"street": "人民路", "house_number": "10号", "building": "20栋", "unit": "1205室"}),
        ("人民路一百零五号三单元", {"street": "人民路", "house_number": "105号", "entrance": "3单元"}),
        ("三号路五号", {"street": "三号路", "house_number": "5号"}),
        ("人民路\uff18\uff18号", {"street": "人民路", "house_number": "88号"}),
        ("老地方", {"unit": "老地方"}),
        ("人民路8号 518057", {"street": "人民路", "house_number": "8号", "postal_code": "518057"}),
        ("518057 人民路8号", {"street": "人民路", "house_number": "8号", "postal_code": "518057"}),
        ("人民路8号, 邮编:518057", {"street": "人民路", "house_number": "8号", "postal_code": "518057"}),
        ("人民路123456号", {"street": "人民路", "house_number": "123456号"}),
    ],
)
def test_what_follows_the_place_is_divided_by_level(text, levels):
    assert parse_chinese_address(text) == levels


@pytest.mark.parametrize(
    "text",
    ["广东省深圳市朝阳区建国路1号", "广东省南京市玄武区中山路1号", "北京市北京市福田区福华路1号", "浙江省苏州市昆山市人民路1号"],
)
def test_a_place_where_it_does_not_lie_is_kept_and_told(text):
    parts = parse_chinese_address(text)

    assert not is_real_chinese_address(parts)
    assert show_chinese_address(parts) == text.replace("北京市北京市", "北京市")


def test_the_same_address_compares_equal_however_much_is_left_out():
    written = ["广东省深圳市南山区科技园路5号12栋801室", "广东深圳南山科技园路5号12栋801室", "深圳市南山区科技园路五号十二栋801"]

    assert len({comparable_chinese_address(parse_chinese_address(text)) for text in written}) == 1


def test_an_autonomous_prefecture_is_compared_by_its_short_name():
    parts = parse_chinese_address("湖北省恩施土家族苗族自治州恩施市施州大道1号")

    assert comparable_chinese_address(parts)[:4] == ("1", "shizhou", None, "enshi")


def test_every_division_is_found_under_its_full_name_in_its_place():
    for division in (division for division in divisions() if division.is_current):
        levels = [division.region, division.city or "", division.name if division.level is Level.DISTRICT else ""]
        parts = parse_chinese_address("".join(dict.fromkeys(levels)))
        found = (parts.get("region"), parts.get("city"), parts.get("district"))
        assert found == (division.region, division.city, levels[2] or None)
        assert is_real_chinese_address(parts)


def test_every_city_is_found_under_its_short_name_in_its_region():
    for division in divisions():
        if division.level is Level.CITY:
            parts = parse_chinese_address(short_name(division.region) + short_name(division.name) + "人民路1号")
            assert (parts["region"], parts["city"], parts["street"]) == (division.region, division.name, "人民路")


def test_the_list_holds_as_many_divisions_as_china_has():
    current = [division for division in divisions() if division.is_current]

    assert sum(division.level is Level.REGION for division in current) == 34
    assert (
        sum(division.level is Level.CITY and division.name.endswith(("市", "自治州", "地区", "盟")) for division in current) > 333
    )
    assert sum(division.level is Level.DISTRICT for division in current) > 2800


NAMES = st.sampled_from([division.name for division in divisions()])
PIECES = st.one_of(
    NAMES,
    NAMES.map(short_name),
    st.sampled_from(
        ["人民路", "中山东路", "北京大道", "小区", "阳光花园", "大厦", "花桥镇", "三号路", "市辖区", "中国", "东门", "弄"]
    ),
    st.from_regex(r"[甲]?[0-9一二十百〇]{1,4}(号|号楼|栋|单元|室|弄|楼)", fullmatch=True),
    st.sampled_from(["518057", " 100020 ", "邮编:200120", ",", " ", "A座", "1201", "123456", "-", "之", "附"]),
    st.text("省市区县州镇乡村街道路巷弄号楼栋室京海广南山东中一二十1205", max_size=4),
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=20)))
def test_reading_a_shown_address_again_changes_nothing(text):
    parts = parse_chinese_address(text)

    assert parse_chinese_address(show_chinese_address(parts)) == parts


@pytest.mark.parametrize(("text", "_"), PLACES)
def test_reading_a_complete_address_again_changes_nothing(text, _):
    parts = parse_chinese_address(text)

    assert parse_chinese_address(show_chinese_address(parts)) == parts
