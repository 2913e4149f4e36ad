"""`python -m kgq`: the program."""

from kgq._program import main

main()
