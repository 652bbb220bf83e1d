"""A container as a user could have written it: does what the request's body says, in the model server's frames."""

import os
import signal
import socket
import sys
import threading
import time

from headrace.server.model_server.frames import receive, send


def answer(connection: socket.socket) -> None:
    while (message := receive(connection)) is not None:
        head, body = message
        word, _, rest = body.partition(b" ")
        if word == b"hang":
            time.sleep(600)
        elif word == b"slow":
            time.sleep(float(rest.rstrip(b"abc!_")))
        elif word == b"die":
            os._exit(3)
        elif word == b"freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(600)
        elif word == b"print":
            for number in range(int(rest)):
                print(f"line {number}")
            sys.stdout.flush()
        elif word == b"fail":
            send(connection, {"status": 500}, b"it failed")
            continue
        elif word == b"twice":
            send(connection, {"status": 200}, b"the first")
            time.sleep(float(rest))
            send(connection, {"status": 200}, b"nobody asked for the second")
            continue
        elif word == b"huge":
            connection.sendall((5).to_bytes(4, "big") + (1 << 50).to_bytes(8, "big") + b"{}")
            continue
        elif word == b"nonsense":
            connection.sendall((5).to_bytes(4, "big") + bytes(8) + b"[[[[[")
            continue
        if head["operation"] == "stream":
            send(connection, {"status": 200, "content_type": "text/plain", "more": True})
            for part in rest.split(b" "):
                if part == b"die":
                    os._exit(3)
                if part == b"hang":
                    time.sleep(600)
                if part == b"fail":
                    send(connection, {"status": 500}, b"it failed in the middle")
                    break
                send(connection, {"status": 200, "more": True}, part)
            else:
                send(connection, {"status": 200})
            continue
        reply = {"status": 200, "content_type": "text/plain"}
        reply |= {name: head[name] for name in ("custom_attributes", "headers") if name in head}
        send(connection, reply, body + sys.argv[1].encode())


def main() -> None:
    if sys.argv[1] == "broken":
        sys.exit("no model here\nthe model has lost its weights")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("s")
    listener.listen(64)
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main()
