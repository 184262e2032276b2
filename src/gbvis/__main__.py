"""`python -m gbvis`."""

from gbvis.cli.app import main

main()
