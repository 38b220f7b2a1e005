"""``python -m blinasim``."""

from blinasim.cli.main import main

main()
