"""What every plugin must do, as `clawdbot plugins check translate` tries it."""

from clawdcore.testing import PluginConformance


class TestConformance(PluginConformance, plugin="translate"):
    """All of it."""
