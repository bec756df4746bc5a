"""Every rule that a script's head promises: it holds, and the test of it fails when the rule is taken out."""

# ruff: noqa: E501  a table reads in lines
from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import redis

from tests.property.ledger import scenarios as s
from triggers.base.errors import TriggersError
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, open_ledger, store

Scenario = Callable[[Ledger], None]
OWNS = "if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end"

#: script, what is taken out of it, what stands there instead, and the scenario that notices
MUTATIONS: list[tuple[str, str, str, Scenario]] = [
    ("prelude", "run ~= ARGV[1]", "false", s.scripts_refuse_another_run),
    ("prelude", "current(token) and redis.call('HGET'", "redis.call('HGET'", s.tokens_end_with_their_run),
    ("prelude", "current(token) and redis.call('GET'", "redis.call('GET'", s.leases_end_with_their_run),
    ("prelude", "'%d-%s-%s', redis.call('INCR', fence), nonce,", "'%d-%s', redis.call('INCR', fence),", s.tokens_are_never_given_twice),
    ("poll_begin", "if is_held(KEYS[1]) then return false end", "", s.one_poller_at_a_time),
    ("poll_begin", "if due > now + math.max(pace, tonumber(ARGV[7] or ARGV[4])) + slack then due = now end", "", s.a_poll_is_due_within_its_pace),
    ("clock", "if now < last then", "if false then", s.time_goes_on_where_the_clock_is_set_back),
    ("clock", "ahead = math.max(0, ahead - math.floor((now - last) / 16))", "ahead = 0", s.the_clock_falls_back_without_going_back),
    ("clock", "/ 16))", "* 0))", s.the_clock_falls_back_without_going_back),
    ("prelude", "known ~= token or tonumber(till) > now_ms()", "true", s.a_lease_runs_out_where_the_clock_is_set_back),
    ("prelude", "known ~= token or", "", s.a_lease_of_an_earlier_release_is_held),
    ("poll_stretch", "if not leads(KEYS[1], ARGV[2])", "if false", s.a_frozen_poller_delays_no_poll),
    ("poll_begin", "now < due - slack", "false", s.polls_keep_their_pace),
    ("poll_commit", "if not leads(KEYS[1], ARGV[2])", "if false", s.a_frozen_poller_stores_nothing),
    ("poll_commit", "redis.call('RPUSH', batch[1], batch[3])", "", s.cursor_and_events_go_together),
    ("poll_commit", "redis.call('ZADD', KEYS[4], 'NX', now, batch[2])", "", s.cursor_and_events_go_together),
    ("poll_commit", "if not seen_so(page.assumed.fresh, false) or", "if", s.what_another_poll_has_seen_is_not_stored_as_fresh),
    ("poll_commit", "or not seen_so(page.assumed.known, true)", "", s.what_was_forgotten_does_not_pass_for_seen),
    ("poll_commit", "and tonumber(score) == tonumber(changes[i + 1]) or false", "and true or false", s.a_later_change_of_what_was_seen_is_fresh),
    ("poll_commit", "~= page.assumed.version then return -1 end", "~= page.assumed.version then end", s.a_page_is_not_judged_by_triggers_of_before),
    ("lease_acquire", "if is_held(KEYS[1]) then return false end", "", s.a_held_lease_is_not_given),
    ("lease_release", "if not leads(KEYS[1], ARGV[2])", "if false", s.a_lost_lease_is_not_released),
    ("lease_renew", "if not leads(KEYS[1], ARGV[3])", "if false", s.a_lost_lease_is_not_renewed),
    ("match_commit", "if not leads(KEYS[1], ARGV[2])", "if false", s.a_frozen_matcher_commits_nothing),
    ("match_commit", "if not head or string.sub(head, 1, #ARGV[3]) ~= ARGV[3]", "if false", s.a_batch_is_matched_once),
    ("match_commit", "~= c[3] then return -1 end", "~= c[3] then break end", s.a_skip_in_between_is_seen),
    ("match_commit", "if not state or state == 'skipped' then", "if true then", s.a_key_is_granted_once),
    ("match_commit", "or state == 'skipped' then", "then", s.a_skipped_key_is_granted_again),
    ("match_commit", "redis.call('LPOP', KEYS[2])", "", s.grants_and_batch_go_together),
    ("claim", "redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), key)", "redis.call('ZADD', KEYS[1], now, key)", s.one_owner_of_a_firing),
    ("claim", "redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), key)", "", s.one_owner_of_a_firing),
    ("claim", "redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), key)", "redis.call('ZREM', KEYS[1], key)", s.a_dead_owner_is_succeeded),
    ("claim", "attempts and (attempts .. ' ' .. token) or token", "token", s.a_dead_owner_is_noticed),
    ("claim", "then return answer end -- before", "then end -- before", s.a_long_backlog_takes_turns_from_the_first_on),
    ("claim_held", "then return answer end", "then end", s.a_long_backlog_at_a_receiver_takes_turns_from_the_first_on),
    ("lines", "string.sub(key .. '        ', 1, 8)", "string.rep('0', 8)", s.a_flood_of_one_trigger_lets_others_in),
    ("lines", "string.sub(key .. '        ', 1, 8)", "string.rep('0', 8)", s.a_flood_at_a_receiver_lets_others_in),
    ("lines", "trigger, taken, any = its, taken + 1, true", "taken, any = taken + 1, true", s.a_flood_of_one_trigger_lets_others_in),
    ("lines", "if trigger ~= began and trigger ~= '' then redis.call('SET', served, trigger) end", "", s.triggers_take_turns_from_claim_to_claim),
    ("lines", "'%015d%015d', score, sequence)", "'%015d%015d', score, 0)", s.firings_of_a_trigger_keep_the_order_of_their_grant),
    ("lines", "'%015d%015d', score, sequence)", "'%015d%015d', 0, sequence)", s.what_is_due_again_stands_behind_what_was_due_before),
    ("lines", "tonumber(redis.call('ZSCORE', list, key) or '') == score and", "redis.call('ZSCORE', list, key) and", s.a_firing_that_was_moved_is_taken_once),
    ("lines", "tonumber(redis.call('ZSCORE', list, key) or '') == score and", "", s.what_was_skipped_is_not_taken_from_its_line),
    ("lines", "then left[its] = member", "then trigger = its", s.a_firing_of_a_later_release_holds_up_none_behind_it),
    ("lines", "return dropped and taken < limit", "return false", s.many_that_left_their_line_hold_up_nobody),
    ("lines", "redis.call('ZINCRBY', list, LINED, key)", "do end", s.lines_that_were_lost_are_made_anew),
    ("lines", "#sequence <= 15 and string.match(sequence, '^%d+$') or 0", "sequence", s.a_firing_whose_number_is_damaged_is_taken),
    ("lines", "math.floor(tonumber(found[i + 1]))", "tonumber(found[i + 1])", s.a_firing_whose_time_is_damaged_is_taken),
    ("renew", "if owns(ARGV[3] .. ARGV[i], ARGV[i + 1]) then", "if true then", s.a_lost_firing_is_not_renewed),
    ("renew", "'XX', ", "", s.an_ended_firing_is_not_renewed_into_the_list),
    *[(step, OWNS, "", s.overtaken_owner(step)) for step in ("begin", "record", "withdraw", "clear", "finish", "put_back", "hold", "raise_mark")],
    ("begin", "return {'busy', holder}", "", s.a_slot_has_one_holder),
    ("begin", "holder ~= ARGV[5] and", "not string.find(holder, ' .') and", s.only_the_holder_looked_at_is_replaced),
    ("begin", "and string.match(holder, '^%S*') ~= ARGV[3] and holds", "and holds", s.a_retry_keeps_its_slot),
    ("pace", "or redis.call('HEXISTS', firing, 'paced') == 1", "", s.pace_is_counted_once_a_firing),
    ("pace", ">= limit then", ">= limit + 1 then", s.pace_is_counted_once_a_firing),
    ("claim", "local begun = not attempts and", "local begun =", s.only_a_first_attempt_begins_with_its_claim),
    ("claim", "if known and known.version ~= answer[1] then known = false end", "", s.nothing_begins_by_a_registry_of_before),
    ("claim", "and within_pace(firing, ledger .. 'pace:' .. f[1], its, now)", "", s.what_begins_with_its_claim_is_counted),
    ("claim", "begins(firing, key)\n", "true\n", s.triggers_that_are_not_named_begin_nothing_with_a_claim),
    ("claim", "and not f[2]", "", s.what_has_parts_does_not_begin_with_its_claim),
    ("claim", "and not is_part(key)", "", s.a_part_does_not_begin_with_its_claim),
    ("record", "HSETNX", "HSET", s.the_first_record_stays),
    ("withdraw", "~= ARGV[3] then return", "== '' then return", s.only_what_is_recorded_is_withdrawn),
    ("withdraw", "if redis.call('HGET', KEYS[1], 'withdrawing') ~= ARGV[3] then", "if true then", s.a_withdrawal_keeps_its_first_time),
    ("clear", "~= ARGV[3] then return", "== '' then return", s.only_what_is_recorded_is_cleared),
    ("clear", "'task', 'withdrawing'", "'task'", s.a_new_record_is_withdrawn_from_its_own_time),
    ("begin", "and holds(holder, ARGV[4], prefix)", "", s.a_holder_that_is_gone_holds_nothing),
    ("begin", "give_back(KEYS[1], KEYS[2])", "", s.another_slot_gives_back_the_one_before),
    ("hold", "give_back(KEYS[1], KEYS[7])", "", s.what_waits_on_purpose_gives_back_its_slot),
    ("drop", "give_back(firing, KEYS[4])", "", s.a_drop_gives_back_its_slot),
    ("skip_waiting", "give_back(firing, KEYS[5])", "", s.skipping_what_waits_gives_back_its_slot),
    ("prelude", "and f[4] ~= 'skipped' then", "then", s.a_skip_gives_back_its_slot),
    ("prelude", "redis.call('HSET', slots, f[1], f[2] .. ' ' .. f[3])", "do end", s.a_launch_binds_its_slot),
    ("prelude", "elseif task == '' then", "else", s.a_slot_of_what_was_found_running_is_kept),
    ("prelude", "if holder == f[2] then", "if holder then", s.another_firings_slot_is_left_alone),
    ("prelude", "if holder == f[2] then", "if holder then", s.another_firings_slot_is_not_freed_by_a_death),
    ("finish", "give_back(KEYS[1], KEYS[3])", "", s.a_death_frees_its_slot),
    ("finish", "if state == 'skipped' then release_key(KEYS[4], ARGV[8]) end", "", s.a_skip_releases_its_key),
    ("finish", "if state == 'skipped' then release_key", "if true then release_key", s.a_launch_and_a_death_keep_their_key),
    ("finish", "redis.call('ZREM', KEYS[2], key)", "", s.an_ended_firing_is_not_due),
    ("finish", "'lease', 'withdrawing'", "'withdrawing'", s.an_ended_firing_is_not_due),
    ("finish", "if state == 'dead' then redis.call('ZADD', KEYS[8], now, key)\nelse", "do", s.a_dead_letter_is_kept_for_good),
    ("put_back", "give_back(KEYS[1], KEYS[4])", "", s.a_long_pause_frees_its_slot),
    ("prelude", "if holder == f[2] then", "if holder then", s.a_pause_leaves_another_firings_slot),
    ("prelude", "(f[3] and (f[4] == 'waiting' or f[4] == 'held'))", "false", s.a_recorded_draft_keeps_its_slot),
    ("put_back", "redis.call('HDEL', KEYS[1], 'lease')", "", s.a_pause_ends_the_attempt),
    ("put_back", "if ARGV[7] == '1' then", "if true then", s.a_touched_attempt_is_remembered_and_an_untouched_one_is_not),
    ("put_back", "if ARGV[7] == '1' then", "if false then", s.a_touched_attempt_is_remembered_and_an_untouched_one_is_not),
    ("hold", "redis.call('ZREM', KEYS[2], ARGV[3])", "", s.a_held_firing_is_on_one_list),
    ("hold", "redis.call('HDEL', KEYS[1], 'lease')", "", s.a_held_firing_is_on_one_list),
    ("hold", "redis.call('HGET', KEYS[1], 'sequence')", "now_ms()", s.holds_are_released_in_order_of_their_grant),
    ("hold", "if ARGV[7] == '1' then", "if false then", s.only_the_latest_waits),
    ("hold", "or its >= changed or changed - its > 60000", "or true", s.the_latest_of_two_changes_waits),
    ("hold", "or changed - its > 60000", "", s.the_latest_grant_waits_where_the_clock_was_set_back),
    ("hold", "release_key(KEYS[6], redis.call('HGET', older, 'object'))", "", s.only_the_latest_waits),
    ("release", "redis.call('ZADD', ARGV[5] .. lane, now, key)", "", s.a_held_firing_is_on_one_list),
    ("release", "redis.call('ZREM', KEYS[1], key)", "", s.a_held_firing_is_on_one_list),
    ("release", "if redis.call('EXISTS', KEYS[1]) == 0 then", "if false then", s.a_held_firing_is_on_one_list),
    ("raise_mark", "or tonumber(count) >= tonumber(ARGV[4])", "", s.a_mark_is_only_raised),
    ("raise_mark", "ARGV[4] .. rest", "ARGV[4] .. ':0:0:0'", s.a_mark_is_only_raised),
    ("unread_note", "math.min(tonumber(ARGV[2]), tonumber(known or ARGV[2]))", "tonumber(ARGV[2])", s.the_earliest_time_of_a_note_is_kept),
    ("unread_done", "== ARGV[i + 1] then", "then", s.a_note_renewed_meanwhile_is_not_forgotten),
    ("quarantine", "if not leads(KEYS[1], ARGV[2])", "if false", s.a_frozen_matcher_takes_nothing_away),
    ("quarantine", "~= ARGV[3] then return", "== '' then return", s.only_the_batch_that_was_looked_at_is_taken_away),
    ("quarantine", "redis.call('LPUSH', KEYS[4], ARGV[5])", "", s.what_is_taken_away_is_kept_for_people),
    ("quarantine", "then redis.call('ZREM', KEYS[3], ARGV[4])", "then redis.call('PING')", s.what_is_taken_away_is_kept_for_people),
    ("registry_write", "~= ARGV[2] then return -1 end", "== '' then return -1 end", s.writers_see_each_other),
    ("registry_swap", "~= ARGV[2] or", "== '' or", s.writers_of_parts_see_each_other),
    ("registry_swap", "or redis.call('HLEN', KEYS[3]) ~= tonumber(ARGV[4])", "", s.a_registry_with_a_lost_part_is_not_used),
    ("registry_swap", "redis.call('PERSIST', KEYS[1])", "", s.a_registry_in_use_does_not_expire),
    ("forget_ended", "redis.call('PTTL', firing) > 0 and", "", s.only_what_has_ended_is_forgotten),
    ("forget_ended", "and redis.call('HEXISTS', firing, 'parts') == 0", "", s.what_has_parts_to_grant_is_not_forgotten),
    ("forget_marks", "redis.call('HGET', KEYS[1], object) == mark and", "", s.a_mark_that_changed_is_not_forgotten),
    ("forget_marks", "and redis.call('EXISTS', ARGV[4] .. ARGV[i + 2]) == 0", "", s.a_mark_whose_firing_is_known_is_not_forgotten),
    ("forget_marks", "if gone > 0 then redis.call('HSET'", "if false then redis.call('HSET'", s.matchers_know_that_marks_were_forgotten),
    ("forget_marks", "math.max(most, tonumber(occurrence))", "tonumber(occurrence)", s.matchers_know_that_marks_were_forgotten),
    ("forget_marks", "if holds == '1' then active = '1' end", "", s.matchers_know_that_marks_were_forgotten),
    ("forget_marks", "if ARGV[3] == '1' then", "if true then", s.objects_that_are_gone_are_not_looked_up),
    ("forget_marks", "redis.call('SREM', ARGV[5] .. object, ARGV[2])", "", s.a_forgotten_mark_is_not_waited_for),
    ("registry_stage", "redis.call('PEXPIRE', KEYS[1], ARGV[2])", "", s.parts_of_a_dead_writer_are_forgotten),
    ("prelude", " .. '.' .. (redis.call('HGET', epoch, 'nonce') or '')", " .. string.match(ARGV[1], '%..*$')", s.scripts_refuse_emptied_data),
    ("prelude", "or seen) < seen then", "or seen) < 0 then", s.scripts_refuse_older_data_of_the_same_epoch),
    ("epoch_adopt", "or went_back then", "then", s.an_epoch_begins_with_older_data_of_the_same_epoch),
    ("epoch_adopt", "and ARGV[5] == run .. '.' .. (known[2] or '')", "", s.what_was_seen_before_says_nothing_of_a_new_epoch),
    ("epoch_adopt", "or not known[2]", "", s.an_epoch_begins_with_emptied_data),
    ("epoch_adopt", "or number < floor", "", s.an_epoch_begins_with_restored_data),
    ("epoch_adopt", "math.max(number, floor) + 1", "number + 1", s.an_epoch_begins_with_restored_data),
    ("epoch_adopt", "redis.call('HDEL', KEYS[1], 'server_ms', 'first_polled_ms')", "", s.an_epoch_begins_with_another_run),
    ("epoch_adopt", "math.max(number, floor) + 1", "math.max(1, floor)", s.an_epoch_begins_with_another_run),
    ("epoch_adopt", "'began_ms', string", "'other', string", s.an_epoch_begins_with_another_run),
    ("begin", "grant_parts(KEYS[1], ARGV[3], {begin = true}, '')", "", s.a_firing_that_begins_grants_its_parts),
    ("begin", "if ARGV[4] ~= '' then\n  local holder", "grant_parts(KEYS[1], ARGV[3], {begin = true}, '')\nif ARGV[4] ~= '' then\n  local holder", s.a_held_firing_grants_no_part),
    ("prelude", "elseif redis.call('EXISTS', prefix .. part.key) == 0 then", "else", s.a_part_of_a_key_that_is_granted_again_is_not),
    ("prelude", "left[#left + 1] = part", "do end", s.a_launch_grants_what_waited_for_it),
    ("prelude", "if #left == 0 then redis.call('HDEL', firing, 'parts') else redis.call('HSET', firing, 'parts', cjson.encode(left)) end", "", s.a_firing_that_has_granted_all_names_none),
    ("prelude", "if launched ~= '' then", "if false then", s.a_launch_grants_what_waited_for_it),
    ("prelude", "pcall(cjson.decode, text)", "true, cjson.decode(text)", s.damaged_parts_stop_nothing),
    ("finish", "{begin = true, launched = task ~= ''}", "{begin = true}", s.a_launch_grants_what_waited_for_it),
    ("finish", "{begin = true, launched = task ~= ''}", "{launched = task ~= ''}", s.a_launch_that_was_found_grants_all),
    ("finish", "grant_parts(KEYS[1], key, {begin = true}, '')", "", s.a_dead_letter_grants_what_does_not_need_the_launch),
    ("finish", "string.match(key, '^[^-]*')", "key", s.a_dead_part_grants_what_is_for_failures_once),
    ("finish", "if not part then", "if true then", s.a_skipped_part_keeps_the_key_of_its_firing),
    ("finish", "part and state == 'launched' and 'acted' or state", "state", s.parts_count_for_no_launch),
    ("line_up", "if owns(firing, ARGV[i + 1]) then", "if true then", s.a_firing_that_was_lost_does_not_line_up),
    ("line_up", "redis.call('ZREM', KEYS[1], ARGV[i])", "", s.what_lines_up_is_on_one_list),
    ("line_up", "redis.call('HDEL', firing, 'lease')", "", s.what_lines_up_is_held_by_nobody),
    ("claim_held", "redis.call('ZREM', KEYS[1], key)\n  redis.call('ZADD'", "redis.call('ZADD'", s.what_lines_up_is_on_one_list),
    ("claim_held", "redis.call('ZADD', KEYS[3], now + tonumber(ARGV[4]), key)", "", s.what_lines_up_is_on_one_list),
    ("send", "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end", "", s.a_trial_takes_no_firings_place),
    ("edit_announce", "if not owns(KEYS[1], ARGV[2])", "if false", s.a_lost_owner_announces_and_settles_nothing),
    ("edit_announce", "if at > fired and not own then return 0 end", "", s.an_object_that_somebody_has_changed_is_not_announced),
    ("edit_announce", "tonumber(redis.call('ZSCORE', KEYS[5], ARGV[8]) or 0)", "0", s.an_object_that_somebody_has_changed_is_not_announced),
    ("edit_announce", "if not own then from, till = ARGV[5], ARGV[5] end", "from, till = ARGV[5], ARGV[5]", s.own_edits_follow_one_another),
    ("edit_announce", "redis.call('HSET', KEYS[1], 'editing', 1)", "", s.an_edit_is_undecided_until_it_is_settled),
    ("edit_settle", "if not owns(KEYS[1], ARGV[2])", "if false", s.a_lost_owner_announces_and_settles_nothing),
    ("edit_settle", "local as_announced = digest == ARGV[6]", "local as_announced = true", s.an_edit_beside_somebody_elses_fires),
    ("edit_settle", "redis.call('HDEL', KEYS[1], 'editing')", "", s.an_edit_is_undecided_until_it_is_settled),
    ("hint", "if sent and sent <= now and", "if false and", s.one_hint_is_under_way),
    ("hint", "sent <= now and", "", s.a_lost_hint_is_sent_again),
    ("hint", "redis.call('LPUSH', KEYS[2], ARGV[4])", "", s.a_hint_that_is_given_lies_in_its_queue),
    ("hint", "return 2", "return 1", s.a_hint_that_is_given_lies_in_its_queue),
    ("hint", "ARGV[3] == '' or now - sent < tonumber(ARGV[3])", "true", s.a_lost_hint_is_sent_again),
    ("hint_taken", "redis.call('HDEL', KEYS[1], ARGV[2])", "0", s.a_hint_that_was_taken_is_sent_again),
    ("match_take", "if is_held(lease) then return end", "", s.a_partition_has_one_matcher),
    ("match_take", "if take(partition, token) then hold_lease(lease, token, ARGV[3]) end", "take(partition, token)", s.a_partition_has_one_matcher),
    ("match_take", "leads(ARGV[7] .. partition, token) and not take", "not take", s.a_partition_that_was_lost_is_not_read),
    ("match_take", "redis.call('DEL', ARGV[7] .. partition)", "do end", s.an_empty_partition_is_given_back),
    ("match_take", "and not take(partition, token) then", "and (take(partition, token) or true) then", s.a_partition_in_which_more_waits_is_kept),
    ("match_take", "(#undecided == 0 or ARGV[5] ~= '1')", "#undecided == 0", s.undecided_events_alone_are_looked_at_once),
    ("match_take", "if #answer > 2 and events >= tonumber(ARGV[4]) then more = more + 1 return end", "", s.no_more_is_taken_than_is_enough),
    ("epoch_adopt", "'complete', ARGV[1]", "'complete', 1", s.an_empty_redis_is_not_complete),
]  # fmt: skip

RULES = [
    value
    for value in vars(s).values()
    if callable(value)
    and value.__module__.startswith("tests.property.ledger.scenarios_of_")
    and list(inspect.signature(value).parameters) == ["ledger"]
]
SCENARIOS = {rule.__name__: rule for rule in RULES} | {scenario.__name__: scenario for *_, scenario in MUTATIONS}


def fresh_ledger(client: redis.Redis, settings: Settings) -> Ledger:
    """An empty ledger whose scripts are read anew."""
    client.flushall()
    ledger = open_ledger(Store(client), "scheduler-under-test", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    return ledger


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_the_rule_holds(scenario: Scenario, redis_client: redis.Redis, settings: Settings) -> None:
    scenario(fresh_ledger(redis_client, settings))


@pytest.mark.parametrize(
    ("script", "rule", "instead", "scenario"),
    MUTATIONS,
    ids=[f"{script}-{number}-{scenario.__name__}" for number, (script, _, _, scenario) in enumerate(MUTATIONS)],
)
def test_without_the_rule_its_test_fails(
    script: str,
    rule: str,
    instead: str,
    scenario: Scenario,
    redis_client: redis.Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = store._read.__wrapped__
    assert rule in read(script), "the rule is no longer written like this: write the mutation anew"
    monkeypatch.setattr(
        store, "_read", lambda name: read(name).replace(rule, instead) if name == script else read(name)
    )
    with pytest.raises((AssertionError, TriggersError, redis.ResponseError, ValueError)):
        scenario(fresh_ledger(redis_client, settings))
