"""What comes in bad, and where it is proved that it ends in a refusal or in inert data, counted, and costs no good message.

A table for people who look for a hole: for each kind of bad input and each channel the tests that prove it. A name that is no
test fails here. `-`: there is no such thing in that channel, and why.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHANNELS = ("telegram", "vk", "max", "api", "web")
EVERYWHERE = "acceptance/test_hostile_everywhere.py"
FILES = (f"{EVERYWHERE}::test_wicked_files_are_bytes_and_nothing_more",)
KINDS = ("core/test_kinds.py::test_pictures_are_known_by_their_bytes",)
SERVED = ("gateway/test_files.py::test_a_picture_opens_and_all_else_is_a_download",)
MUTATED = "corpus/test_mutations.py::test_whatever_comes_is_read_or_set_aside"

TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "forged secrets": {
        "telegram": (
            "adapters/telegram/test_telegram_webhook.py::test_a_wrong_secret_stores_nothing",
            "adapters/telegram/test_telegram_webhook.py::test_an_unset_secret_lets_nobody_in",
            "acceptance/test_telegram.py::test_strangers_at_the_webhook",
        ),
        "vk": (
            "adapters/vk/test_vk_callback.py::test_strangers_leave_a_number_only",
            "acceptance/test_vk.py::test_strangers_at_the_door",
        ),
        "max": ("adapters/max/test_max_webhook.py::test_strangers",),
        "api": (
            "adapters/api/test_api_door.py::test_a_stranger_leaves_nothing_but_a_number",
            "adapters/api/test_api_door.py::test_an_upload_nobody_signed",
            "adapters/api/test_api_signing.py::test_what_does_not_fit_is_refused",
        ),
        "web": (
            "adapters/web/test_http.py::test_without_the_secret_nothing_opens",
            "gateway/test_files.py::test_forged_and_ended_links_are_closed_and_counted",
        ),
    },
    "foreign accounts": {
        "telegram": ("- an update does not name the bot it is for: the secret does",),
        "vk": (
            "adapters/vk/test_vk_callback.py::test_strangers_leave_a_number_only",
            "adapters/vk/test_vk_callback.py::test_the_confirmation_string_is_for_our_community_only",
        ),
        "max": (
            "adapters/max/test_max_webhook.py::test_updates_of_another_bot",
            "adapters/max/test_max_polling.py::test_the_marker_of_another_bot_is_forgotten",
        ),
        "api": ("adapters/api/test_api_door.py::test_a_file_that_is_not_the_integrators",),
        "web": (
            "adapters/web/test_http.py::test_the_secret_of_one_chat_does_not_open_another",
            "adapters/web/test_files.py::test_files_of_others_do_not_exist",
        ),
    },
    "replays": {
        "telegram": (
            "adapters/telegram/test_telegram_webhook.py::test_a_duplicate_is_taken_once",
            "acceptance/test_telegram.py::test_disturbed_deliveries_change_nothing",
        ),
        "vk": (
            "adapters/vk/test_vk_callback.py::test_a_replay_of_yesterday_is_refused",
            "acceptance/test_vk.py::test_one_event_five_times_slowly_is_one_message",
        ),
        "max": ("adapters/max/test_max_webhook.py::test_what_comes_five_times_is_taken_once",),
        "api": (
            "adapters/api/test_api_door.py::test_an_old_request_is_refused_however_well_signed",
            "adapters/api/test_api_door.py::test_the_answer_counts_and_a_repeat_changes_nothing",
        ),
        "web": ("adapters/web/test_http.py::test_a_repeated_message_is_one_message",),
    },
    "two kinds of file in one": {
        **dict.fromkeys(CHANNELS, FILES),
        "web": (
            *FILES,
            "adapters/web/test_files.py::test_a_picture_that_is_a_zip_too_is_a_picture_and_nothing_more",
            "storage/files/test_thumbnails.py::test_nothing_but_pixels_is_left",
        ),
    },
    "SVG and HTML": {
        **dict.fromkeys(CHANNELS, (*FILES, *SERVED)),
        "web": (
            *FILES,
            "adapters/web/test_files.py::test_files_that_pretend_are_inert_and_counted",
            "adapters/web/test_files.py::test_all_but_real_pictures_are_downloads",
        ),
    },
    "pictures of 100 megapixels": dict.fromkeys(
        CHANNELS,
        (
            *FILES,
            "core/test_kinds.py::test_picture_bombs_are_only_bytes",
            "storage/files/test_thumbnails.py::test_a_hundred_megapixels_are_refused_before_they_are_opened",
        ),
    ),
    "archives that explode": {
        **dict.fromkeys(CHANNELS, FILES),
        "web": (*FILES, "adapters/web/test_files.py::test_a_zip_bomb_is_bytes"),
    },
    "paths and turned text in names of files": {
        "telegram": (
            f"{EVERYWHERE}::test_names_of_files_are_only_names",
            "acceptance/test_hostile.py::test_names_of_files_are_only_names",
        ),
        "vk": (f"{EVERYWHERE}::test_names_of_files_are_only_names", "adapters/vk/test_vk_parse.py::test_files"),
        "max": (f"{EVERYWHERE}::test_names_of_files_are_only_names",),
        "api": (
            f"{EVERYWHERE}::test_names_of_files_are_only_names",
            "adapters/api/test_api_door.py::test_names_of_files_are_only_names",
        ),
        "web": (
            f"{EVERYWHERE}::test_names_of_files_are_only_names",
            "adapters/web/test_files.py::test_names_cannot_leave_their_place",
        ),
    },
    "payloads that VK has cut": {
        "telegram": ("- Telegram sends updates whole",),
        "vk": (
            "adapters/vk/test_vk_polling.py::test_what_vk_has_cut_is_fetched_whole",
            "adapters/vk/test_vk_polling.py::test_what_stays_cut_is_taken_and_said_to_be_so",
            "adapters/vk/test_vk_parse.py::test_a_cut_message_is_known",
        ),
        "max": ("- MAX sends updates whole",),
        "api": ("- the integrator sends events whole, or is refused: `bodies that are too large`",),
        "web": ("- the page sends requests whole, or is refused",),
    },
    "buttons of another conversation": {
        **dict.fromkeys(CHANNELS, (f"{EVERYWHERE}::test_a_button_of_another_conversation_does_nothing",)),
        "vk": (
            f"{EVERYWHERE}::test_a_button_of_another_conversation_does_nothing",
            "acceptance/test_vk.py::test_a_button_of_another_conversation_does_nothing",
        ),
        "api": (
            f"{EVERYWHERE}::test_a_button_of_another_conversation_does_nothing",
            "acceptance/test_api_channel.py::test_a_button_of_another_conversation_does_nothing",
        ),
    },
    "damaged payloads": {
        **dict.fromkeys(CHANNELS, (MUTATED, "corpus/test_corpus.py::test_nothing_captured_is_lost")),
        "telegram": (MUTATED, "acceptance/test_telegram.py::test_what_cannot_be_read_is_set_aside_and_stops_nobody"),
        "vk": (MUTATED, "acceptance/test_vk.py::test_what_cannot_be_read_is_set_aside_and_stops_nobody"),
        "max": (MUTATED, "adapters/max/test_max_polling.py::test_poison_in_a_batch_costs_only_itself"),
        "api": (MUTATED, "adapters/api/test_api_door.py::test_good_events_of_a_batch_are_kept_and_bad_ones_named"),
    },
    "bodies that are too large or compressed": {
        "telegram": (
            "adapters/telegram/test_telegram_webhook.py::test_more_than_a_mebibyte_is_413",
            "adapters/telegram/test_telegram_webhook.py::test_compressed_bodies_are_refused",
        ),
        "vk": ("acceptance/test_vk.py::test_strangers_at_the_door",),
        "max": ("adapters/max/test_max_webhook.py::test_strangers",),
        "api": (
            "adapters/api/test_api_door.py::test_bodies_that_are_too_large",
            "adapters/api/test_api_door.py::test_compressed_bodies_are_not_unpacked",
        ),
        "web": (
            "adapters/web/test_http.py::test_too_much_is_413_however_it_is_sent",
            "adapters/web/test_http.py::test_compressed_requests_are_refused",
        ),
    },
}
NAMED = sorted({name for row in TABLE.values() for names in row.values() for name in names if not name.startswith("-")})


@cache
def proofs_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("name", NAMED)
def test_each_proof_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert test in proofs_in(file)


@pytest.mark.parametrize("bad", TABLE)
def test_each_channel_has_a_proof_or_a_reason(bad: str) -> None:
    assert set(TABLE[bad]) == set(CHANNELS)
    assert all(names for names in TABLE[bad].values())
