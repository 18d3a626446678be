import hashlib
import re
from itertools import count

import pytest

numbers = count(1)
N = 1024


class School:
    """The server, its table, and the divers that one check made."""

    def __init__(self, srv):
        self.srv, self.db = srv, srv.postgres

    def invent(self):
        return f"diver-{next(numbers)}"

    def join(self, password="weights and belt"):
        name = self.invent()
        assert self.srv.post("/divers", json={"name": name, "password": password}).status_code == 201
        return name

    def insert(self, stored):
        """A diver whose row holds this."""
        name = self.invent()
        self.db.execute("insert into divers (name, password_hash) values (%s, %s)", name, stored)
        return name

    def stored(self, name):
        return self.db.value("select password_hash from divers where name = %s", name)

    def sign_in(self, name, password):
        return self.srv.post("/session", json={"name": name, "password": password})

    def status(self, name, password):
        return self.sign_in(name, password).status_code

    def statuses(self, name, *passwords):
        """What this name gets with each of the passwords, tried at the same time."""
        return self.srv.parallel(len(passwords), lambda i: self.status(name, passwords[i]))

    def token(self, name, password):
        r = self.sign_in(name, password)
        assert r.status_code == 200
        return r.json()["token"]

    def change(self, token, **body):
        return self.srv.put("/password", json=body, token=token).status_code

    def work(self):
        return self.srv.get("/work").json()["hashes"]


@pytest.fixture
def school(shared):
    return School(shared(SCRYPT_N=N))


def sha1(password):
    return "sha1$" + hashlib.sha1(password.encode()).hexdigest()


def scrypt(password, n, r=8, p=1, salt="5a" * 16):
    digest = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=n, r=r, p=p, dklen=32).hex()
    return f"scrypt${n}${r}${p}${salt}${digest}"


def is_of_today(stored, password):
    """Whether the row holds this password in today's form."""
    form = re.fullmatch(rf"scrypt\${N}\$8\$1\$((?:[0-9a-f]{{2}}){{16,}})\$[0-9a-f]{{64}}", stored)
    return form is not None and stored == scrypt(password, N, salt=form[1])


def test_joining_is_checked(school):
    def statuses(path, bodies):
        return school.srv.parallel(len(bodies), lambda i: school.srv.post(path, json=bodies[i]).status_code)

    fine = "long enough"
    names = ("x", "n" * 31, "Kim", "two words", "zoë", "under_score", None)
    passwords = ("7 chars", "🤿" * 4, "ä" * 7, "p" * 1025, "e\u0301" * 7, None, 12345678)
    bad = [{"name": name, "password": fine} for name in names]
    bad += [{"name": school.invent(), "password": password} for password in passwords]
    bad += [{}, {"name": school.invent()}, {"password": fine}, [], "text"]
    assert statuses("/divers", bad) == [422] * len(bad)
    passwords = ("8 chars!", "🤿" * 8, "p" * 1024, " " * 8)
    good = [{"name": school.invent(), "password": password} for password in passwords]
    assert [statuses(path, good) for path in ("/divers", "/session")] == [[201] * 4, [200] * 4]
    name = good[0]["name"]
    before = school.stored(name)
    assert statuses("/divers", [{"name": name, "password": fine}]) == [409]
    assert school.stored(name) == before
    bad = [{}, {"name": name}, {"name": name, "password": 8}, {"name": None, "password": fine}, []]
    assert statuses("/session", bad) == [422] * len(bad)


def test_one_name_for_one_diver(school):
    name = school.invent()
    bodies = [{"name": name, "password": f"snorkel number {i}"} for i in range(6)]
    statuses = school.srv.parallel(6, lambda i: school.srv.post("/divers", json=bodies[i]).status_code)
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert school.db.value("select count(*) from divers where name = %s", name) == 1
    accepted = school.statuses(name, *(body["password"] for body in bodies))
    assert accepted == [200 if status == 201 else 401 for status in statuses]


def test_every_hash_has_its_salt(school):
    password = "same for everybody"
    first, second = school.join(password), school.join(password)
    old = [school.insert(sha1(password)) for _ in range(2)]
    assert school.srv.parallel(2, lambda i: school.status(old[i], password)) == [200, 200]
    rows = [school.stored(name) for name in (first, second, *old)]
    token = school.token(first, password)
    assert school.change(token, old=password, new=password) == 204
    rows.append(school.stored(first))
    assert len({row.split("$")[4] for row in rows}) == 5
    assert len({row.split("$")[5] for row in rows}) == 5


def test_the_whole_password_counts(school):
    long = "a" * 72
    name = school.join(long + "b")
    wrong = (long + "c", long, long + "bb", long + "b ", " " + long + "b", long.upper() + "b")
    assert school.statuses(name, long + "b", *wrong) == [200] + [401] * 6
    longest = "ß" * 1023
    assert school.statuses(school.join(longest + "1"), longest + "2", longest + "1") == [401, 200]
    assert school.statuses(school.join("null\x00and more"), "null\x00and less", "null\x00and more") == [401, 200]


def test_one_text_typed_in_two_ways(school):
    one, two = "Tr\u00e9pied \u00c5land", "Tre\u0301pied A\u030aland"
    for typed, other in ((one, two), (two, one)):
        name = school.join(typed)
        assert is_of_today(school.stored(name), one)
        assert school.statuses(name, typed, other, "Trepied Aland") == [200, 200, 401]
    old = school.insert(sha1(one))
    assert school.status(old, two) == 200
    assert is_of_today(school.stored(old), one)
    # The same to the eye, but not in NFC.
    assert school.status(school.join("ﬁns and mask"), "fins and mask") == 401


def test_old_hashes_are_replaced(school):
    password = "reef of 2011"
    name = school.insert(sha1(password))
    assert school.statuses(name, "reef of 2012", sha1(password), sha1(password)[5:]) == [401] * 3
    assert school.stored(name) == sha1(password)
    assert school.status(name, password) == 200
    fresh = school.stored(name)
    assert is_of_today(fresh, password)
    assert school.statuses(name, password, "reef of 2012", fresh) == [200, 401, 401]
    assert school.stored(name) == fresh


def test_every_row_has_its_numbers(school):
    password = "current and tide"
    for weak in (scrypt(password, N // 4), scrypt(password, 16, r=4, p=2)):
        name = school.insert(weak)
        assert [school.status(name, "current and tides"), school.stored(name)] == [401, weak]
        assert [school.status(name, password), is_of_today(school.stored(name), password)] == [200, True]
        assert school.statuses(name, password, "current and tides") == [200, 401]
    for strong in (scrypt(password, N * 2), scrypt(password, N, r=4, p=2), scrypt(password, N, salt="0f" * 24)):
        name = school.insert(strong)
        assert school.statuses(name, "current and tides", password) == [401, 200]
        assert school.stored(name) == strong


def test_failures_look_alike(school):
    names = [school.join(), school.insert(sha1("weights and belt")), school.invent(), "No Name at All", "nul\x00"]
    answers = school.srv.parallel(len(names), lambda i: school.sign_in(names[i], "weights and boots"))
    for r in answers:
        assert (r.status_code, r.content) == (401, answers[0].content)
        assert set(r.headers) == set(answers[0].headers)
        assert isinstance(r.json()["error"], str)


def test_failures_cost_alike(school):
    names = [
        school.join(),
        school.invent(),
        school.insert(sha1("weights and belt")),
        school.insert(scrypt("weights and belt", N // 2)),
    ]
    for name in names:
        before = school.work()
        assert school.status(name, "weights and boots") == 401
        assert school.work() - before == 1


def test_changing_the_password(school):
    old, new = "first stage 1", "second stage 2"
    name, other = school.join(old), school.join(old)
    *tokens, theirs = school.srv.parallel(4, lambda i: school.token((name, name, name, other)[i], old))
    before = school.stored(name)
    assert school.change("nobody's", old=old, new=new) == 401
    refused = [{"new": new}, {"old": old}, {"old": old, "new": "7 chars"}, {"old": "wrong", "new": 7}, {"old": 1}]
    refused += [{"old": wrong, "new": new} for wrong in (new, "", before)]
    assert school.srv.parallel(8, lambda i: school.change(tokens[0], **refused[i])) == [422] * 5 + [403] * 3
    assert school.stored(name) == before
    assert [school.srv.get("/me", token=token).status_code for token in tokens] == [200] * 3
    assert school.change(tokens[1], old=old, new=new) == 204
    assert [school.srv.get("/me", token=token).status_code for token in tokens] == [401] * 3
    assert school.srv.get("/me", token=theirs).json() == {"name": other}
    assert is_of_today(school.stored(name), new)
    assert school.statuses(name, old, new) == [401, 200]
    assert school.status(other, old) == 200


def test_passwords_stay_nowhere(school):
    first, wrong, second = "Kelp-Forest-7781", "Kelp-Garden-7782", "Kelp-Meadow-7783"
    name = school.invent()
    answers = [
        school.srv.post("/divers", json={"name": name, "password": first}),
        school.srv.post("/divers", json={"name": name, "password": wrong}),
        school.sign_in(name, wrong),
        school.sign_in(name, first),
    ]
    answers.append(school.srv.put("/password", json={"old": first, "new": second}, token=answers[-1].json()["token"]))
    answers.append(school.sign_in(name, second))
    assert [r.status_code for r in answers] == [201, 409, 401, 200, 204, 200]
    tables = school.db.rows("select table_name from information_schema.tables where table_schema = 'public'")
    kept = [school.srv.output, *(r.text for r in answers)]
    kept += [row[0] for (table,) in tables for row in school.db.rows(f'select t::text from public."{table}" t')]
    for secret in (first, wrong, second):
        assert not any(secret.lower() in text.lower() for text in kept)
