"""What every plugin must do, as `clawdbot plugins check burn` tries it."""

from clawdcore.testing import PluginConformance


class TestConformance(PluginConformance, plugin="burn"):
    """All of it."""
