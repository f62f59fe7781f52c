"""`python -m regrasp` is the command line."""

from regrasp.cli import main

main()
