"""``python -m custview_pipeline`` is ``custview``."""

from custview_pipeline.cli import main

main()
