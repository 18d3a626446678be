import datetime as dt
import json

ARRIVED = dt.datetime(2024, 2, 1, 10, tzinfo=dt.UTC)
SHIFTS = ["fri", "fri-night", "sat", "sun", "friday", "FRI"]
LEVELS = [1, 2, 3, 4, 5, None]
CODES = ["pt", "de", "en", "nl", "fr", "it"]


def helpers(forms):
    """The rows that R1 to R4 ask for, form by form."""
    rows = []
    for form_id, answers in sorted(forms.items()):
        if answers.get("withdrawn") is True:
            continue
        age, shifts = answers.get("age"), answers.get("shifts")
        if isinstance(age, str):
            age = int(age) if 1 <= len(age) <= 3 and all(c in "0123456789" for c in age) else None
        shifts = {shifts} if isinstance(shifts, str) else set(shifts or ())
        email = (answers.get("contact") or {}).get("email") or None
        speaks = sorted(each["code"] for each in answers.get("languages") or () if (each.get("level") or 0) >= 3)
        rows.append((form_id, answers["name"], age, len(shifts), "fri" in shifts, email, speaks))
    return rows


def agrees(sql, forms):
    db = sql.database()
    db.fill("forms", [(form_id, ARRIVED, json.dumps(answers)) for form_id, answers in forms.items()])
    assert db.run().rows == helpers(forms)


def each(member, values):
    """A form for each value of one member; all others are missing."""
    return {n: {"name": f"Helper {n}", member: value} for n, value in enumerate(values, 1)}


def test_withdrawn(sql):
    agrees(sql, each("withdrawn", [True, False, None]) | {9: {"name": "Silent", "shifts": ["sat"]}})


def test_ages(sql):
    agrees(sql, each("age", [0, 999, "7", "018", None, "", "about 30", "4 2", "-5", "3.5", "1234", " 20", "n/a"]))


def test_shifts(sql):
    agrees(sql, each("shifts", [[], None, "sat", ["sun", "sat", "sun"], ["fri"], "", ["sat", "fri", "fri"]]))


def test_friday_alone(sql):
    agrees(sql, each("shifts", [["fri-night"], "friday", ["FRI", "sat"], ["friday", "fri"], "fri", ["saturday"]]))


def test_contacts(sql):
    contacts = [None, {}, {"email": None}, {"email": ""}, {"email": "a@b.example", "phone": "12"}, {"phone": "12"}]
    agrees(sql, each("contact", contacts))


def test_names_with_quotes(sql):
    names = ['Anna "Nan" Berg', "O'Brien", "Zoë", "back\\slash", "null", ""]
    agrees(sql, {n: {"name": name} for n, name in enumerate(names)})


def test_languages(sql):
    agrees(
        sql,
        each(
            "languages",
            [
                [],
                None,
                [{"code": "nl", "level": 2}],
                [{"code": "nl"}, {"code": "fr", "level": None}],
                [{"code": "sv", "level": 3}, {"code": "ar", "level": 5}, {"code": "mt", "level": 4}],
                [{"code": "sv", "level": 5}, {"code": "da", "level": 1}, {"code": "is", "level": 4}],
            ],
        ),
    )


def random_form(rng, form_id):
    members = {
        "age": [rng.randrange(100), str(rng.randrange(100)), None, "", "?"],
        "shifts": [rng.choices(SHIFTS, k=rng.randrange(5)), rng.choice(SHIFTS), None],
        "contact": [{"email": f"h{form_id}@mail.example"}, {"email": ""}, {"email": None}, {}, None],
        "languages": [[{"code": c, "level": rng.choice(LEVELS)} for c in rng.sample(CODES, rng.randrange(5))], None],
        "withdrawn": [True, False, None],
    }
    chosen = {member: rng.choice(values) for member, values in members.items() if rng.random() < 0.8}
    return {"name": f"Helper {form_id}"} | chosen


def test_random_forms(sql, rng):
    agrees(sql, {form_id: random_form(rng, form_id) for form_id in rng.sample(range(1, 5000), 600)})
