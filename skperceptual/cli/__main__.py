"""Let ``python -m skperceptual.cli`` be the command too."""

import sys

from skperceptual.cli import main

if __name__ == "__main__":
    sys.exit(main())
