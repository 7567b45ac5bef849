"""`python -m nbchalice`."""

from nbchalice.cli import main

main()
