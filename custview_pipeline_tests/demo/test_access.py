"""The access policy of the demo: one role to go by, and nobody has it."""

from importlib import resources

from custview_pipeline.contracts.access import parse_access


def test_the_demo_lets_nobody_see_values_until_they_name_themselves():
    written = (resources.files("custview_pipeline.demo") / "project" / "access.yaml").read_text(encoding="utf-8")
    policy = parse_access(written, file="access.yaml")
    assert list(policy.roles) == ["data_steward"]
    assert policy.users == {}
    named = parse_access(written.replace("#  ada:", "  ada:"), file="access.yaml")
    assert named.roles_of("ada") == ("data_steward",)
