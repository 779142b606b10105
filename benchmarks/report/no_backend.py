"""What the report draws with: matplotlib without the backend that the user's environment names, which need not exist in this one.

A notebook sets MPLBACKEND for itself and all that it starts.  The report draws an SVG, for which matplotlib needs no backend.
"""

from __future__ import annotations

import os

named = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib
    from matplotlib import ticker
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.lines import Line2D
finally:
    if named is not None:
        os.environ["MPLBACKEND"] = named

__all__ = ["Axes", "Canvas", "Line2D", "matplotlib", "ticker"]
