"""scripts/bench before: this penstock beside an earlier one, whether a change made it slower.

Both take part in every round, in turn. A figure is the ratio after / before of one round; shown are
the medians of both and of the ratio, and the quartiles of the ratio: where 1 lies between them, the
run has seen no difference.
"""
import statistics

import bench_report


def proxies_with(bench, binary):
    def make(folder):
        return [bench.Penstock("before", 0, folder, binary=binary),
                bench.Penstock("after", 1, folder)]
    return make


def table(samples, works):
    lines = ["| work | figure | before | after | after / before | quartiles |",
             "|---|---|---|---|---|---|"]
    for work in works:
        figures = dict.fromkeys(figure for (w, _, figure) in samples if w == work)
        for figure in figures:
            before, after = (samples[work, proxy, figure] for proxy in ("before", "after"))
            ratios = [new / old for old, new in zip(before, after) if old > 0]
            if not ratios:
                continue
            low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
            number = bench_report.number
            lines.append(f"| {work} | {figure} | {number(statistics.median(before))} | "
                         f"{number(statistics.median(after))} | {statistics.median(ratios):.2f} | "
                         f"{low:.2f} to {high:.2f} |")
    return "\n".join(lines)


def run(bench, rounds, seconds, works, binary):
    samples = bench.run(rounds, seconds, works, proxies_with(bench, binary))
    print(table(samples, works))
