"""What the report draws with: matplotlib as it comes, so that a report is the same whatever the user has set for their own plots.

The report draws an SVG, with matplotlib's own module for it and never with the backend that a user has chosen.
"""

from __future__ import annotations

from lenet5.packages import without_settings_for_plots

with without_settings_for_plots():
    import matplotlib
    from matplotlib import ticker
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas
    from matplotlib.lines import Line2D

__all__ = ["Axes", "Canvas", "FigureCanvasSVG", "Line2D", "matplotlib", "ticker"]
