"""Which build this is: what the app says beside its version, and where it asks for a newer one."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping

from app.workshop import BuildError


def facts(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What `resources/build.json` holds; nothing for a build that nobody numbered.

    Args:
        environment: BUILD_NUMBER, and NEWS_ADDRESS, the https address of `latest.json`; without it the app asks nobody.

    Raises:
        BuildError: the address is none that the app would ask.
    """
    number, news = environment.get("BUILD_NUMBER", ""), environment.get("NEWS_ADDRESS", "")
    if news and not news.startswith("https://"):
        raise BuildError(f"NEWS_ADDRESS is {news}, and has to begin with https://")
    if not number:
        return {}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"number": number, "date": today, **({"news": news} if news else {})}
