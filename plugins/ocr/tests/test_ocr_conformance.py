"""What every plugin must do, as `clawdbot plugins check ocr` tries it."""

from clawdcore.testing import PluginConformance


class TestConformance(PluginConformance, plugin="ocr"):
    """All of it."""
