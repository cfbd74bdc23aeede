"""A model on a server: everything against a real server on this computer, its failures too."""

from __future__ import annotations

import math
import socket
import threading
import time

import pytest

from lab_desktop.errors import Cancelled, ServerError
from lab_desktop.models.remote import RemoteModel, offer
from lab_desktop.servers import Place, Server
from tests.model_server import CERTIFICATE, ModelServer, answering_with
from tests.models.asking import SCHEMA, ask

KEY = "sk-planted-0123456789"


def last(body) -> str:
    return str(body["messages"][-1]["content"])


def echo(body) -> str:
    return f" You said: {last(body)} "


def opened(server: ModelServer, **settings) -> RemoteModel:
    return RemoteModel(server.server, **{"first_wait_s": 0.001, **settings})


def test_many_requests_are_answered_at_once_and_each_its_own():
    with ModelServer(echo, pause_s=0.02).running() as server, opened(server, parallel=4) as model:
        found = dict(model.complete([ask(f"number {number}") for number in range(12)]))

    assert [found[number].text for number in range(12)] == [f"You said: number {number}" for number in range(12)]
    assert (found[0].finish, found[0].prompt_tokens, found[0].tokens) == ("stop", 7, 3)
    assert 2 <= server.most_at_once <= 4
    assert (model.name, model.context_tokens) == ("big-model", 8192)


def test_what_is_asked_for_goes_out_as_the_protocol_has_it():
    with ModelServer(lambda body: "One. Two. Three.").running() as server, opened(server) as model:
        asked = ask("Count", system="Be brief.", temperature=0.5, seed=2**40, stop=("Three",), max_tokens=9)
        ((_, reply),) = model.complete([asked])

    (body,) = server.asked
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Count"}]
    assert (body["max_tokens"], body["temperature"], body["stop"]) == (9, 0.5, ["Three"])
    assert 0 <= body["seed"] < 2**31
    assert reply.text == "One. Two."  # also where the server does not heed it


def test_a_real_model_behind_a_server_answers_as_it_does_at_home(model):
    asked = [
        ask("Hello"),
        ask("Tell me", system="Be kind.", temperature=0.7, seed=3),
        ask("Form", schema=SCHEMA, max_tokens=60),
    ]
    at_home = dict(model.complete(asked))

    with answering_with(model).running() as server, opened(server) as remote:
        elsewhere = dict(remote.complete(asked))

    assert {index: reply.text for index, reply in elsewhere.items()} == {
        index: reply.text for index, reply in at_home.items()
    }


def test_the_odds_of_choices_are_those_of_the_model_itself(model):
    asked = ask("Which mark?", choices=("1", "2", "3"))
    ((_, at_home),) = model.complete([asked])

    with answering_with(model).running() as server, opened(server) as remote:
        told = list(range(256))  # of such a small model all tokens matter, not only the twenty likeliest
        server.odds, few = (lambda body: few({**body, "top_logprobs": len(told)})), server.odds
        ((_, reply),) = remote.complete([asked])

    assert reply.text == at_home.text
    assert reply.probabilities == pytest.approx(at_home.probabilities, abs=1e-3)


def test_where_odds_are_not_told_five_words_are_counted():
    words = ["Yes.", "no", "YES, it is", "Perhaps", "yes"]
    with ModelServer(lambda body: words[body["seed"] % 5]).running() as server, opened(server) as model:
        replies = [reply for _, reply in model.complete([ask("Right?", choices=("YES", "NO"))] * 2)]

    assert [reply.probabilities for reply in replies] == [(0.75, 0.25)] * 2
    assert [reply.text for reply in replies] == ["YES"] * 2
    # That they are not told is found out once.
    assert sum(bool(body.get("logprobs")) for body in server.asked) <= 2
    assert {body["temperature"] for body in server.asked if not body.get("logprobs")} == {1.0}


def test_nobody_is_sure_where_the_server_says_neither():
    with ModelServer(lambda body: "Hm.").running() as server, opened(server) as model:
        ((_, reply),) = model.complete([ask("Right?", choices=("YES", "NO"))])

    assert (reply.text, reply.probabilities) == ("", ())


def test_choices_are_read_from_first_tokens_also_in_parts_and_other_case():
    odds = [{"token": " Y", "logprob": math.log(0.5)}, {"token": "no", "logprob": math.log(0.25)},
            {"token": "<think>", "logprob": math.log(0.1)}, {"token": "Nope", "logprob": math.log(0.1)}]  # fmt: skip
    with ModelServer(echo, odds=lambda body: odds).running() as server, opened(server) as model:
        ((_, reply),) = model.complete([ask("Right?", choices=("YES", "NO"))])

    assert reply.probabilities == pytest.approx((2 / 3, 1 / 3))


HELD = '{"question": "Why?", "score": 2}'


def in_a_form(body):
    """What a server answers that holds replies to a form in its own way."""
    is_trial = "lab" in str(body.get("response_format", "")) + str(body.get("grammar", ""))
    if "response_format" in body or "grammar" in body:
        return '{"lab": "ready"}' if is_trial else HELD
    return "Hello!"


@pytest.mark.parametrize("form", ["schema", "grammar"])
def test_the_server_holds_replies_to_a_form_in_the_way_it_can(form):
    with ModelServer(in_a_form, holds=(form,)).running() as server, opened(server) as model:
        found = dict(model.complete([ask(f"Form {number}", schema=SCHEMA) for number in range(3)]))

    assert [reply.text for reply in found.values()] == [HELD] * 3
    used = [body for body in server.asked if last(body) != "Say hello."]
    assert all(("grammar" in body) == (form == "grammar") for body in used)
    assert sum(last(body) == "Say hello." for body in server.asked) == (1 if form == "schema" else 2)


def test_a_server_that_ignores_forms_is_asked_in_words_until_the_form_is_right():
    said = iter(["Sure! Here it is:", '{"question": "Why?"}', f"```json\n{HELD}\n``` Good luck!"])

    def answer(body):
        return "Hello!" if last(body) == "Say hello." else next(said)

    with ModelServer(answer, holds=("schema", "grammar")).running() as server, opened(server) as model:
        ((_, reply),) = model.complete([ask("Form", schema=SCHEMA)])

    assert reply.text == HELD
    asked = [body for body in server.asked if last(body) != "Say hello."]
    assert len(asked) == 3 and all('"question"' in last(body) for body in asked)
    assert len({body["seed"] for body in asked}) == 3


def test_what_never_gets_its_form_is_given_as_it_is():
    with ModelServer(echo, holds=()).running() as server, opened(server) as model:
        ((_, reply),) = model.complete([ask("Form", schema=SCHEMA)])

    assert reply.text.startswith("You said: Form")


def test_thoughts_are_no_part_of_a_reply():
    with ModelServer(lambda body: "<think>Let me\nsee.</think>\n Three.").running() as server, opened(server) as model:
        ((_, reply),) = model.complete([ask("How many?")])

    assert reply.text == "Three."


def test_pieces_of_a_stream_together_are_the_reply():
    with ModelServer(lambda body: "  One, two,\nthree.  \n").running() as server, opened(server) as model:
        pieces = list(model.stream(ask("Count")))

    assert "".join(pieces) == "One, two,\nthree." and len(pieces) > 2


TOO_LONG = {"error": {"code": 400, "message": "This model's maximum context length is 4096 tokens."}}


def test_what_does_not_fit_is_a_reply_that_says_so():
    with ModelServer(echo).running() as server, opened(server) as model:
        server.before.append((400, {}, TOO_LONG))
        found = dict(model.complete([ask("a"), ask("b")]))

    assert sorted(reply.finish for reply in found.values()) == ["stop", "too_long"]


@pytest.mark.parametrize("happening", [(429, {}, b"slow down"), (503, {}, b""), (500, {}, b"oh"), "cut"])
def test_what_may_pass_is_tried_again(happening):
    with ModelServer(echo).running() as server, opened(server) as model:
        server.before += [happening] * 3
        found = dict(model.complete([ask(f"{number}") for number in range(4)]))

    assert len(found) == 4 and all(reply.text for reply in found.values())
    assert len(server.asked) == 7


def test_the_pause_that_a_server_asks_for_is_kept():
    with ModelServer(echo).running() as server, opened(server) as model:
        server.before.append((429, {"Retry-After": "1"}, b""))
        began = time.monotonic()
        list(model.complete([ask("a")]))

    assert time.monotonic() - began >= 1.0


def test_a_server_that_wants_a_long_pause_is_told_to_the_person():
    with ModelServer(echo).running() as server, opened(server) as model:
        server.before.append((429, {"Retry-After": "3600"}, b""))
        with pytest.raises(ServerError, match="asks to wait 60 minutes"):
            list(model.complete([ask("a")]))


def test_a_server_that_stays_busy_is_given_up_in_the_end():
    with ModelServer(echo).running() as server, opened(server) as model:
        server.before += [(503, {}, b"busy")] * 20
        with pytest.raises(ServerError, match="too busy or not well") as caught:
            list(model.complete([ask("a")]))

    assert len(server.asked) == 8
    assert caught.value.details == "busy"


def test_a_server_that_restarts_is_waited_for():
    server = ModelServer(echo)
    with server.running():
        model = opened(server, first_wait_s=0.05)
        assert len(list(model.complete([ask("a")]))) == 1
    found = []
    asking = threading.Thread(target=lambda: found.extend(model.complete([ask("b"), ask("c")])))
    asking.start()
    time.sleep(0.1)
    with server.running():
        asking.join(10)
        model.close()

    assert len(found) == 2


def test_cancelling_hangs_up_at_once():
    with ModelServer(echo, pause_s=30.0).running() as server, opened(server, parallel=3) as model:
        is_stopped = threading.Event()
        threading.Timer(0.2, is_stopped.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            list(model.complete([ask(f"{number}") for number in range(9)], is_stopped.is_set))
        took = time.monotonic() - began

        assert took < 2.0  # 0.23 on a quiet machine
        wait_until(lambda: server.hung_up == 3)
        assert len(server.asked) == 3
        server.pause_s = 0.0
        assert len(list(model.complete([ask("again")]))) == 1


def test_cancelling_ends_a_pause_between_attempts():
    with ModelServer(echo).running() as server, opened(server, first_wait_s=60.0) as model:
        server.before.append((503, {}, b""))
        with pytest.raises(Cancelled):
            list(model.complete([ask("a")], lambda: bool(server.asked)))


def test_a_byte_now_and_then_does_not_hold_anybody_for_ever(monkeypatch):
    monkeypatch.setattr("lab_desktop.models.remote_calls._ATTEMPTS", 2)
    with ModelServer(echo).running() as server, opened(server, patience_s=0.3) as model:
        server.drip_s = 0.1
        with pytest.raises(ServerError, match="took longer than 0 seconds"):
            list(model.complete([ask("a")]))


def test_an_endless_answer_is_cut(monkeypatch):
    monkeypatch.setattr("lab_desktop.models.remote_calls._MOST_BYTES", 1000)
    endless = ModelServer(lambda body: "x" * 5000)
    with endless.running() as server, opened(server) as model, pytest.raises(ServerError, match="does not speak as"):
        list(model.complete([ask("a")]))


# What goes wrong, in sentences


def test_a_port_where_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    with pytest.raises(ServerError, match="Nothing answers at 127") as caught:
        RemoteModel(Server(address, "m"))
    assert "port" in caught.value.hint


def test_a_name_that_nobody_has():
    with pytest.raises(ServerError, match="no computer by the name of nowhere"):
        RemoteModel(Server("https://nowhere.invalid/v1", "m"))


@pytest.mark.parametrize(
    ("key", "words"), [("", "wants a key, and none is kept"), ("sk-wrong-key", "does not accept the key")]
)
def test_a_wrong_key_is_a_sentence_without_the_key(key, words):
    with ModelServer(echo, key=KEY).running() as server:
        with pytest.raises(ServerError, match=words) as caught:
            RemoteModel(server.server, key)
        with RemoteModel(server.server, KEY) as model:
            assert len(list(model.complete([ask("a")]))) == 1

    told = f"{caught.value.message} {caught.value.hint} {caught.value.details} {caught.value!r}"
    assert "sk-wrong-key" not in told and "Incorrect API key" in told
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_not_repeated(key):
    with pytest.raises(ServerError, match="no key has") as caught:
        RemoteModel(Server("http://127.0.0.1:9/v1", "m"), key)

    assert key not in repr(caught.value) + caught.value.details


def test_a_model_that_is_not_there_is_named_with_those_that_are():
    with ModelServer(echo, models=[{"id": "alpha"}, {"id": "beta:latest"}]).running() as server:
        with pytest.raises(ServerError, match='no model "big-model"') as caught:
            opened(server)
        assert "alpha, beta:latest" in caught.value.hint
        with RemoteModel(server.server.with_model("beta")) as model:
            assert (model.name, model.context_tokens) == ("beta:latest", 4096)
        with pytest.raises(ServerError, match="2 models, and none is chosen"):
            RemoteModel(server.server.with_model(""))


def test_a_server_without_a_list_is_believed():
    with ModelServer(echo, models=None).running() as server, opened(server) as model:
        assert model.name == "big-model"
        assert offer(server.server).models == ()


@pytest.mark.parametrize("data", [b"<html>Please log in</html>", b"", b"[1]", b'{"choices": "none"}'])
def test_what_is_no_server_for_models_is_said_so(data):
    with ModelServer(echo).running() as server, opened(server) as model:
        server.before.append((200, {}, data))
        with pytest.raises(ServerError, match=r"does not speak as|not with a reply"):
            list(model.complete([ask("a")]))


def test_a_server_that_sends_on_is_not_followed():
    with ModelServer(echo).running() as server, opened(server, key=KEY) as model:
        server.before.append((307, {"Location": "https://elsewhere.example/v1"}, b""))
        with pytest.raises(ServerError, match="not followed") as caught:
            list(model.complete([ask("secret text")]))

    assert "elsewhere.example" in caught.value.hint and len(server.asked) == 1


def test_a_certificate_that_nobody_trusts_is_refused_before_anything_is_sent():
    with (
        ModelServer(echo).running(CERTIFICATE) as server,
        pytest.raises(ServerError, match="certificate of localhost") as caught,
    ):
        RemoteModel(Server(f"https://localhost:{server.port}/v1", "big-model"), KEY)

    assert "self" in caught.value.message and server.headers == []


def test_a_certificate_that_is_trusted_is_enough(monkeypatch):
    import ssl

    from lab_desktop.models import remote_calls

    monkeypatch.setattr(remote_calls, "_trusted", lambda: ssl.create_default_context(cafile=str(CERTIFICATE)))
    with (
        ModelServer(echo, pause_s=20.0).running(CERTIFICATE) as server,
        RemoteModel(Server(f"https://localhost:{server.port}/v1", "big-model"), KEY) as model,
    ):
        with pytest.raises(Cancelled):  # hanging up works through the encryption too
            list(model.complete([ask("a")], lambda: bool(server.asked)))
        wait_until(lambda: server.hung_up == 1)
        server.pause_s = 0.0
        assert len(list(model.complete([ask("a")]))) == 1


def test_encryption_towards_a_server_that_has_none_is_a_sentence():
    with ModelServer(echo).running() as server, pytest.raises(ServerError, match="does not speak the encryption"):
        RemoteModel(Server(f"https://127.0.0.1:{server.port}/v1", "m"))


def test_a_name_of_this_network_that_leads_to_the_internet_gets_no_text(monkeypatch):
    """The notice spoke of this computer or this network, so a name server must not turn that into another."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more))
    monkeypatch.setattr("lab_desktop.models.remote_calls.place_of", lambda number: Place.AWAY)
    with ModelServer(echo).running() as server, pytest.raises(ServerError, match="leads elsewhere"):
        RemoteModel(Server(f"http://teacher.local:{server.port}/v1", "big-model"), KEY)

    assert server.headers == []


def test_a_proxy_is_not_asked_for_what_is_near(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with ModelServer(echo).running() as server, opened(server) as model:
        assert len(list(model.complete([ask("a")]))) == 1


def test_a_trial_says_what_the_server_can_do():
    with ModelServer(in_a_form).running() as server, opened(server) as model:
        trial = model.try_out()

    assert (trial.form, trial.tells_odds) == ("schema", False)
    assert 0 < trial.seconds < 10


def wait_until(is_so, seconds=5.0):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
