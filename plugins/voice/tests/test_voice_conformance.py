"""What every plugin must do, as `clawdbot plugins check voice` tries it."""

from clawdcore.testing import PluginConformance


class TestConformance(PluginConformance, plugin="voice"):
    """All of it."""
