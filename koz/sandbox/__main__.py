"""`python -m koz.sandbox`."""

from koz.sandbox.app import main

main()
