"""`python -m koz.demo [--reset]`: the demo without loading the whole `koz` command."""

import os
import sys

from koz.demo.supervisor import DemoError, run_from

try:
    run_from(os.environ, reset="--reset" in sys.argv[1:])
except DemoError as error:
    sys.exit(str(error))
