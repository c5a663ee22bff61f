import subprocess
import sys
from pathlib import Path

from factories import call_record

from app.config import PriceRow
from gateway.meaning import Meaning

ROW = PriceRow(model="gpt-4o-mini", input_per_mtok=1.0, output_per_mtok=1.0)


def test_a_record_is_read_priced_and_placed() -> None:
    prepare = Meaning([ROW]).make_prepare(lambda _hash: None)
    write = prepare(call_record())
    assert write.digest.cost_nusd == 13_000
    assert len(write.placement.trace_id) == 16


def test_new_prices_hold_from_the_next_record_on_and_links_stay() -> None:
    meaning = Meaning([ROW])
    prepare = meaning.make_prepare(lambda _hash: None)
    stitcher = meaning.ready()
    prepare(call_record())
    meaning.reprice([PriceRow(model="gpt-4o-mini", input_per_mtok=2.0, output_per_mtok=2.0)])
    assert prepare(call_record()).digest.cost_nusd == 26_000
    assert meaning.ready() is stitcher


def test_the_gateway_is_ready_before_readers_prices_numbers_and_keyring_are_imported() -> None:
    late = ["app.dialects.registry", "app.pricing.book", "app.store.search", "numpy", "keyring", "genai_prices"]
    code = f"import sys, gateway.main; print([name for name in {late} if name in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
