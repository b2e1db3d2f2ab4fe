"""Turns the samples of scripts/bench into Markdown tables and SVG plots.

samples: {(work, proxy, figure): [value of each round]}. Medians, and the spread as half the
distance of the quartiles in percent of the median.
"""
import html
import platform
import statistics
from datetime import date

# The figure that a plot shows, per kind of work, and whether less is better.
PLOTTED = ("proxy ms/GB", "proxy us", "per s", "bytes each")
# The figures of the short table, and whether less is better.
SUMMARIZED = (("proxy ms/GB", True), ("proxy us", True), ("bytes each", True), ("per s", False),
              ("p99 us", True), ("fewest/median", False))


def median(values):
    return statistics.median(values)


def spread(values):
    if len(values) < 4 or median(values) == 0:
        return 0
    low, _, high = statistics.quantiles(values, n=4)
    return 100 * (high - low) / 2 / median(values)


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def setting(rounds, releases):
    """When, where and beside whom: `packages` is a digest of all that is installed there."""
    return (f"{date.today().isoformat()}, Linux {platform.release()}; "
            f"{'; '.join(map(str, releases))}; "
            f"medians of {rounds} interleaved rounds, +- half the distance of the quartiles.")


def table(samples, work, per):
    proxies = list(dict.fromkeys(proxy for (w, proxy, _) in samples if w == work))
    figures = list(dict.fromkeys(figure for (w, _, figure) in samples if w == work))
    lines = [f"### {work} (per {per})", "", f"![{work}](plots/{work}.svg)", "",
             "| | " + " | ".join(figures) + " |", "|---|" + "---|" * len(figures)]
    for proxy in proxies:
        cells = []
        for figure in figures:
            values = samples.get((work, proxy, figure))
            cells.append(f"{number(median(values))} ±{spread(values):.0f} %" if values else "")
        lines.append(f"| {proxy} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(samples, work, per):
    """Bars of one figure, least first where less is better."""
    figure = next((f for f in PLOTTED for (w, _, g) in samples if w == work and g == f), None)
    rows = [(proxy, median(values)) for (w, proxy, f), values in samples.items()
            if w == work and f == figure]
    widest = max(value for _, value in rows) or 1
    height = 24 * len(rows) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="640" height="{height}" fill="white"/>',
             f'<text x="8" y="20" font-weight="bold">{html.escape(work)}: {html.escape(figure)} '
             f'(per {html.escape(per)})</text>']
    for line, (proxy, value) in enumerate(rows):
        y = 34 + 24 * line
        colour = "#1f6f8b" if proxy.startswith("penstock") else "#b9c4c9"
        width = 340 * value / widest
        parts.append(f'<text x="8" y="{y + 14}">{html.escape(proxy)}</text>'
                     f'<rect x="190" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>'
                     f'<text x="{196 + width:.1f}" y="{y + 14}">{number(value)}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def best_peer(samples, work, figure, less_is_better):
    """The peer with the best median, and that median."""
    medians = {proxy: median(values) for (w, proxy, f), values in samples.items()
               if w == work and f == figure and not proxy.startswith("penstock")}
    choose = min if less_is_better else max
    name = choose(medians, key=medians.get)
    return name, medians[name]


def summary(samples, works):
    """One line per work: penstock at its defaults beside the best peer in any tuning."""
    lines = ["| work | figure | penstock | best peer | | ratio |", "|---|---|---|---|---|---|"]
    for work in works:
        for figure, less_is_better in SUMMARIZED:
            ours = samples.get((work, "penstock", figure))
            if not ours:
                continue
            name, theirs = best_peer(samples, work, figure, less_is_better)
            mine = median(ours)
            ratio = f"{mine / theirs:.2f}" if theirs > 0 else ""
            lines.append(f"| {work} | {figure} | {number(mine)} | {number(theirs)} | {name} "
                         f"| {ratio} |")
    return "\n".join(lines) + "\n"


def replace_between(page, mark, text):
    """Replaces what stands between <!-- MARK --> and <!-- /MARK -->."""
    opening, closing = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, _, rest = page.read_text().partition(opening)
    _, _, after = rest.partition(closing)
    page.write_text(before + opening + text + closing + after)


def report(samples, works, setting_line, root):
    tables = "\n".join(table(samples, work, per) for work, per in works.items())
    short = setting_line + "\n\n" + summary(samples, works)
    print(short, "", tables, sep="\n")
    if root is None:
        return
    plots = root / "docs" / "plots"
    plots.mkdir(exist_ok=True)
    for work, per in works.items():
        (plots / f"{work}.svg").write_text(plot(samples, work, per))
    replace_between(root / "README.md", "figures", short)
    replace_between(root / "docs" / "BENCHMARKS.md", "figures", short + "\n" + tables)
