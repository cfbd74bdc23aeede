"""Sharing accounts, in the settings: who is signed in where, the team's repository, how GitHub knows this program."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtWidgets import QLineEdit, QWidget

from lab_desktop.contribution import accounts, destinations
from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.destinations import COMMUNITY, Destination
from lab_desktop.errors import LabError, LibraryError
from lab_desktop.ui.background import Errands
from lab_desktop.ui.settings_parts import Group, Setting
from lab_desktop.ui.signing_in import FORGE_NAMES, SignInSheet
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, announce, row

_FIELD_WIDE = 260


@dataclass(frozen=True)
class _Known:
    """What is known without the network.

    Attributes:
        team: the team's repository, or None.
        by_host: who is signed in.
        client: the id under which GitHub knows this program, or "".
    """

    team: Destination | None
    by_host: dict[str, Account]
    client: str


class SharingAccounts(Group):
    """The group of settings; the network is asked by signing in only."""

    def __init__(self) -> None:
        found_by = self.tr("account login sign in out github gitlab token keyring contribute publish share")
        self._known: _Known | None = None
        self.github = _Host("github", "github.com", found_by, self.look)
        self.other = _Host("gitlab", "gitlab.com", found_by, self.look)
        self.address = QLineEdit()
        self.address.setAccessibleName(self.tr("Address of the team's repository"))
        self.address.setPlaceholderText(self.tr("https://…, git@…, or a folder"))
        self.address.editingFinished.connect(self._take_address)
        self._address_setting = Setting(
            self.tr("Team's repository"), self.tr("Where lessons go that are for your team."), self.address,
            self.tr("remote git address url organisation community destination"),
        )  # fmt: skip
        self.client = QLineEdit()
        self.client.setAccessibleName(self.tr("Client ID"))
        self.client.setPlaceholderText("Ov23li…")
        self.client.editingFinished.connect(self._take_client)
        self._client_setting = Setting(
            self.tr("Advanced: signing in with a code"),
            self.tr("The Client ID of an app at GitHub, with “device flow” on. Without one a token does the same."),
            self.client, self.tr("device flow oauth app client id code expert"),
        )  # fmt: skip
        super().__init__(
            self.tr("Sharing accounts"), self.github, self.other, self._address_setting, self._client_setting
        )
        self._errands = Errands(self)
        look().changed.connect(self._fit)
        self._fit()

    def look(self) -> None:
        """Read anew who is signed in."""
        self._errands.do(_read, self._show, lambda error: self._address_setting.show_value(error.message))

    def stop(self) -> None:
        """Nobody waits any more."""
        for host in (self.github, self.other):
            host.close_sheet()

    def _show(self, known: _Known) -> None:
        self._known = known
        team = known.team
        self.github.show_account(known.by_host.get("github.com"))
        if team is not None and team.forge and team.host != "github.com":
            self.other.be("gitlab" if team.forge == "gitlab" else "github", team.host, team.address)
        else:
            self.other.be("gitlab", "gitlab.com", "")
        self.other.show_account(known.by_host.get(self.other.host))
        if not self.address.hasFocus():
            self.address.setText(team.address if team is not None else "")
        if not self.client.hasFocus():
            self.client.setText(known.client)

    def _take_address(self) -> None:
        text = self.address.text().strip()
        known = self._known.team.address if self._known is not None and self._known.team is not None else ""
        if text == known or not text:
            self.address.setText(known)
            return
        self._errands.do(functools.partial(_keep_team, text), self._took_address, self._refuse_address)

    def _took_address(self, taken: Destination) -> None:
        self._address_setting.show_value(self.tr("Lessons for your team go to {0}.").format(taken.name))
        self.look()

    def _refuse_address(self, error: LabError) -> None:
        self._address_setting.show_value(f"{error.message} {error.hint}")
        announce(self.address, error.message)

    def _take_client(self) -> None:
        text = self.client.text().strip()
        if self._known is None or text == self._known.client:
            return
        self._errands.do(
            functools.partial(accounts.keep_client_id, "github.com", text), self._took_client, self._refuse_client
        )

    def _took_client(self, _: None) -> None:
        has_one = bool(self.client.text().strip())
        self._client_setting.show_value(
            self.tr("You can sign in with a code now.") if has_one else self.tr("Signing in with a code is off.")
        )
        self.look()

    def _refuse_client(self, error: LabError) -> None:
        self._client_setting.show_value(f"{error.message} {error.hint}")
        announce(self.client, error.message)

    def _fit(self) -> None:
        for field in (self.address, self.client):
            field.setFixedWidth(look().grown(_FIELD_WIDE))


class _Host(Setting):
    """Who is signed in at one host.

    Attributes:
        sign_in, sign_out: one of them is there.
    """

    def __init__(
        self, forge: Literal["github", "gitlab"], host: str, found_by: str, on_change: Callable[[], object]
    ) -> None:
        self.forge: Literal["github", "gitlab"] = forge
        self.host, self._address = host, ""
        self._on_change = on_change
        self._sheet: SignInSheet | None = None
        self.sign_in = Button(self.tr("Sign in…"), on_click=self._open)
        self.sign_out = Button(self.tr("Sign out"), on_click=self._sign_out)
        both = QWidget()
        both.setLayout(row(self.sign_in, self.sign_out))
        super().__init__(self._name, "", both, found_by)
        self._errands = Errands(self)
        self.show_account(None)

    @property
    def _name(self) -> str:
        return FORGE_NAMES[self.forge] if self.host in ("github.com", "gitlab.com") else self.host

    def be(self, forge: Literal["github", "gitlab"], host: str, address: str) -> None:
        """Another host is the one that is shown."""
        self.forge, self.host, self._address = forge, host, address
        self.name_it(self._name)

    def show_account(self, account: Account | None) -> None:
        self.sign_in.setVisible(account is None)
        self.sign_out.setVisible(account is not None)
        self.sign_in.setAccessibleName(self.tr("Sign in at {0}…").format(self.host))
        self.sign_out.setAccessibleName(self.tr("Sign out of {0}").format(self.host))
        if account is None:
            self.say(self.tr("Nobody is signed in. It is needed for sending lessons there, and for nothing else."))
        else:
            name = f"{account.name} ({account.login})" if account.name != account.login else account.login
            self.say(self.tr("Signed in as {0}. The token is in the system's keyring.").format(name))

    def _open(self) -> None:
        self.close_sheet()
        self.show_value("")
        self._sheet = SignInSheet(self.forge, self.host, self.window(), self._address)
        self._sheet.signed_in.connect(lambda _: self._tell())
        self._sheet.destroyed.connect(self._forget_sheet)
        self._sheet.open()

    def _forget_sheet(self) -> None:
        self._sheet = None

    def close_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.reject()

    def _sign_out(self) -> None:
        self._errands.do(functools.partial(accounts.sign_out, self.host), lambda _: self._tell(), self._refuse)

    def _tell(self) -> None:
        self._on_change()

    def _refuse(self, error: LabError) -> None:
        self.show_value(f"{error.message} {error.hint}")
        announce(self, error.message)


def _read() -> _Known:
    team = destinations.team()
    hosts = {"github.com", "gitlab.com"} | ({team.host} if team is not None and team.forge else set())
    by_host = {host: account for host in hosts if (account := accounts.known(host)) is not None}
    return _Known(team, by_host, accounts.client_id(destinations.destination(COMMUNITY).host))


def _keep_team(text: str) -> Destination:
    """
    Raises:
        LibraryError: it is no address of a repository for a team.
        StorageError
    """
    taken = destinations.destination(text)
    if taken.kind == "community":
        raise LibraryError("That is the community's own library.", "It can be chosen when you share a lesson.")
    if taken.kind == "file":
        raise LibraryError("That is a file.", "A file to send by mail can be chosen when you share a lesson.")
    destinations.keep_team(taken)
    return taken
