"""`docs/translation.md`, made of what the pairs did."""

from collections.abc import Sequence

from translation.pairs import CLIENTS, FEATURES, UPSTREAMS, Outcome

TITLES = {
    "openai_chat": "OpenAI chat",
    "openai_responses": "OpenAI Responses",
    "anthropic": "Anthropic",
    "gemini": "Gemini",
    "bedrock": "Bedrock Converse",
    "cohere": "Cohere",
    "mistral": "Mistral",
    "ollama": "Ollama",
}
HEAD = (
    "# Translation\n\n"
    "What a client keeps of each feature when the model speaks another dialect (columns). Every cell was tried, "
    "streamed and whole, with the vendors' own SDKs through a live gateway; `make pages` writes this page "
    "anew.\n\n"
    "✓ carried · ~ carried with a loss that the gateway names (below) · ✗ refused in words · "
    "– the client's dialect cannot ask for it\n"
)


def table(outcomes: Sequence[Outcome]) -> str:
    """The page."""
    lines = [HEAD]
    for client in CLIENTS:
        lines += _section(client, [outcome for outcome in outcomes if outcome.client == client])
    return "\n".join(lines).rstrip() + "\n"


def _section(client: str, outcomes: list[Outcome]) -> list[str]:
    notes: dict[str, int] = {}
    lines = [f"## A client of {TITLES[client]}", ""]
    lines.append("| | " + " | ".join(TITLES[name] for name in UPSTREAMS) + " |")
    lines.append("|---|" + ":-:|" * len(UPSTREAMS))
    for feature, (title, _) in FEATURES.items():
        cells = []
        for upstream in UPSTREAMS:
            both = [one for one in outcomes if (one.upstream, one.feature) == (upstream, feature)]
            cells.append(_cell(both, notes))
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"{number}. {note}" for note, number in notes.items()]
    return [*lines, ""]


def _cell(both: list[Outcome], notes: dict[str, int]) -> str:
    if any(one.fault for one in both):
        return "fault"
    refusals = [one.refusal for one in both if one.refusal]
    if refusals:
        if refusals[0].startswith("–"):
            return "–"
        return "✗" + _note(_plain(refusals[0]), notes)
    losses = list(dict.fromkeys(loss for one in both for loss in one.losses))
    if not losses:
        return "✓"
    return "~" + "".join(_note(loss, notes) for loss in losses)


def _note(text: str, notes: dict[str, int]) -> str:
    number = notes.setdefault(text, len(notes) + 1)
    return f" [{number}]"


def _plain(refusal: str) -> str:
    """A refusal without what an SDK and the request's number add to it."""
    text = refusal.partition(" (request ")[0]
    return text.partition("'message': '")[2] or text.partition(" - ")[2] or text
