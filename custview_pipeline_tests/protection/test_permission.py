"""Tests of ``custview_pipeline.protection.permission``: what is not allowed is denied, and the denial says what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.access import Level, parse_access
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.kernel.errors import AccessDenied, ProjectInvalid
from custview_pipeline.protection.permission import Act, Claim, Wish, permit

POLICY = parse_access(
    """\
roles:
  support:
    attributes: {name: full, email: masked, phone: masked}
    purposes: [customer_request]
  steward:
    attributes: {all: full, national_id: masked}
    purposes: [data_quality, customer_request]
    may_see_refused_rows: true
  campaign:
    attributes: {email: full, name: masked}
    purposes: [campaign]
    may_export: true
  counter:
    attributes: {all: masked}
    purposes: [counting]
    may_export: true
users:
  ada: [support, steward]
  bob: [support]
  cleo: [campaign, steward]
  dora: []
  eli: [counter]
""",
    file="access.yaml",
)
FILE = "access.yaml"


def ask(user, act, *fields, purpose=""):
    return permit(POLICY, Claim(user, purpose), Wish(act, fields), file=FILE)


@pytest.mark.parametrize(
    ("user", "purpose", "fields", "roles", "full", "masked"),
    [
        ("bob", "", ("name",), ("support",), ("name",), ()),
        ("bob", "customer_request", ("phone", "name", "email"), ("support",), ("name",), ("phone", "email")),
        ("ada", "customer_request", ("email",), ("support", "steward"), ("email",), ()),  # the wider of two roles holds
        ("ada", "data_quality", ("email", "national_id"), ("steward",), ("email",), ("national_id",)),
        ("cleo", "campaign", ("email", "name"), ("campaign",), ("email",), ("name",)),
    ],
)
def test_what_a_role_allows_for_a_purpose_is_granted(user, purpose, fields, roles, full, masked):
    grant = ask(user, Act.REVEAL, *fields, purpose=purpose)
    assert (grant.roles, grant.full, grant.masked) == (roles, full, masked)


@pytest.mark.parametrize(
    ("user", "purpose", "act", "fields", "said"),
    [
        ("eve", "", Act.REVEAL, ("name",), "'eve' has no role: name them under users in access.yaml"),
        ("dora", "", Act.REVEAL, ("name",), "'dora' has no role"),
        ("ADA", "", Act.REVEAL, ("name",), "'ADA' has no role"),
        (
            "bob",
            "curiosity",
            Act.REVEAL,
            ("name",),
            "the purpose 'curiosity' is not allowed: add it to roles.support.purposes in",
        ),
        (
            "bob",
            "",
            Act.REVEAL,
            ("name", "birth_date"),
            "not allowed to see birth_date: add to roles.support.attributes in access",
        ),
        ("ada", "curiosity", Act.SHOW, (), "add it to roles.support.purposes or roles.steward.purposes in access.yaml"),
        ("bob", "", Act.EXPORT, (), "it takes roles.support.may_export: true in access.yaml"),
        ("cleo", "data_quality", Act.EXPORT, (), "it takes roles.steward.may_export: true"),
        ("bob", "", Act.REFUSED_ROW, (), "it takes roles.support.may_see_refused_rows: true"),
        ("eli", "", Act.SHOW, (), "not allowed to see any attribute in full: add to roles.counter.attributes"),
        ("eli", "", Act.EXPORT, (), "not allowed to see any attribute in full"),
    ],
)
def test_what_is_not_allowed_is_denied_and_what_is_missing_is_said(user, purpose, act, fields, said):
    with pytest.raises(AccessDenied) as denied:
        ask(user, act, *fields, purpose=purpose)
    assert said in str(denied.value)


def test_without_a_policy_everything_is_denied():
    for act in Act:
        with pytest.raises(AccessDenied, match=r"nobody may see values: there is no access\.yaml"):
            permit(None, Claim("ada", "data_quality"), Wish(act, ("name",)), file=FILE)


def test_where_roles_allow_several_purposes_one_must_be_named():
    with pytest.raises(ProjectInvalid, match="name the purpose with --purpose: customer_request, data_quality"):
        ask("ada", Act.SHOW)


def test_a_customer_is_shown_with_what_the_roles_see_in_full():
    assert ask("bob", Act.SHOW).full == ("name",)
    assert ask("ada", Act.SHOW, purpose="data_quality").full == tuple(name for name in GOLDEN_ATTRIBUTES if name != "national_id")


def test_a_role_that_may_not_export_adds_nothing_to_an_export():
    assert ask("cleo", Act.EXPORT, purpose="campaign").full == ("email",)


def test_a_refused_row_needs_no_attribute():
    grant = ask("ada", Act.REFUSED_ROW, purpose="data_quality")
    assert (grant.roles, grant.full, grant.masked) == (("steward",), (), ())


@given(
    st.sampled_from([*POLICY.users, "eve"]),
    st.sampled_from(["", "customer_request", "data_quality", "campaign", "counting", "other"]),
    st.sampled_from(Act),
    st.lists(st.sampled_from(sorted(GOLDEN_ATTRIBUTES)), min_size=1, unique=True),
)
def test_nothing_is_seen_that_no_role_of_the_user_allows_for_the_purpose(user, purpose, act, fields):
    try:
        grant = ask(user, act, *fields, purpose=purpose)
    except (AccessDenied, ProjectInvalid):
        return
    roles = [POLICY.roles[name] for name in grant.roles]
    assert set(grant.roles) <= set(POLICY.roles_of(user))
    assert all(grant.purpose in role.purposes for role in roles)
    assert all(any(role.level_of(field) is Level.FULL for role in roles) for field in grant.full)
    assert all(any(role.level_of(field) is not None for role in roles) for field in grant.masked)
    assert act is not Act.REVEAL or {*grant.full, *grant.masked} == set(fields)
