from app.dialects.openai_usage import merge, usage_of


def test_cached_audio_and_reasoning_are_read():
    usage = usage_of(
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 8, "cache_write_tokens": 5},
            "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 3},
        },
        "flex",
    )
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (100, 50, 40)
    assert (usage.cache_write_tokens, usage.reasoning_tokens) == (5, 20)
    assert (usage.input_audio_tokens, usage.output_audio_tokens, usage.service_tier) == (8, 3, "flex")
    assert usage.web_searches is None


def test_both_spellings_and_the_copies_are_read():
    assert usage_of({"input_tokens": 3, "output_tokens": 4}).input_tokens == 3
    assert usage_of({"prompt_tokens": 9, "prompt_cache_hit_tokens": 2}).cache_read_tokens == 2
    assert usage_of({"prompt_tokens": 9}).output_tokens is None
    assert usage_of({}) is None
    assert usage_of("none") is None


def test_reasoning_beside_the_completion_is_added_only_where_the_total_says_so():
    beside = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 22, "reasoning_tokens": 7}
    assert usage_of(beside).output_tokens == 12
    assert usage_of(beside | {"total_tokens": 15}).output_tokens == 5
    assert usage_of(beside | {"total_tokens": 15}).reasoning_tokens == 5


def test_a_cache_larger_than_the_prompt_was_left_out_of_it():
    usage = usage_of({"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 163}})
    assert (usage.input_tokens, usage.cache_read_tokens) == (170, 163)


def test_tokens_told_as_read_and_as_written_count_as_read():
    usage = usage_of(
        {"prompt_tokens": 2168, "prompt_tokens_details": {"cached_tokens": 2161, "cache_write_tokens": 2161}}
    )
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (2161, None)


def test_stated_costs_become_nano_dollars():
    assert usage_of({"prompt_tokens": 1, "cost": 0.00001235}).stated_cost_nusd == 12350
    assert usage_of({"prompt_tokens": 1, "cost": {"total_cost": 0.006}}).stated_cost_nusd == 6_000_000
    assert usage_of({"prompt_tokens": 1, "cost": {"total_cost": 1, "currency": "EUR"}}).stated_cost_nusd is None
    assert usage_of({"prompt_tokens": 1, "cost_in_usd_ticks": 37756000}).stated_cost_nusd == 3_775_600
    assert usage_of({"prompt_tokens": 1}).stated_cost_nusd is None


def test_usage_of_a_stream_is_merged_field_by_field():
    merged = merge(
        {"a": 3, "details": {"x": 1, "y": 2}, "tier": "flex"}, {"a": 0, "details": {"x": 5, "y": None}, "n": 1}
    )
    assert merged == {"a": 3, "details": {"x": 5, "y": 2}, "tier": "flex", "n": 1}
    assert merge(None, None) is None
