import datetime as dt
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")
SESSIONS = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland")


def local(month, day, hour=12, minute=0, year=2024):
    return dt.datetime(year, month, day, hour, minute, tzinfo=HELSINKI)


def report(plans, invoices, refunds):
    """The rows that R1 to R5 ask for, added up one by one."""
    refunded = {}
    for _, invoice_id, cents in refunds:
        refunded[invoice_id] = refunded.get(invoice_id, 0) + cents
    cells = {}
    for invoice_id, plan_id, cents, _, paid_at in invoices:
        if paid_at is not None:
            day = paid_at.astimezone(HELSINKI)
            count, net = cells.get((day.year, day.month, plan_id), (0, 0))
            cells[day.year, day.month, plan_id] = count + 1, net + cents - refunded.get(invoice_id, 0)
    return [
        (dt.date(2024, month, 1), plan_id, name, *cells.get((2024, month, plan_id), (0, 0)))
        for month in range(1, 13)
        for plan_id, name in sorted(plans)
    ]


def books(sql, plans, invoices, refunds=()):
    db = sql.database()
    db.fill("plans", plans)
    db.fill("invoices", invoices)
    db.fill("refunds", refunds)
    return db


def agrees(sql, plans, invoices, refunds=(), sessions=("UTC",)):
    db = books(sql, plans, invoices, refunds)
    for zone in sessions:
        assert db.run(time_zone=zone).rows == report(plans, invoices, refunds)


def paid(invoice_id, plan_id, cents, at):
    return (invoice_id, plan_id, cents, at, at)


def test_empty_cells(sql):
    plans = [(7, "Never sold"), (3, "Once"), (5, "Twice")]
    agrees(sql, plans, [paid(1, 3, 450, local(8, 8)), paid(2, 5, 700, local(8, 9)), paid(3, 5, 60, local(10, 9))])


def test_plans_of_one_name(sql):
    plans = [(11, "Studio"), (4, "Studio"), (6, "Atelier")]
    agrees(sql, plans, [paid(1, 11, 310, local(3, 3)), paid(2, 4, 520, local(3, 4)), paid(3, 6, 90, local(3, 5))])


def test_unpaid_invoices(sql):
    invoices = [
        (1, 1, 800, local(4, 29), local(5, 3)),
        (2, 1, 950, local(4, 30), None),
        (3, 1, 610, local(11, 20), local(12, 2)),
    ]
    agrees(sql, [(1, "Basic")], invoices)


def test_other_years(sql):
    invoices = [paid(year - 2000, 1, 1000 + year, local(2, 20, year=year)) for year in (2020, 2023, 2024, 2025)]
    agrees(sql, [(1, "Basic")], invoices)


def test_several_refunds(sql):
    invoices = [paid(i, 1, cents, local(9, i)) for i, cents in [(1, 4000), (2, 4000), (3, 2500)]]
    refunds = [(1, 1, 150), (2, 1, 150), (3, 1, 75), (4, 3, 2000), (5, 3, 500)]
    agrees(sql, [(1, "Basic")], invoices, refunds)


def test_month_edges(sql):
    edges = [local(month, 1, 0, 0) for month in range(1, 13)] + [local(1, 1, year=2025, hour=0)]
    minute = dt.timedelta(minutes=1)
    moments = [moment for edge in edges for moment in (edge - minute, edge, edge + minute)]
    invoices = [paid(i, 1, 100 + i, moment) for i, moment in enumerate(moments)]
    agrees(sql, [(1, "Basic")], invoices, sessions=SESSIONS)


def random_books(rng, plans, count):
    ids = [plan_id for plan_id, _ in plans[1:]]
    begin, invoices, refunds = local(11, 1, year=2023), [], []
    for invoice_id in range(1, count + 1):
        at = begin + dt.timedelta(minutes=rng.randrange(430 * 1440))
        if rng.random() < 0.3:  # near the end of a month
            at = at.astimezone(HELSINKI).replace(day=1, hour=0) + dt.timedelta(minutes=rng.randrange(-180, 180))
        paid_at = at if rng.random() < 0.85 else None
        issued_at = at - dt.timedelta(days=rng.randrange(40))
        invoices.append((invoice_id, rng.choice(ids), rng.randrange(100, 9000), issued_at, paid_at))
        if paid_at is not None:
            for _ in range(rng.choice([0, 0, 0, 1, 2, 3])):
                refunds.append((len(refunds) + 1, invoice_id, rng.randrange(1, 3000)))
    return invoices, refunds


def test_random_books(sql, rng):
    plans = [(plan_id, f"Plan {plan_id}") for plan_id in rng.sample(range(1, 100), 8)]
    invoices, refunds = random_books(rng, plans, 1500)
    agrees(sql, plans, invoices, refunds, sessions=rng.sample(SESSIONS, 2))


def test_rows_flow(sql, rng):
    plans = [(plan_id, f"Plan {plan_id}") for plan_id in range(1, 21)]
    invoices, refunds = random_books(rng, plans, 6000)
    db = books(sql, plans, invoices, refunds)
    assert db.plan().rows_flow <= 30 * len(invoices)
