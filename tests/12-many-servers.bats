#!/usr/bin/env bats
# Lesson 12: one room on many servers. First what lesson 09 is asked, of one server
# behind a Redis; then what several do together.

load helpers
load threads
load names
load room
load many

setup() {
    many_of 12-many-servers
}

setup_file() {
    begin_redis
    begin_many
    begin_room 12
}

teardown_file() {
    end_early
    end_redis
}

# ---- the server -------------------------------------------------------------

@test "12 server: -h and --help show the usage" {
    server_shows_help
}

@test "12 server: wrong arguments are refused with the usage, exit 2" {
    read_about "The command line"
    refuses "$PLAIN" "$USAGE" abc -1 65536 99999999999999999999 80x "''" 0x50 +5 "' 5'" \
        %s%n -x --port "0 -x" "0 127.0.0.1 127.0.0.1 redis" "0 127.0.0.1 127.0.0.1 0" \
        "0 127.0.0.1 127.0.0.1 65536" "0 127.0.0.1 127.0.0.1 6379 more" || return
    repeats_as_text 2 "$PLAIN" && repeats_as_text 1 "$PLAIN 0 127.0.0.1"
}

@test "12 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "12 server: uses port 9999 by default" {
    server_has_redis_defaults
}

@test "12 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "12 server: every line goes to everyone, the speaker too, and to the log" {
    everybody_gets_every_line
}

@test "12 server: /q, end, an end of stream and a reset all leave" {
    four_ways_to_leave
}

@test "12 server: words close to /q or end are ordinary lines" {
    nearly_words_are_said
}

@test "12 server: % is a character like any other" {
    room_percent_is_text
}

@test "12 server: /q and end leave at the name prompt and are not names" {
    words_are_no_names
}

@test "12 server: good names and bad names" {
    names_good_and_bad
}

@test "12 server: a name is taken once" {
    taken_name
}

@test "12 server: fifty want the same name at once, one gets it" {
    fifty_want_one_name
}

@test "12 server: a name is free again as soon as its owner leaves" {
    name_is_free_again
}

@test "12 server: only text reaches another terminal" {
    room_passes_only_text
}

@test "12 server: lines cut anywhere, and an unterminated last one" {
    room_lines_cut_anywhere
}

@test "12 server: a line too long costs only that connection" {
    room_line_too_long
}

@test "12 server: everybody sees the same lines in the same order" {
    one_order_for_all
}

@test "12 server: the log has the lines in the order that everybody saw" {
    log_is_what_was_seen
}

@test "12 server: a client that does not read costs the others no line" {
    deaf_costs_nobody_a_line
}

@test "12 server: a client that does not read is cut off, and the log says so" {
    cut_off_is_logged
}

@test "12 server: a client that reads late is kept" {
    late_is_kept '' '[bob] '
}

@test "12 server: a client that types is not held up by one that floods" {
    typing_is_not_held_up '' '[alice] ' '' ''
}

@test "12 server: a client that stays connected after an error delays no one" {
    nobody_waits_for_who_stays
}

@test "12 server: a flood does not cost a steady reader its place" {
    room_flood_and_steady_reader
}

@test "12 server: a client that vanishes in mid-line has left" {
    gone_in_mid_line
}

@test "12 server: clients that vanish leave nothing behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    vanishing_clients
}

@test "12 server: a thousand join and vanish at once" {
    thousand_join_and_vanish
}

@test "12 server: frees the memory of clients that are gone" {
    clients_are_freed
}

@test "12 server: frees the queues of clients it cuts off" {
    room_queues_are_freed
}

@test "12 server: works with descriptors above 1024" {
    room_many_descriptors
}

@test "12 server: refuses when descriptors run out, and recovers" {
    named_full_server_refuses
}

@test "12 server: does not spin when clients are gone" {
    early named_does_not_spin
}

@test "12 server: keeps serving when nobody reads its log" {
    nobody_reads_the_log '' ''
}

@test "12 server: many short lines and then a long one, sent in one piece" {
    many_short_and_a_long
}

@test "12 server: no memory error, says AddressSanitizer" {
    room_no_memory_error
}

@test "12 server: SIGINT and SIGTERM: it says so to everyone and exits 0" {
    ends_by_a_signal
}

@test "12 server: SIGTERM with full queues" {
    ends_with_full_queues
}

@test "12 server: SIGTERM with many clients that do not read" {
    early many_who_do_not_read
}

@test "12 server: a thousand clients in less than 64 KiB each" {
    room_thousand_clients
}

# ---- several servers --------------------------------------------------------

@test "12 server: one room on two servers" {
    one_room_on_two_servers
}

@test "12 server: fifty want one name at two servers, one gets it" {
    fifty_at_two_servers
}

@test "12 server: one order on three servers" {
    one_order_on_three_servers
}

@test "12 server: a flood at another server does not cost a steady reader its place" {
    flood_at_another_server
}

@test "12 server: one that starts knows who is here" {
    who_is_here_at_once
}

@test "12 server: one that ends says so for its people" {
    ends_for_its_people
}

@test "12 server: one that is killed is missed within 10 s" {
    early killed_is_missed
}

@test "12 server: one that is stopped for 5 s goes on" {
    early stopped_for_5_s
}

@test "12 server: one that is stopped for 15 s comes back" {
    early stopped_for_15_s
}

@test "12 server: the Redis is gone, and back" {
    redis_gone_and_back
}

@test "12 server: the Redis is restarted while many talk" {
    redis_restarted_in_a_blast
}

@test "12 server: a line on its way when the Redis dies is said once" {
    said_once
}

@test "12 server: reads on after a break where it was" {
    reads_on_after_a_break
}

@test "12 server: a Redis that does not answer is given up" {
    early no_answer
}

@test "12 server: no Redis at the start is one line, exit 1" {
    no_redis_at_the_start
}

@test "12 server: strange entries are passed over" {
    early strange_entries
}

@test "12 server: strange answers are one line, exit 1" {
    strange_answers
}

@test "12 server: strange answers after a break are given up" {
    strange_answers_after_a_break
}

@test "12 server: rooms are apart" {
    rooms_are_apart
}

@test "12 server: the stream is trimmed" {
    stream_is_trimmed
}

# ---- the client -------------------------------------------------------------

@test "12 client: -h and --help show the usage" {
    client_shows_help
}

@test "12 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "12 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "12 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "12 client: reports that its output cannot be written" {
    client_reports_lost_output
}

@test "12 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "12 client: prints lines as they come, sends lines as they are typed" {
    room_client_prints_at_once
}

@test "12 client: /q leaves, and so does end" {
    room_client_leaves
}

@test "12 client: every other line is sent as it is" {
    client_takes_every_line
}

@test "12 client: % is a character like any other" {
    client_takes_lines_for_text
}

@test "12 client: sends any bytes, and a last line without ending" {
    client_sends_any_bytes
}

@test "12 client: sends a lot at once" {
    client_sends_much
}

@test "12 client: /q and end count without a line ending too" {
    client_leaves_by_a_last_word /q 'gets /q\n'
    client_leaves_by_a_last_word end 'gets end\n'
}

@test "12 client: takes lines that are pasted into a terminal" {
    client_takes_pasted_lines
}

@test "12 client: the server and the user may be silent for a long time" {
    early client_waits_for_the_silent
}

@test "12 client: gives up on a server that does not close" {
    early client_gives_up /q 'gets /q\n'
}

@test "12 client: a line longer than 8190 bytes is an error" {
    client_limits_lines
}

@test "12 client: shows only text on a terminal" {
    client_shows_only_text
}

@test "12 client: half-closes at the end of its input and shows what arrives after that" {
    room_client_drains_at_end
}

@test "12 client: leaves immediately when the server closes" {
    room_client_leaves_with_server
}

@test "12 client: arriving lines do not tear the line being typed" {
    optional typed_line_is_not_torn
}

@test "12 client: the terminal is restored, however the program ends" {
    terminal_is_restored
}

@test "12 client: Ctrl-Z gives the terminal back, fg takes it again" {
    optional stop_and_fg
}

@test "12 client: Ctrl-Z does not stop it where no shell could continue it" {
    no_stop_for_good
}

@test "12 client: restores the terminal, then dies of the signal" {
    dies_of_the_signal
}

@test "12 client: no memory error, says AddressSanitizer" {
    client_has_no_memory_error
}

@test "12: two clients, over IPv4 and IPv6" {
    room_two_clients
}

@test "12: ncat and telnet can take part" {
    ncat_and_telnet
}

@test "12 server: a client without a name is dropped after 60 s" {
    early naming_limit
}
