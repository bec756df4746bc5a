import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from triggers.clearml_api import Api, Credentials


def jwt(issued=0, ends=3600, number=0):
    payload = base64.urlsafe_b64encode(json.dumps({"iat": issued, "exp": ends, "n": number}).encode()).rstrip(b"=")
    return f"e30.{payload.decode()}.sig"


class Patient(ThreadingHTTPServer):
    """Connections wait to be accepted: of a backlog of five, the default, a busy machine drops what comes behind."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, *args):
        super().__init__(*args)
        #: one for each connection that the server has closed
        self.closed = threading.Semaphore(0)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.closed.release()


class FaultyServer:
    """An HTTP server with scripted answers: for the faults that a well-behaved one does not make.

    `script[endpoint]` is a list of steps, used one by one, the last again and again. A step is a tuple (status, body
    text or object, headers), or one of the words "cut" (close without an answer), "close after" (answer, then close
    silently), "hang".
    """

    def __init__(self):
        self.script, self.calls, self.logins = {}, [], 0
        self.connections = 0
        self.token_life = 3600
        self.reads_after = 0.0
        self.closing = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                owner.connections += 1
                super().setup()

            def do_POST(self):
                owner.handle(self)

            def log_message(self, *args):
                pass

        self.server = Patient(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.02])
        self.thread.start()
        self.host = f"http://127.0.0.1:{self.server.server_port}"

    def handle(self, request):
        time.sleep(self.reads_after)
        body = request.rfile.read(int(request.headers["Content-Length"]))
        path = request.path
        endpoint = path.rpartition("/")[2]
        if endpoint == "auth.login" and endpoint not in self.script:
            self.logins += 1
            data = {"token": jwt(0, self.token_life, self.logins)}
            self.answer(request, 200, {"meta": {"result_code": 200, "result_subcode": 0}, "data": data}, {})
            return
        self.calls.append((path, request.headers, body))
        steps = self.script[endpoint]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if callable(step):
            step = step(request)
        if step == "hang":
            self.closing.wait()
        if step is None:  # answered by the step itself
            return
        if step in ("cut", "hang"):
            request.close_connection = True
            return
        if step == "close after":
            self.answer(request, 200, ok(), {})
            request.close_connection = True
            return
        self.answer(request, *step)

    def answer(self, request, status, body, headers):
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request.send_response_only(status)
        if "Date" not in headers:
            request.send_header("Date", request.date_time_string())
        for name, value in headers.items():
            if value is not None:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def ok(**data):
    return {"meta": {"result_code": 200, "result_subcode": 0, "result_msg": "OK"}, "data": data}


def refusal(code, subcode, message="no"):
    return {"meta": {"result_code": code, "result_subcode": subcode, "result_msg": message}, "data": {}}


@pytest.fixture
def faulty():
    server = FaultyServer()
    yield server
    server.close()


@pytest.fixture
def api(faulty):
    api = Api(Credentials(faulty.host, "the-key", "the-secret"), timeout_seconds=60)  # no matter of time
    yield api
    api.close()


@pytest.fixture
def impatient(faulty):
    """For a server that never answers. It has a token: a busy machine may answer no login in half a second."""
    api = Api(Credentials(faulty.host, "", "", token=jwt()), timeout_seconds=0.5)
    yield api
    api.close()


class Answers:
    """The answers of `conftest` for tests, which cannot import it."""

    ok, refusal, jwt = staticmethod(ok), staticmethod(refusal), staticmethod(jwt)


@pytest.fixture
def answers():
    return Answers
