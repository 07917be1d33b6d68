"""A model server that is simulated: vLLM's API and metrics over a model of its engine.

``engine`` is pure and takes the time as a parameter; ``server`` is its HTTP side. As
a program: ``python bench/simulate.py``, see ``--help``.
"""
