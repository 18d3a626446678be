import time
from itertools import count

import pytest

OLD, NEW = "rope and helmet", "crampons on ice"
numbers = count(1)


class Rota:
    """The server and the mail service."""

    def __init__(self, srv, upstream):
        self.srv, self.upstream = srv, upstream
        upstream.on("POST", "/mail", json={}, status=202)

    def join(self, name="volunteer"):
        email = f"{name}.{next(numbers)}@peaks.example"
        assert self.srv.post("/volunteers", json={"email": email, "password": OLD}).status_code == 201
        return email

    def sign_in(self, email, password=OLD):
        return self.srv.post("/session", json={"email": email, "password": password})

    def opens(self, email, *passwords):
        return self.srv.parallel(len(passwords), lambda i: self.sign_in(email, passwords[i]).status_code == 200)

    def ask(self, email, srv=None, **headers):
        return (srv or self.srv).post("/reset-requests", json={"email": email}, headers=headers)

    def mails(self):
        return [call.json() for call in self.upstream.calls if (call.method, call.path) == ("POST", "/mail")]

    def links(self, email):
        return [mail["link"] for mail in self.mails() if mail["to"] == email]

    def wait(self, email, mails=1):
        """The links sent to this address, once there are so many."""
        deadline = time.monotonic() + 5
        while len(self.links(email)) < mails and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.links(email)

    def token(self, email, mails=1):
        """The token of the mail that comes for this request; `mails` with it."""
        assert self.ask(email).status_code == 202
        links = self.wait(email, mails)
        assert len(links) == mails
        return links[-1].partition("#")[2]

    def settle(self):
        """All mails, once one that was asked for last has arrived."""
        last = self.join("settler")
        self.token(last)
        return [mail for mail in self.mails() if mail["to"] != last]

    def use(self, token, password=NEW):
        return self.srv.post("/reset", json={"token": token, "password": password})


@pytest.fixture
def rota(shared, upstream):
    return Rota(shared(), upstream)


def test_bodies_are_checked(rota):
    bad = [{}, {"email": None}, {"email": 5}, [], "ida@peaks.example"]
    answers = rota.srv.parallel(5, lambda i: rota.srv.post("/reset-requests", json=bad[i]).status_code)
    assert answers == [422] * 5
    email = rota.join()
    token = rota.token(email)
    bad = [{}, {"token": token}, {"password": NEW}, {"token": token, "password": None}, {"token": 1, "password": NEW}]
    bad += [[token, NEW], {"token": token, "password": "7 chars"}, {"token": token, "password": "p" * 201}]
    bad += [{"token": "unheard-of", "password": "short"}]
    for r in rota.srv.parallel(len(bad), lambda i: rota.srv.post("/reset", json=bad[i])):
        assert (r.status_code, "error" in r.json()) == (422, True)
    assert rota.opens(email, OLD) == [True]
    assert rota.use(token, "p" * 200).status_code == 204
    assert rota.opens(email, "p" * 200, OLD) == [True, False]


def test_a_token_works_once(rota):
    email = rota.join()
    token = rota.token(email)
    bad = ("B" * 43, token[:-1], token + "A", token.swapcase(), "")
    wrong = rota.srv.parallel(5, lambda i: rota.use(bad[i]))
    assert rota.use(token).status_code == 204
    again = [rota.use(token, "a third password"), rota.use(token, NEW)]
    for r in wrong + again:
        assert (r.status_code, r.content) == (400, again[0].content)
    assert rota.opens(email, NEW, "a third password", OLD) == [True, False, False]


def test_only_the_latest_link_works(rota):
    email, other = rota.join(), rota.join()
    first, theirs, second = rota.token(email), rota.token(other), rota.token(email, mails=2)
    assert len({first, second, theirs}) == 3
    assert rota.use(first).status_code == 400
    assert rota.opens(email, OLD) == [True]
    assert rota.use(second).status_code == 204
    assert [rota.use(token, "a third password").status_code for token in (first, second)] == [400, 400]
    assert rota.use(theirs).status_code == 204
    # Used or replaced, an old link never comes back.
    third = rota.token(email, mails=3)
    assert [rota.use(token, "a third password").status_code for token in (second, first, third)] == [400, 400, 204]


def test_tokens_end(start, upstream):
    rota = Rota(start(RESET_SECONDS=0.2, MAIL_SECONDS=0.2, MAX_MAILS=1), upstream)
    email = rota.join()
    token = rota.token(email)
    time.sleep(0.22)
    assert rota.use(token).status_code == 400
    assert rota.opens(email, NEW, OLD) == [False, True]
    assert rota.token(email, mails=2) != token


def test_all_sessions_end(rota):
    email, other = rota.join(), rota.join()
    tokens = [rota.sign_in(owner).json()["token"] for owner in (email, email, other)]

    def signed_in():
        return [rota.srv.get("/me", token=token).status_code for token in tokens]

    reset = rota.token(email)
    assert rota.use("unheard-of").status_code == 400
    assert signed_in() == [200, 200, 200]
    assert rota.use(reset).status_code == 204
    assert signed_in() == [401, 401, 200]
    assert rota.opens(other, OLD) == [True]


def test_nobody_learns_who_is_a_volunteer(rota):
    email, unlucky = rota.join(), rota.join()
    unknown = ("nobody@peaks.example", f"x{email}", "", "no address", "ida@peaks.example\x00")
    addresses = (email, *unknown, *[email] * 5)
    answers = rota.srv.parallel(len(addresses), lambda i: rota.ask(addresses[i]))
    rota.upstream.on("POST", "/mail", json={"error": "full"}, status=500)
    answers.append(rota.ask(unlucky))
    rota.upstream.down()
    answers += [rota.ask(unlucky), rota.ask(unknown[0])]
    rota.upstream.up()
    for r in answers:
        assert (r.status_code, r.content) == (202, answers[0].content)
        assert set(r.headers) == set(answers[0].headers)
    rota.upstream.on("POST", "/mail", json={}, status=202)
    assert {mail["to"] for mail in rota.settle()} <= {email, unlucky}


def test_the_mail_goes_to_the_address_on_file(rota):
    email = rota.join("kiki.skier")
    alike = {"k": "\u212a", "i": "\u0131", "s": "\u017f"}
    for typed in (email.upper(), *(email.replace(letter, other) for letter, other in alike.items())):
        assert rota.ask(typed).status_code == 202
    mails = rota.settle()
    assert {mail["to"] for mail in mails} == {email}
    assert [rota.use(mail["link"].partition("#")[2]).status_code for mail in mails].count(204) == 1


def test_headers_do_not_make_links(rota):
    email = rota.join()
    evil = "evil.example"
    for headers in (
        {"Host": evil},
        {"X-Forwarded-Host": evil, "X-Forwarded-Proto": "gopher", "X-Forwarded-Prefix": f"/{evil}"},
        {"Origin": f"https://{evil}", "Referer": f"https://{evil}/", "Forwarded": f"host={evil}"},
    ):
        assert rota.ask(email, **headers).status_code == 202
    links = rota.wait(email, mails=3)
    assert [link.partition("#")[0] for link in links] == ["https://rota.example/reset"] * 3


def test_no_table_holds_a_token(rota):
    email = rota.join()
    first, second = rota.token(email), rota.token(email, mails=2)
    assert rota.use(second).status_code == 204
    db = rota.srv.postgres
    kept = []
    for (table,) in db.rows("select table_name from information_schema.tables where table_schema = 'public'"):
        kept += [row[0] for row in db.rows(f'select t::text from public."{table}" t')]
    assert any(email in text for text in kept)
    for token in (first, second):
        hexed = token.encode().hex()
        assert not any(token in text or hexed in text for text in kept)


def test_simultaneous_uses(rota):
    for _ in range(2):
        email = rota.join()
        token = rota.token(email)
        passwords = [f"climber number {i}" for i in range(6)]
        answers = rota.srv.parallel(6, lambda i, token=token: rota.use(token, f"climber number {i}").status_code)
        assert sorted(answers) == [204, 400, 400, 400, 400, 400]
        assert rota.opens(email, *passwords) == [answer == 204 for answer in answers]


def test_mails_are_limited(rota):
    email, neighbour = rota.join(), rota.join()
    tokens = [rota.token(email, mails=mails) for mails in (1, 2, 3)]
    more = (email, email.upper(), email)
    assert rota.srv.parallel(3, lambda i: rota.ask(more[i]).status_code) == [202] * 3
    assert rota.token(neighbour)
    assert len(rota.links(email)) == 3
    assert [rota.use(token).status_code for token in tokens] == [400, 400, 204]
    assert rota.ask(email).status_code == 202
    rota.settle()
    assert len(rota.links(email)) == 3


def test_simultaneous_requests(start, upstream):
    srv = start()
    rota, second = Rota(srv, upstream), start(beside=srv)
    email = rota.join()
    answers = srv.parallel(10, lambda i: rota.ask(email, (srv, second)[i % 2]).status_code)
    assert answers == [202] * 10
    rota.wait(email, mails=3)
    rota.settle()
    Rota(second, upstream).settle()
    links = rota.links(email)
    assert len(links) == 3
    # Exactly one of them is good: the latest.
    assert sorted(rota.use(link.partition("#")[2]).status_code for link in links) == [204, 400, 400]
