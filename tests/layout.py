"""Whether the words of a figure can be read."""

from itertools import combinations

from matplotlib.text import Text


def words(drawing):
    """Every visible text that says something; tick labels beyond the axes are not drawn."""
    drawing.draw_without_rendering()
    hidden = {
        label
        for axes in drawing.axes
        if not axes.axison
        for axis in (axes.xaxis, axes.yaxis)
        for label in [*axis.get_ticklabels(), axis.label]
    }
    for axes in drawing.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            beyond = [tick for tick in ticks if not low - slack <= tick.get_loc() <= high + slack]
            hidden |= {label for tick in beyond for label in (tick.label1, tick.label2)}
    texts = [text for text in drawing.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in texts if text not in hidden]


def assert_readable(drawing):
    """No text is cut by the page or lies on another; there is some."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in words(drawing)]
    assert boxes
    for said, box in boxes:
        assert box.x0 >= 0, said
        assert box.y0 >= 0, said
        assert box.x1 <= drawing.bbox.x1, said
        assert box.y1 <= drawing.bbox.y1, said
    for (one, first), (other, second) in combinations(boxes, 2):
        shared = (
            min(first.x1, second.x1) - max(first.x0, second.x0),
            min(first.y1, second.y1) - max(first.y0, second.y0),
        )
        assert min(shared) <= 1.5, (one, other)
