"""`python -m pipelines.cli` is the same door as `junheng`."""

from pipelines.cli import main

main()
