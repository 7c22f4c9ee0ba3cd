"""Plays the long proofs of order books and bars: ``python -m tests.books --help``."""

from tests.books.program import main

if __name__ == "__main__":
    main()
