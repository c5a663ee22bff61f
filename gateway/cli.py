"""The command line of the gateway: serve, demo, key, doctor."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.errors import AppError, InputError
from app.paths import Paths, default_data_dir
from app.version import VERSION
from gateway.exits import Exit, StartError, exit_of
from gateway.quick_start import lean_imports

_EPILOG: Final = """\
without a command, the desktop opens (with --data, --config or --port if you like).

environment: GATESCOPE_DATA, GATESCOPE_CONFIG, GATESCOPE_HOST, GATESCOPE_PORT set what the options of the same name set;
options win over the environment, the environment over the config file.
"""
_SERVE_EPILOG: Final = """\
The first line on stdout is {"ready": true, "port": N, "schema": N, "pid": N}. It stops, after running calls have ended,
on SIGTERM, on Ctrl+C, or when the pipe on its stdin is closed (a terminal, a file or /dev/null on stdin says nothing).

exit codes: 0 done, 1 failed, 2 wrong command line, 3 config, 4 port taken, 5 data folder, 6 disk full,
7 database of a newer version, 8 database unreadable, 9 data folder in use by another gateway
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except AppError as error:
        print(f"gatescope: {error}", file=sys.stderr)
        return exit_of(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has read enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - or the interpreter complains when it flushes
        return Exit.DONE


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="gatescope",
        description="See, price and control every LLM call, through a gateway on your own machine.",
        epilog=_EPILOG,
        formatter_class=raw,
    )
    parser.add_argument("--version", "-V", action="version", version=f"gatescope {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument("--data", type=Path, metavar="DIR", help="the data folder (default: the system's place)")
    where = argparse.ArgumentParser(add_help=False, parents=[folder])
    where.add_argument(
        "--config", type=Path, metavar="FILE", help="the config (default: gatescope.yaml in the data folder)"
    )
    where.add_argument("--host", help="the address to listen on (default: 127.0.0.1)")
    where.add_argument("--port", type=_port, help="the port to listen on; 0 takes any free one (default: 4141)")

    alone = "run the gateway without a desktop"
    serve = commands.add_parser("serve", parents=[where], help=alone, epilog=_SERVE_EPILOG, formatter_class=raw)
    serve.set_defaults(run=_serve)
    demo = commands.add_parser("demo", parents=[folder], help="send a demo agent's calls through the running gateway")
    demo.set_defaults(run=_demo)
    doctor = commands.add_parser("doctor", parents=[where], help="check this machine, and say what to do")
    doctor.set_defaults(run=_doctor)
    key = commands.add_parser("key", help="make, list and revoke the keys that clients use")
    verbs = key.add_subparsers(title="what to do", metavar="VERB", required=True)
    printed = argparse.ArgumentParser(add_help=False)
    printed.add_argument("--json", action="store_true", help="print JSON")
    create = verbs.add_parser("create", parents=[folder, printed], help="make a key and print it, this once")
    create.add_argument("name", metavar="NAME", help="who or what will use it")
    create.set_defaults(run=_key_create)
    verbs.add_parser("list", parents=[folder, printed], help="list all keys").set_defaults(run=_key_list)
    revoke = verbs.add_parser("revoke", parents=[folder, printed], help="close a key for good")
    revoke.add_argument("key", metavar="KEY", help="its id, name or hint, or the key itself")
    revoke.set_defaults(run=_key_revoke)
    return parser


def _serve(options: argparse.Namespace) -> int:
    with lean_imports():
        from gateway.main import Settings, serve  # the whole gateway: not for `--help`

    try:
        serve(Settings(_paths(options), _config(options), _host(options), _wanted_port(options)))
    except InputError as error:
        raise StartError(error.message, Exit.CONFIG, hint=error.hint) from error
    return Exit.DONE


def _demo(options: argparse.Namespace) -> int:
    from gateway.control import find_running

    paths = _paths(options)
    running = find_running(paths)
    if running is None:
        hint = "Open the desktop, or run `gatescope serve`, and try again."
        raise StartError(f"No gateway runs on {paths.data}.", Exit.FAILED, hint=hint)
    print(f"Sending a demo agent's calls through {running.base_url} …", flush=True)
    done = running.post("demo")
    print(
        f"{done['calls']} calls in {done['seconds']} s, {done['failures']} of them answered with an error on purpose.\n"
        "Look at them in the desktop: `gatescope`, page Traces."
    )
    return Exit.DONE


def _doctor(options: argparse.Namespace) -> int:
    from gateway.doctor import examine

    healthy = True
    for finding in examine(_paths(options), _config(options), _host(options), _wanted_port(options)):
        print(f"{finding.mark}  {finding.subject}: {finding.said}")
        if finding.advice:
            print(f"   → {finding.advice}")
        healthy = healthy and not finding.is_fault
    return Exit.DONE if healthy else Exit.FAILED


def _key_create(options: argparse.Namespace) -> int:
    from gateway.key_desk import key_desk

    with key_desk(_paths(options)) as desk:
        key, text = desk.create(options.name)
    if options.json:
        print(json.dumps({"key": text, "id": key["id"], "name": key["name"]}))
    else:
        print(text)
        print("This is the only time it is shown. Give it to your SDK as its api_key.", file=sys.stderr)
    return Exit.DONE


def _key_list(options: argparse.Namespace) -> int:
    from gateway.key_desk import key_desk

    with key_desk(_paths(options)) as desk:
        keys = desk.listed()
    if options.json:
        print(json.dumps(keys))
        return Exit.DONE
    for key in keys:
        state = "revoked" if key["revoked_ns"] else f"last used {_day(key['last_used_ns'])}"
        print(f"{key['id']:>4}  {key['hint']:<13}  {key['name']:<24}  made {_day(key['created_ns'])}  {state}")
    if not keys:
        print("There are no keys yet. `gatescope key create NAME` makes one.", file=sys.stderr)
    return Exit.DONE


def _key_revoke(options: argparse.Namespace) -> int:
    from gateway.key_desk import key_desk

    with key_desk(_paths(options)) as desk:
        key = desk.revoke(options.key)
    print(json.dumps(key) if options.json else f"The key {key['name']!r} ({key['hint']}) is revoked.")
    return Exit.DONE


def _paths(options: argparse.Namespace) -> Paths:
    return Paths(options.data.expanduser().absolute() if options.data else default_data_dir())


def _config(options: argparse.Namespace) -> Path | None:
    named = options.config or os.environ.get("GATESCOPE_CONFIG")
    return Path(named).expanduser().absolute() if named else None


def _host(options: argparse.Namespace) -> str | None:
    return options.host or os.environ.get("GATESCOPE_HOST") or None


def _wanted_port(options: argparse.Namespace) -> int | None:
    named = os.environ.get("GATESCOPE_PORT")
    if options.port is not None or not named:
        port: int | None = options.port
        return port
    try:
        return _port(named)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise StartError(f"GATESCOPE_PORT is {named!r}, which is no port.", Exit.USAGE) from error


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port (0 to 65535)")
    return port


def _day(at_ns: int | None) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M") if at_ns else "never"


if __name__ == "__main__":
    sys.exit(main())
