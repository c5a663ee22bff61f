"""`gatescope doctor`: what this machine lacks, and what to do. Asks nobody beyond this machine."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config import Config, ProviderConfig
from app.config_file import load, parse
from app.errors import AppError, InputError
from app.paths import Paths
from app.secrets import SecretRef, keyring_problem, resolve
from app.store.health import look
from app.store.migrations import SCHEMA
from app.version import VERSION
from gateway.control import find_running, health_of
from gateway.exits import StartError
from gateway.folder import prepare_folder
from gateway.local_servers import find_local


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    said: str
    advice: str = ""
    is_fault: bool = False
    """Gatescope cannot do its work like this."""

    @property
    def mark(self) -> str:
        """How it is, in four letters."""
        return "FAIL" if self.is_fault else "note" if self.advice else "ok  "


def examine(paths: Paths, config_path: Path | None, host: str | None, port: int | None) -> Iterator[Finding]:
    """Yield a finding for everything there is to look at."""
    yield Finding("version", f"gatescope {VERSION}, schema {SCHEMA}")
    yield _folder(paths)
    yield _database(paths)
    config, finding = _config(config_path or paths.config, config_path is not None)
    yield finding
    config = config or parse("")
    yield _gateway(paths, host or config.server.host, config.server.port if port is None else port)
    yield _keyring()
    yield from _providers(config)
    yield from _local_servers(config)


def _folder(paths: Paths) -> Finding:
    existed = paths.data.exists()
    try:
        prepare_folder(paths)
    except StartError as error:
        return Finding("data folder", error.message, error.hint, is_fault=True)
    return Finding("data folder", f"{paths.data}{'' if existed else ' (made now)'}, can be written")


def _database(paths: Paths) -> Finding:
    if not paths.database.exists():
        return Finding("database", "none yet; it begins with the first start of the gateway")
    size_mb = paths.database.stat().st_size / 1e6
    try:
        found = look(paths.data)
    except AppError as error:
        return Finding("database", error.message, error.hint, is_fault=True)
    state = "" if found == SCHEMA else "; it will be brought to the newest schema at the next start"
    return Finding("database", f"{paths.database}, schema {found}, {size_mb:.1f} MB{state}")


def _config(path: Path, is_named: bool) -> tuple[Config | None, Finding]:
    if not path.exists() and not is_named:
        return parse(""), Finding("config", f"none at {path}; the defaults hold")
    try:
        config = load(path)
    except InputError as error:
        return None, Finding("config", error.message, error.hint or "Correct the file; nothing else is needed.", True)
    return config, Finding("config", f"{path}, {len(config.models)} aliases, {len(config.prices)} own prices")


def _gateway(paths: Paths, host: str, port: int) -> Finding:
    running = find_running(paths)
    if running is not None:
        return Finding("gateway", f"runs at {running.base_url} (process {running.pid})")
    if port == 0 or _is_free(host, port):
        return Finding("gateway", f"not running; port {port} is free" if port else "not running; any free port will do")
    said = health_of(host, port)
    if said is not None:
        holder = f"another Gatescope gateway (process {said.get('pid')})"
        return Finding("gateway", f"port {port} is taken by {holder}", "Use that one, or choose another --port.", True)
    return Finding("gateway", f"port {port} is taken by another program", "Choose another with --port.", True)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _keyring() -> Finding:
    problem = keyring_problem()
    if problem is None:
        return Finding("keyring", "keeps secrets")
    return Finding("keyring", problem, "Keep providers' keys in environment variables, or set up a keyring.")


def _providers(config: Config) -> Iterator[Finding]:
    """Yield what is known of keys: a provider without one is no fault, for clients may bring their own."""
    without = []
    for name, provider in config.providers.items():
        if provider.sends_key_as == "none":
            continue
        place = _key_place(name, provider)
        if place is not None:
            yield Finding(f"provider {name}", f"key from {place}")
        elif provider.api_key is not None:
            advice = f"Set it, or clients must send their own key for {name}."
            yield Finding(f"provider {name}", f"{provider.api_key} holds no key", advice)
        else:
            without.append(name)
    if without:
        yield Finding("other providers", f"no key for {', '.join(without)}; clients' own keys pass through")


def _local_servers(config: Config) -> Iterator[Finding]:
    """Yield the model servers that run on this machine, and what to ask for to use them."""
    for server in find_local(config.providers, config.server.port):
        name, models = server.name, server.models
        use = f"ask for {name}/{models[0]}" if models else "it has no model yet"
        yield Finding(f"server {name}", f"{server.title} at {server.base_url}, {len(models)} models; {use}")


def _key_place(name: str, provider: ProviderConfig) -> str | None:
    if provider.api_key is not None:
        return str(provider.api_key) if resolve(provider.api_key) else None
    for variable in provider.env:
        if os.environ.get(variable):
            return f"env:{variable}"
    return f"keyring:{name}" if resolve(SecretRef("keyring", name)) else None
