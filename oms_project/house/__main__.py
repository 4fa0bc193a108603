"""``python -m oms_project.house VERB``: what the launcher hands over to."""

import sys

from oms_project.house.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
