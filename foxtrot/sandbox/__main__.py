"""``python -m foxtrot.sandbox``."""

import sys

from foxtrot.sandbox.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
