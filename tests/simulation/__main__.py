"""Simulates many seeds, and the statistical scenarios: ``python -m tests.simulation --help``."""

from tests.simulation.program import main

main()
