"""What holds for every test."""

from hypothesis import settings

# How long an example takes says nothing on a machine that others use too.
# The same examples at every run, so that a red test is the doing of the change at hand. `make explore` looks for new ones.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=200)
settings.load_profile("house")
