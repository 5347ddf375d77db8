"""Line charts as SVG, readable on a light and on a dark page."""
import math
from html import escape

STYLE = """<style>
.page { fill: #ffffff } .text { fill: #1f2328 } .quiet { fill: #59636e } .grid { stroke: #d1d9e0 } .axis { stroke: #8c959f }
.line0 { stroke: #0969da } .mark0 { fill: #0969da } .line1 { stroke: #bc4c00 } .mark1 { fill: #bc4c00 }
.line2 { stroke: #1a7f37 } .mark2 { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } .text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .axis { stroke: #656c76 }
.line0 { stroke: #4493f8 } .mark0 { fill: #4493f8 } .line1 { stroke: #f0883e } .mark1 { fill: #f0883e }
.line2 { stroke: #3fb950 } .mark2 { fill: #3fb950 }
}
text { font: 12px system-ui, sans-serif } .title { font-size: 13px; font-weight: 600 }
.lines { fill: none; stroke-width: 2; stroke-linejoin: round } .mark0, .mark1, .mark2 { stroke: none }
</style>"""
PANEL, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 380, 290, 56, 62, 18, 44


def steps(value):
    """The 1-2-5 steps around a value: the last that is not above it, and the first that is not below it."""
    power = 10 ** math.floor(math.log10(value))
    around = [factor * power for factor in (1, 2, 5, 10)]
    return max(step for step in around if step <= value * 1.001), min(step for step in around if step >= value * 0.999)


class Scale:
    """From values to pixels: by their logarithm between two steps, or from 0 on."""

    def __init__(self, values, start, end, is_logarithmic, is_tight=False):
        self.start, self.end, self.is_logarithmic = start, end, is_logarithmic
        least, most = min(values), max(values)
        if is_logarithmic:
            self.low, self.high = (least, most) if is_tight else (steps(least)[0], steps(most)[1])
        else:
            self.low, self.high = 0, most if is_tight else self.whole(most)

    @staticmethod
    def whole(value):
        """Four or five equal steps end at it."""
        power = 10 ** math.floor(math.log10(value))
        return next(factor * power for factor in (1, 2, 2.5, 4, 5, 8, 10) if factor * power >= value * 0.999)

    def ticks(self):
        if self.is_logarithmic:
            tick = self.low
            while tick < self.high * 1.001:
                yield tick
                tick = steps(tick * 1.01)[1]
        else:
            count = 5 if f"{self.high:e}"[0] in "15" or f"{self.high:e}"[:3] == "2.5" else 4
            yield from (self.high * step / count for step in range(count + 1))

    def at(self, value):
        place = lambda one: math.log(one) if self.is_logarithmic else one
        low, high = place(self.low), place(self.high)
        share = (place(value) - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def number(value):
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"


def text(x, y, content, kind="quiet", anchor="middle"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{escape(content)}</text>'


def panel(left, title, what, series, across_is_logarithmic, up_is_logarithmic):
    """One chart. `series` are lists of (x, y), each x of which is marked on the axis."""
    points = [point for line in series for point in line]
    across = Scale([x for x, _ in points], left + LEFT, left + PANEL - RIGHT, across_is_logarithmic, is_tight=True)
    up = Scale([y for _, y in points], HEIGHT - BOTTOM, TOP, up_is_logarithmic)
    parts = [text(left + LEFT, TOP - 14, title, "text title", "start")]
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<line x1="{left + LEFT}" x2="{left + PANEL - RIGHT}" y1="{y}" y2="{y}" class="{"grid" if tick > up.low else "axis"}"/>')
        parts.append(text(left + LEFT - 6, y + 4, number(tick), anchor="end"))
    for x in sorted({x for x, _ in points}):
        parts.append(text(across.at(x), HEIGHT - BOTTOM + 18, number(x)))
    parts.append(text(left + (LEFT + PANEL - RIGHT) / 2, HEIGHT - 8, what))
    for index, line in enumerate(series):
        path = " ".join(f"{across.at(x)},{up.at(y)}" for x, y in line)
        parts.append(f'<polyline points="{path}" class="lines line{index}"/>')
        for x, y in line:
            parts.append(f'<circle cx="{across.at(x)}" cy="{up.at(y)}" r="3.5" class="mark{index}"><title>{escape(f"{number(x)}: {y:,.1f}")}</title></circle>')
    return parts


def chart(what, panels, names=(), is_logarithmic=True):
    """Panels side by side, each a title, its series in the order of the names, and whether y is logarithmic; `what` is what
    the x axes show."""
    width = PANEL * len(panels)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" role="img">',
             STYLE, f'<rect width="{width}" height="{HEIGHT}" class="page"/>']
    left = LEFT
    for index, name in enumerate(names):
        parts.append(f'<circle cx="{left + 5}" cy="18" r="5" class="mark{index}"/>' + text(left + 16, 22, name, "text", "start"))
        left += 36 + 8 * len(name)
    for index, (title, series, up_is_logarithmic) in enumerate(panels):
        parts += panel(PANEL * index, title, what, series, is_logarithmic, up_is_logarithmic)
    return "\n".join(parts + ["</svg>"]) + "\n"
