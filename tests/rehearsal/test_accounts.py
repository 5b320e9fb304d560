"""Logins, tokens and their ends."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.conftest import Backend, Child


def refresh(shop: Backend, token: str) -> tuple[int, dict[str, str]]:
    answer = shop.api("POST", "/auth/refresh", json={"refresh_token": token})
    return answer.status_code, answer.json().get("data", {})


def test_the_access_token_is_a_jwt_of_its_own_that_ends_when_it_says(shop: Backend) -> None:
    first, second = shop.login(), shop.login()
    assert first["access_token"] != second["access_token"]
    header, claims, _ = (part + "=" * (-len(part) % 4) for part in second["access_token"].split("."))
    assert json.loads(base64.urlsafe_b64decode(header))["alg"] == "HS256"
    decoded = json.loads(base64.urlsafe_b64decode(claims))
    assert 899 <= decoded["exp"] - decoded["iat"] <= 901
    assert second["expires_in"] == 900
    assert decoded["sub"] == second["user"]["id"]
    assert decoded["jti"]


def test_the_profile_is_the_callers(shop: Backend) -> None:
    profile = shop.api("GET", "/auth/me").json()["data"]
    assert (profile["email"], profile["role"]) == ("operator@veza.test", "user")
    assert profile["last_login"] >= profile["created_at"]
    assert "avatar_url" not in profile


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("operator@veza.test", "wrong"),
        ("nobody@veza.test", "correct horse battery staple"),
        ("\x00@veza.test", "\x00"),
        ("operator@veza.test", "correct horse battery staple "),
    ],
)
def test_wrong_credentials_are_refused_alike(shop: Backend, email: str, password: str) -> None:
    answer = shop.api("POST", "/auth/login", json={"email": email, "password": password})
    assert (answer.status_code, answer.json()) == (401, {"success": False, "error": "Invalid credentials"})


def test_a_lone_surrogate_is_a_wrong_password(shop: Backend) -> None:
    body = b'{"email": "\\ud800@veza.test", "password": "\\ud800"}'
    answer = shop.api("POST", "/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


def test_the_account_is_that_of_the_environment(run: Callable[..., Child]) -> None:
    env = {**os.environ, "OPERATOR_EMAIL": "Somebody@Example.test", "OPERATOR_PASSWORD": "pass phrase"}
    shop = run(env=env)
    assert shop.login(" somebody@example.test ", "pass phrase")["user"]["email"] == "somebody@example.test"
    answer = shop.api(
        "POST", "/auth/login", json={"email": "operator@veza.test", "password": "correct horse battery staple"}
    )
    assert answer.status_code == 401


def test_a_used_refresh_token_ends_the_login(shop: Backend) -> None:
    first = shop.login()["refresh_token"]
    status, renewed = refresh(shop, first)
    assert (status, renewed["token_type"]) == (200, "Bearer")
    shop.http.headers["Authorization"] = f"Bearer {renewed['access_token']}"
    assert shop.api("GET", "/auth/me").status_code == 200
    assert refresh(shop, first)[0] == 401
    assert refresh(shop, renewed["refresh_token"])[0] == 401


def test_another_login_ends_the_refresh_tokens_before_it(shop: Backend) -> None:
    first, second = shop.login(), shop.login()
    assert refresh(shop, first["refresh_token"])[0] == 401
    assert refresh(shop, second["refresh_token"])[0] == 200


def test_refresh_tokens_end_after_thirty_days(shop: Backend) -> None:
    token = shop.login()["refresh_token"]
    shop.settle(30 * 24 * 3600)
    assert refresh(shop, token)[0] == 401


@pytest.mark.parametrize("every", [False, True])
def test_logout_ends_the_login(shop: Backend, every: bool) -> None:
    token = shop.login()["refresh_token"]
    body = {"refresh_token": "another" if every else token, "all_devices": every}
    answer = shop.api("POST", "/auth/logout", json=body)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "Logged out"})
    assert refresh(shop, token)[0] == 401


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic eDp5", "Bearer a.b.c", "Bearer ü"])
def test_other_credentials_are_refused(shop: Backend, header: str | None) -> None:
    del shop.http.headers["Authorization"]
    headers = [] if header is None else [(b"Authorization", header.encode())]
    answer = shop.api("GET", "/auth/me", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTH_TOKEN_INVALID")


def test_a_token_that_was_changed_or_unsigned_is_refused(shop: Backend) -> None:
    token = shop.login()["access_token"]
    header, claims, signature = token.split(".")
    nobody = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for forged in (f"{header}.{claims}.{signature[:-4]}AAAA", f"{nobody}.{claims}.", f"{header}.{claims}."):
        answer = shop.api("GET", "/auth/me", headers={"Authorization": f"Bearer {forged}"})
        assert answer.json()["error"]["code"] == "AUTH_TOKEN_INVALID"


def test_credentials_come_before_the_form(shop: Backend) -> None:
    del shop.http.headers["Authorization"]
    assert shop.api("POST", "/orders", content=b"{").status_code == 401
    assert shop.api("GET", "/orders?page=x").status_code == 401
