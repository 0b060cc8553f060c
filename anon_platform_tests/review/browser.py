"""A headless Chromium that is driven with real keys and mouse, over its DevTools protocol on this machine alone."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

KEYS = {"Enter": ("Enter", "\r"), "ArrowRight": ("ArrowRight", ""), "ArrowLeft": ("ArrowLeft", "")}


class Browser:
    """One page."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number, self.complaints = socket, 0, list[str]()
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """The answer of a command; what the page complains of meanwhile is remembered."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=60))
            if said.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}:
                self.complaints.append(json.dumps(said["params"]))
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]

    def open(self, file: Path) -> None:
        """Waits until the page is there."""
        self.call("Page.navigate", url=file.as_uri())
        for _ in range(200):
            if self.js("document.readyState === 'complete' && !!document.getElementById('title')"):
                return
            time.sleep(0.05)
        raise TimeoutError

    def js(self, code: str) -> Any:
        """The value of an expression."""
        found = self.call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        """Keys, one after the other; `Shift+.` with shift."""
        for key in keys:
            shift, name = key.startswith("Shift+"), key.removeprefix("Shift+")
            code = {".": "Period", ",": "Comma"}.get(name, name)
            shown = {".": ">", ",": "<"}.get(name, name) if shift else name
            text = KEYS.get(name, ("", shown))[1]
            both = {"key": shown, "code": code, "modifiers": 8 if shift else 0}
            self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **both)
            self.call("Input.dispatchKeyEvent", type="keyUp", **both)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def drag(self, start: int, end: int) -> None:
        """Selects code points of the note with the mouse; each is where the page draws it."""
        (left, top), (right, bottom) = (
            self.js(f"""(() => {{
              const part = [...$("note").children].filter(one => Number(one.dataset.start) <= {at}).pop();
              const points = Array.from(part.firstChild.data), from = Number(part.dataset.start), range = document.createRange();
              const units = points.slice(0, {at} - from).join("").length;
              range.setStart(part.firstChild, units);
              range.setEnd(part.firstChild, units + points[{at} - from].length);
              const box = range.getBoundingClientRect();
              return [{edge} ? box.right - 1 : box.left + 1, box.top + box.height / 2];
            }})()""")
            for at, edge in ((start, 0), (end - 1, 1))
        )  # fmt: skip
        mouse = {"button": "left", "clickCount": 1, "buttons": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=left, y=top, **mouse)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=right, y=bottom, **mouse)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=right, y=bottom, **mouse)

    def click(self, selector: str) -> None:
        """In the middle of an element."""
        x, y = self.js(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getClientRects()[0];"
            " return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that downloads to `folder`; it is ended with the block."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("no chromium on PATH; `make test` installs it (Debian package chromium)")
    profile = folder / "profile"
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--window-size=1280,800",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(profile / "DevToolsActivePort")
        with connect(f"ws://127.0.0.1:{port[0]}{port[1]}", max_size=None, proxy=None) as whole:
            page = _page(whole)
        with connect(f"ws://127.0.0.1:{port[0]}/devtools/page/{page}", max_size=None, proxy=None) as socket:
            found = Browser(socket)
            found.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
            yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


def _port(file: Path) -> tuple[str, str]:
    for _ in range(400):
        if file.exists() and len(lines := file.read_text().split()) == 2:
            return lines[0], lines[1]
        time.sleep(0.05)
    raise TimeoutError("the browser did not start")


def _page(socket: ClientConnection) -> str:
    socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
    while True:
        said = json.loads(socket.recv(timeout=60))
        if said.get("id") == 1:
            return next(t["targetId"] for t in said["result"]["targetInfos"] if t["type"] == "page")
