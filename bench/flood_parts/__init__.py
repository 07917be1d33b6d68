"""The parts of bench/flood.py."""
