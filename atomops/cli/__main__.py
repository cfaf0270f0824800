"""`python -m atomops.cli` is the command `atomops`."""

from atomops.cli.app import main

main()
