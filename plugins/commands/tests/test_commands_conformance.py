"""What every plugin must do, as `clawdbot plugins check commands` tries it."""

from clawdcore.testing import PluginConformance


class TestConformance(PluginConformance, plugin="commands"):
    """All of it."""
