"""What every plugin must do, as `clawdbot plugins check chat` tries it."""

from clawdcore.testing import PluginConformance


class TestConformance(PluginConformance, plugin="chat"):
    """All of it."""
