from secrets import token_hex

import pytest


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def scene():
    """A scene that no other check of this server knows."""
    return f"scene-{token_hex(6)}"


def put(srv, scene, text, token="ana", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return srv.put(f"/cues/{scene}", json={"text": text}, headers=fields, token=token)


def get(srv, scene, token=None, known=None):
    return srv.get(f"/cues/{scene}", token=token, headers={"If-None-Match": known} if known else {})


def create(srv, scene, text="Curtain.", token="ana"):
    """Create the sheet; return the tag."""
    answer = put(srv, scene, text, token, If_None_Match="*")
    assert answer.status_code == 201
    return answer.headers["ETag"]


def text_of(srv, scene):
    return get(srv, scene).json()["text"]


def directives(answer):
    return {part.strip().lower() for part in answer.headers.get("Cache-Control", "").split(",")}


def varies(answer):
    return {part.strip().lower() for part in answer.headers.get("Vary", "").split(",")}


def test_refusals(srv, scene):
    assert get(srv, scene).status_code == 404
    assert get(srv, scene, known="*").status_code == 404
    path, condition = f"/cues/{scene}", {"If-None-Match": "*"}
    stranger = srv.put(path, json={"text": "Thunder."}, headers=condition)
    assert stranger.status_code == 401
    assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
    assert srv.put(path, json=[1], headers=condition).status_code == 401
    for body in ({}, {"text": None}, {"text": 7}, ["text"], "text"):
        assert srv.put(path, json=body, headers=condition, token="ben").status_code == 400
    for raw in (b'{"text": ', b"null"):
        headers = {**condition, "Content-Type": "application/json"}
        assert srv.put(path, content=raw, headers=headers, token="ben").status_code == 400
    assert srv.put(path, json={"text": 7}, token="ben").status_code == 400
    assert get(srv, scene).status_code == 404


def test_tags_follow_the_content(srv, scene):
    tags = [create(srv, scene, "Version 0.")]
    for number in range(1, 6):
        answer = put(srv, scene, f"Version {number}.", If_Match=tags[-1])
        assert answer.status_code == 200
        tags.append(answer.headers["ETag"])
        assert get(srv, scene, token="ana").headers["ETag"] == tags[-1]
        assert get(srv, scene, token="ana").headers["ETag"] == tags[-1]
    assert len(set(tags)) == len(tags)
    assert all(tag.startswith('"') and tag.endswith('"') and len(tag) > 2 for tag in tags)


@pytest.mark.parametrize("token", [None, "cid"])
def test_304_carries_the_headers(srv, scene, token):
    create(srv, scene)
    full = get(srv, scene, token)
    short = get(srv, scene, token, known=full.headers["ETag"])
    assert (short.status_code, short.content) == (304, b"")
    assert short.headers.get("ETag") == full.headers["ETag"]
    assert directives(short) == directives(full)
    assert "max-age=5" in directives(short) or "no-cache" in directives(short)
    assert "authorization" in varies(short)


def test_forms_of_if_none_match(srv, scene):
    create(srv, scene)
    tag = get(srv, scene).headers["ETag"]
    for known in (f'"other", {tag}', f'{tag},"other"', f'"a,b" , W/"c", {tag}', "*", f"W/{tag}", f'W/"other", W/{tag}'):
        assert get(srv, scene, known=known).status_code == 304
    for known in ('"other"', f'"{tag[1:-2]}"', 'W/"other", "third"'):
        assert get(srv, scene, known=known).status_code == 200


def test_blind_writes_are_refused(srv, scene):
    assert put(srv, scene, "Blind.").status_code == 428
    assert get(srv, scene).status_code == 404
    tag = create(srv, scene, "Seen.")
    assert put(srv, scene, "Blind.").status_code == 428
    assert text_of(srv, scene) == "Seen."
    assert put(srv, scene, "Based.", If_Match=tag).status_code == 200
    assert put(srv, scene, "Stale.", If_Match=tag).status_code == 412
    assert text_of(srv, scene) == "Based."


def test_forms_of_if_match(srv, scene):
    for condition in ("*", '"guess"'):
        assert put(srv, scene, "From nothing.", If_Match=condition).status_code == 412
    assert get(srv, scene).status_code == 404
    tag = create(srv, scene, "Act one.")
    for condition in (f"W/{tag}", f'"guess", W/{tag}', '"guess"'):
        assert put(srv, scene, "Act none.", If_Match=condition).status_code == 412
    assert text_of(srv, scene) == "Act one."
    changed = put(srv, scene, "Act two.", If_Match=f'"guess", {tag}')
    assert changed.status_code == 200
    assert put(srv, scene, "Act three.", token="dora", If_Match="*").status_code == 200
    assert text_of(srv, scene) == "Act three."


def test_create_once(srv, scene):
    answers = srv.parallel(5, lambda i: put(srv, scene, f"Writer {i}.", token=f"p{i}", If_None_Match="*"))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [201, 412, 412, 412, 412]
    assert text_of(srv, scene) == f"Writer {statuses.index(201)}."
    assert put(srv, scene, "Late.", If_None_Match="*").status_code == 412


def test_lost_update(srv, scene):
    tag = create(srv, scene)
    for turn in range(2):
        answers = srv.parallel(6, lambda i, tag=tag, turn=turn: put(srv, scene, f"Turn {turn}, {i}.", If_Match=tag))
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [200, *[412] * 5]
        winner = statuses.index(200)
        assert text_of(srv, scene) == f"Turn {turn}, {winner}."
        tag = answers[winner].headers["ETag"]


def test_tags_are_per_viewer(srv, scene):
    mine = create(srv, scene, token="ana")
    others, nobodys = get(srv, scene, token="ben"), get(srv, scene)
    assert len({mine, others.headers["ETag"], nobodys.headers["ETag"]}) == 3
    for known in (mine, nobodys.headers["ETag"]):
        answer = get(srv, scene, token="ben", known=known)
        assert answer.status_code == 200
        assert answer.json()["viewer"] == "ben"
    assert get(srv, scene, known=mine).status_code == 200
    assert get(srv, scene, token="ana", known=mine).status_code == 304


def test_who_may_keep_a_copy(srv, scene):
    create(srv, scene)
    public, personal = get(srv, scene), get(srv, scene, token="eli")
    assert directives(public) == {"public", "max-age=5"}
    assert directives(personal) == {"private", "no-cache"}
    assert "authorization" in varies(public)
    assert "authorization" in varies(personal)
