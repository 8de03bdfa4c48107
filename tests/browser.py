"""Headless Chromium for tests, spoken to over its own pipe: what a page says on the console, asks for, and looks like.

The network is off twice: every host name fails to resolve, and every request but that for the page itself is counted.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "needs Chromium (Debian and Ubuntu: apt-get install chromium)"


@dataclass
class Seen:
    """What a page did while it was open."""

    errors: list[str] = field(default_factory=list)  # on the console, or thrown
    requests: list[str] = field(default_factory=list)  # beside the page itself, its folder and data: addresses
    missing: list[str] = field(default_factory=list)


class Browser:
    """One browser with one page."""

    def __init__(self, process: subprocess.Popen[bytes], to: int, back: int) -> None:
        self.process, self.to, self.back = process, to, back
        self.number, self.rest, self.events = 0, b"", list[dict[str, Any]]()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.on_page(f"{domain}.enable")

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            data = os.read(self.back, 1 << 16)
            if not data:
                raise RuntimeError("Chromium has ended")
            self.rest += data
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)  # type: ignore[no-any-return]

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """A command and its answer; what happens meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]  # type: ignore[no-any-return]
            self.events.append(answer)

    def on_page(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command to the page."""
        return self.ask(method, self.session, **parameters)

    def evaluate(self, script: str) -> Any:
        """The value of an expression on the page."""
        answer = self.on_page("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(
        self, page: Path, *, width: int = 1280, dark: bool = False, media: str = "screen", within: Path | None = None
    ) -> Seen:
        """Open a page from disk and wait until it has loaded; what it did.

        A request for a file of the folder `within` is the page's own; without it only the page itself is.
        """
        self.events.clear()
        self.on_page("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.on_page("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.on_page("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events if "method" in event):
            self.events.append(self._message())
        self.evaluate("new Promise(done => setTimeout(done, 200))")
        seen = Seen()
        for event in self.events:
            said = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                seen.errors.append(str(said["exceptionDetails"].get("text")))
            elif event.get("method") == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
                seen.errors.append(str(said["args"]))
            elif event.get("method") == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
                seen.errors.append(said["entry"]["text"])
            elif event.get("method") == "Network.requestWillBeSent":
                url = said["request"]["url"]
                is_own = within is not None and url.startswith(within.as_uri() + "/")
                if url.partition("#")[0] != page.as_uri() and not url.startswith("data:") and not is_own:
                    seen.requests.append(url)
            elif event.get("method") == "Network.loadingFailed":
                seen.missing.append(str(said.get("errorText")))
        return seen

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """A screenshot of the window, or of the whole page."""
        options: dict[str, Any] = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self.on_page("Page.getLayoutMetrics")["cssContentSize"]
            options["clip"] = {
                "x": 0,
                "y": 0,
                "width": size["width"],
                "height": min(size["height"], 12_000),
                "scale": 1,
            }
        path.write_bytes(base64.b64decode(self.on_page("Page.captureScreenshot", **options)["data"]))

    def printed(self) -> bytes:
        """The page as it is printed, as PDF."""
        return base64.b64decode(self.on_page("Page.printToPDF", preferCSSPageSize=True)["data"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A headless browser that can reach nothing."""
    (read_there, to), (back, write_there) = os.pipe(), os.pipe()

    def hand_over() -> None:  # Chromium reads commands from descriptor 3 and answers on 4
        os.dup2(read_there, 13)
        os.dup2(write_there, 14)
        os.dup2(13, 3)
        os.dup2(14, 4)

    process = subprocess.Popen(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", f"--user-data-dir={profile}",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=hand_over, close_fds=False,
    )  # fmt: skip
    os.close(read_there)
    os.close(write_there)
    try:
        yield Browser(process, to, back)
    finally:
        os.close(to)
        os.close(back)
        process.terminate()
        process.wait(timeout=60)
