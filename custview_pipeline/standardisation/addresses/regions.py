"""Names that stand at the end of an address without being the city: counties, provinces, countries."""

from typing import Final

from custview_pipeline.standardisation.text import word_pairs, word_set

# The former postal counties of the Royal Mail, the ceremonial and Welsh principal areas named otherwise, and the usual short
# forms; letters only. Not the counties that are called as their town (Durham, Londonderry).
BRITISH_COUNTIES: Final = word_set(
    """avon bedfordshire beds berkshire berks buckinghamshire bucks cambridgeshire cambs cheshire cleveland cornwall cumbria
    derbyshire devon dorset countydurham codurham eastsussex essex gloucestershire glos greaterlondon greatermanchester hampshire
    hants herefordshire hertfordshire herts isleofwight kent lancashire lancs leicestershire leics lincolnshire lincs merseyside
    middlesex middx norfolk northamptonshire northants northhumberside southhumberside northumberland northyorkshire
    southyorkshire westyorkshire eastyorkshire nottinghamshire notts oxfordshire oxon rutland shropshire somerset staffordshire
    staffs suffolk surrey tyneandwear warwickshire westmidlands westsussex wiltshire wilts worcestershire worcs
    clwyd dyfed gwent gwynedd midglamorgan southglamorgan westglamorgan powys anglesey isleofanglesey ceredigion conwy
    carmarthenshire denbighshire flintshire monmouthshire pembrokeshire
    aberdeenshire angus argyll ayrshire banffshire berwickshire caithness clackmannanshire dumfriesshire dunbartonshire
    eastlothian fife invernessshire kincardineshire kinrossshire kirkcudbrightshire lanarkshire midlothian morayshire nairnshire
    orkney peeblesshire perthshire renfrewshire rossshire roxburghshire selkirkshire shetland stirlingshire sutherland
    westlothian wigtownshire
    countyantrim countyarmagh countydown countyfermanagh countylondonderry countytyrone
    coantrim coarmagh codown cofermanagh colondonderry cotyrone"""
)
# GB/T 2260 in pinyin; letters only. Not the municipalities, which are cities as well.
CHINESE_PROVINCES: Final = word_set(
    """hebei shanxi innermongolia neimenggu liaoning jilin heilongjiang jiangsu zhejiang anhui fujian jiangxi shandong henan hubei
    hunan guangdong guangxi hainan sichuan guizhou yunnan tibet xizang shaanxi gansu qinghai ningxia xinjiang"""
)
# Chinese cities whose usual English name is not their pinyin.
CHINESE_CITIES: Final = word_pairs(
    "urumqi wulumuqi hohhot huhehaote harbin haerbin qiqihar qiqihaer lhasa lasa hailar hailaer kashgar kashi karamay kelamayi"
)
# By ISO 3166 alpha-2: patterns, case apart, of the country's own name.
COUNTRY_NAMES: Final[dict[str, str]] = {
    "AU": "australia",
    "AT": "austria|österreich",
    "BE": "belgium|belgique|belgië",
    "CA": "canada",
    "CH": "switzerland|schweiz|suisse|svizzera",
    "CN": r"(?:p\.?\s?r\.?\s?)?china|prc|people's republic of china",
    "DE": "germany|deutschland",
    "DK": "denmark|danmark",
    "ES": "spain|españa",
    "FI": "finland|suomi",
    "FR": "france",
    "GB": r"u\.?k|united kingdom|great britain|england|scotland|wales|cymru|northern ireland",
    "IE": "ireland|éire",
    "IT": "italy|italia",
    "JP": "japan",
    "MX": "mexico|méxico",
    "NL": "(?:the )?netherlands|nederland",
    "NO": "norway|norge",
    "NZ": "new zealand",
    "PL": "poland|polska",
    "PT": "portugal",
    "SE": "sweden|sverige",
}
