"""`python -m gbvis`."""

from gbvis.cli.start import main

main()
