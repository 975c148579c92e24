"""When a change of a guest was on the screen: an open list notes the time of each."""

from typing import Any

from playwright.sync_api import Page

from tests.waiting import wait_for


def watch(page: Page, name: str) -> None:
    """Note the time of every change of this guest's state in the list."""
    page.evaluate(
        """name => {
            window.seen = [];
            const look = () => {
                const row = [...document.querySelectorAll("tbody tr")].find((tr) => tr.textContent.includes(name));
                const words = row ? row.querySelector(".st").textContent.trim() : "";
                if (words !== window.seen.at(-1)?.[1]) window.seen.push([Date.now(), words]);
            };
            look();
            new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
        }""",
        name,
    )


def seen_at(page: Page, words: str) -> float:
    """When the list said these words of the guest, in ms since 1970; waits for it."""
    last: list[Any] = []

    def seen() -> bool:
        last[:] = page.evaluate("window.seen.at(-1)")
        return bool(last[1] == words)

    wait_for(seen)
    return float(last[0])
