from app.dialects.body_quirks import apply_quirks
from app.dialects.losses import Losses
from app.models.target import Quirks


def bent(quirks, **body):
    """A body after its quirks, and what was told."""
    losses = Losses()
    apply_quirks(body, quirks, losses)
    return body, {loss.field: loss.kind for loss in losses.all()}


def test_fields_are_dropped_renamed_capped_and_lifted():
    quirks = Quirks(drop=("seed", "user"), rename={"k": "top_k"}, cap={"n": 2, "t": 1.0}, floor={"m": 16})
    assert bent(quirks, seed=1, k=2, n=5, t=1.5, m=1) == (
        {"top_k": 2, "n": 2, "t": 1.0, "m": 16},
        {"seed": "dropped", "n": "changed", "t": "changed", "m": "changed"},
    )


def test_what_is_not_there_or_within_its_limits_is_left_alone():
    assert bent(Quirks(drop=("a",), cap={"n": 5, "b": 0}, floor={"n": 1}), n=3, b=True) == ({"n": 3, "b": True}, {})
