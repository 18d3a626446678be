import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

SESSIONS = ("UTC", "America/Los_Angeles", "Pacific/Auckland")
HALF_HOUR = dt.timedelta(minutes=30)
ZONES = [
    "Europe/Lisbon",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/St_Johns",
    "Asia/Kolkata",
    "Australia/Adelaide",
    "America/Los_Angeles",
    "Pacific/Kiritimati",
]


def utc(*when):
    return dt.datetime(*when, tzinfo=dt.UTC)


def midnight(day, zone):
    return dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def yearbook(stations, readings):
    """The rows that R1 to R4 ask for, reading by reading."""
    zones = {station_id: zone for station_id, _, zone in stations}
    days = {}
    for station_id, ended_at, mm in readings:
        day = (ended_at - HALF_HOUR).astimezone(ZoneInfo(zones[station_id])).date()
        total, count = days.get((station_id, day), (Decimal(0), 0))
        days[station_id, day] = total + mm, count + 1
    rows = []
    for (station_id, day), (total, count) in sorted(days.items()):
        zone = zones[station_id]
        expected = (midnight(day + dt.timedelta(1), zone) - midnight(day, zone)) // HALF_HOUR
        rows.append((station_id, day, total, count, expected, count == expected))
    return rows


def half_hours(station_id, begin, count, left_out=()):
    """A reading for each of `count` half hours from `begin` on, some left out."""
    return [(station_id, begin + (n + 1) * HALF_HOUR, Decimal(n % 13) / 10) for n in range(count) if n not in left_out]


def agrees(sql, stations, readings, sessions=SESSIONS):
    db = sql.database()
    db.fill("stations", stations)
    db.fill("readings", readings)
    for zone in sessions:
        assert db.run(time_zone=zone).rows == yearbook(stations, readings)


def test_midnight(sql):
    stations = [(1, "A", "America/Los_Angeles"), (2, "B", "Asia/Kolkata")]
    readings = [*half_hours(1, utc(2024, 6, 3, 6), 6), *half_hours(2, utc(2024, 6, 3, 17), 6)]
    agrees(sql, stations, readings)


def test_long_and_short_days(sql):
    stations = [(4, "West", "Europe/Lisbon"), (2, "East", "Australia/Adelaide"), (3, "Coast", "America/Los_Angeles")]
    readings = []
    for month, day in ((3, 30), (10, 26)):
        readings += half_hours(4, utc(2024, month, day), 3 * 48)
    for month, day in ((4, 5), (10, 4)):
        readings += half_hours(2, utc(2024, month, day, 14, 30), 3 * 48)
    for month, day in ((3, 9), (11, 2)):
        readings += half_hours(3, utc(2024, month, day, 8), 3 * 48)
    agrees(sql, stations, readings)


def test_half_an_hour_of_summer_time(sql):
    stations = [(8, "Island", "Australia/Lord_Howe"), (9, "Islets", "Pacific/Chatham")]
    readings = []
    for month, day in ((4, 5), (10, 4), (9, 27)):
        for station_id, _, _ in stations:
            readings += half_hours(station_id, utc(2024, month, day, 11), 3 * 48)
    agrees(sql, stations, readings)


def test_quarters_of_an_hour(sql):
    stations = [(1, "Valley", "Asia/Kathmandu"), (2, "Plain", "Asia/Kolkata"), (3, "Rock", "America/St_Johns")]
    readings = [reading for station_id, _, _ in stations for reading in half_hours(station_id, utc(2024, 7, 1), 100)]
    agrees(sql, stations, readings)


def test_silent_gauges(sql):
    stations = [(1, "Faulty", "Europe/Lisbon"), (2, "Mute", "Asia/Kolkata"), (5, "Sound", "Europe/Lisbon")]
    begin = utc(2024, 2, 28)
    readings = [*half_hours(1, begin, 4 * 48, {3, 60, 61, 190}), *half_hours(5, begin, 4 * 48)]
    agrees(sql, stations, readings, sessions=("UTC", "Asia/Tokyo"))


def test_exact_tenths(sql):
    readings = half_hours(6, utc(2024, 5, 1), 480)
    agrees(sql, [(6, "Dry", "Europe/Lisbon")], readings, sessions=("UTC",))
    agrees(sql, [(6, "Dry", "Europe/Lisbon")], [], sessions=("UTC",))


def random_gauges(rng, stations, per_station):
    readings = []
    for station_id, _, _ in stations:
        begin = utc(2023, rng.choice([3, 4, 9, 10, 11]), rng.randrange(1, 28), rng.randrange(24))
        left_out = set(rng.sample(range(per_station), per_station // 20))
        readings += half_hours(station_id, begin, per_station, left_out)
    return readings


def test_random_gauges(sql, rng):
    stations = [(n, f"Gauge {n}", zone) for n, zone in zip(rng.sample(range(100), len(ZONES)), ZONES, strict=True)]
    agrees(sql, stations, random_gauges(rng, stations, 250), sessions=rng.sample(SESSIONS, 2))


def test_rows_flow(sql, rng):
    stations = [(n, f"Gauge {n}", zone) for n, zone in enumerate(ZONES[:3])]
    readings = random_gauges(rng, stations, 300)
    db = sql.database()
    db.fill("stations", stations)
    db.fill("readings", readings)
    assert db.plan().rows_flow <= 5 * len(readings)
