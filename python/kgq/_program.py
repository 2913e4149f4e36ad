"""The command `kgq`: the program, which lives in the same file as the module."""

import sys


def main() -> None:
    """Runs the program with the arguments of the command line, and ends with its exit code."""
    from kgq._kgq import main as program

    sys.exit(program(sys.argv))
