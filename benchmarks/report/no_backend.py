"""What the report draws with: matplotlib as it comes, so that a report is the same whatever the user has set for their own plots.

The report draws an SVG, for which matplotlib needs no backend.
"""

from __future__ import annotations

from lenet5.packages import without_settings_for_plots

with without_settings_for_plots():
    import matplotlib
    from matplotlib import ticker
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.lines import Line2D

__all__ = ["Axes", "Canvas", "Line2D", "matplotlib", "ticker"]
