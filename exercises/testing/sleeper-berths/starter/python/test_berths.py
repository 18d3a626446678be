from subject import advance, request


def test_a_berth_can_be_held():
    answer = request("POST", "/trains/test-1/holds", json={"berth": 7, "name": "Ada"})
    assert answer.status == 201
