"""`python -m yibu` is `yibu`."""

from yibu.cli import main

main()
