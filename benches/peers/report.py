"""What was measured, as a table, as a page and as a plot."""

import statistics
from dataclasses import dataclass, fields


@dataclass
class Row:
    label: str
    peer: str
    peer_wall: float | None
    peer_cpu: float | None
    peer_mib: float | None
    wall: float | None
    cpu: float
    mib: float
    ratio: float | None
    before: str

    @staticmethod
    def of(label, peer, peers, hauls, before):
        def median(runs, what):
            return statistics.median(getattr(run, what) for run in runs) if runs else None
        ratio = statistics.median(haul.wall / its.wall for haul, its in zip(hauls, peers)) if peers else None
        return Row(label, peer, median(peers, "wall"), median(peers, "cpu"), max((run.mib for run in peers), default=None), median(hauls, "wall"),
                   median(hauls, "cpu"), max(run.mib for run in hauls), ratio, before)

    @staticmethod
    def alone(label, wall, cpu, mib):
        return Row(label, "–", None, None, None, wall, cpu, mib, None, "not measured")

    def text(self):
        return "\t".join(["ROW"] + ["" if getattr(self, field.name) is None else str(getattr(self, field.name)) for field in fields(self)])

    @staticmethod
    def read(line):
        def value(field, text):
            return text if field.type is str else float(text) if text else None
        return Row(*(value(field, text) for field, text in zip(fields(Row), line.split("\t")[1:])))

    def cells(self):
        def number(value, form):
            return "–" if value is None else format(value, form)
        return [self.label, self.peer, number(self.peer_wall, ".3f"), number(self.peer_cpu, ".2f"), number(self.peer_mib, ".0f"),
                number(self.wall, ".3f"), number(self.cpu, ".2f"), number(self.mib, ".0f"), number(self.ratio, ".2f"), self.before]

    def line(self):
        return "  ".join(self.cells())


HEAD = ["work", "peer", "peer s", "CPU s", "MiB", "haul s", "CPU s", "MiB", "ratio", "ratio before"]


def write_table(rows, out):
    for cells in [HEAD, ["---"] * 2 + ["---:"] * 8, *(row.cells() for row in rows)]:
        out.write("| " + " | ".join(cells) + " |\n")


def write_page(rows, missing, path, version, machine, day, mode):
    with open(path, "w") as page:
        page.write(f"""# Performance

`benches/peers/run.sh` writes this page: haul beside the programs that people would take otherwise, in turn, on servers that others wrote.

{version}, {day}, {machine}, rounds of the `{mode}` run. Seconds are medians, CPU seconds are the client's own, MiB is the largest memory of a run. The ratio is
haul's time by the peer's in the same round, the median of all rounds: below 1 haul is faster. "Before" is the ratio of the
first measurement, before the work on many small files began.

""")
        write_table(rows, page)
        page.write("""
![Time of haul by the time of the peer](performance.svg)

haul does more than its peers in each row: it looks at what is there before, gives a file its name only when it is whole, asks the server for it
afterwards, compares its MD5 where the server tells one, and notes each step, so that a run that is killed goes on where it stopped.

- vsftpd and ProFTPD want the TLS session of the control connection for each data connection. lftp runs `mirror -R --parallel=8`.
- TUS is `@tus/server` with its file store. curl sends each small file with its creation, eight at once, and knows the size of each.
- giga0's form is served by haul's own stand-in, without TLS, as nobody else serves it; curl is given the token.
- At 50 ms the line delays each packet by 25 ms in each direction.
- The second put makes one listing; rclone compares sizes alone, haul what it noted of each file and of the server's entry.
""")
        if missing:
            page.write("\nNot measured in this run:\n\n")
            for what in missing:
                page.write(f"- {what}\n")


def write_plot(rows, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    matplotlib.rcParams["svg.hashsalt"] = "haul"
    shown = [row for row in rows if row.ratio is not None][::-1]
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(shown) + 1.2))
    axes.barh([f"{row.label} ({row.peer})" for row in shown], [row.ratio for row in shown],
              color=["#3a7d44" if row.ratio <= 1 else "#c0712c" for row in shown])
    axes.axvline(1, color="black", linewidth=1)
    for place, row in enumerate(shown):
        axes.text(row.ratio, place, f" {row.ratio:.2f}", va="center", fontsize=8)
    axes.set_xlabel("haul's time by the peer's: left of the line haul is faster")
    axes.tick_params(labelsize=8)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
