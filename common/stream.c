/* stream.c - see stream.h. Taught in lesson 12. */
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"
#include "program.h"
#include "random.h"
#include "text.h"

/*
 * How often to try to connect, and to say that this server is alive; how many
 * entries it may read before it says so, or saves the roster, out of turn; how
 * far a server can be behind; how long an entry can be, about; how much can
 * wait to be written before those who say much wait, and before all do; and how
 * often a saved roster may be too old.
 */
enum {
    AGAIN_MS = 1000,
    ALIVE_MS = 1000,
    MANY_ENTRIES = 2000,
    FAR_BEHIND = 5000,
    ENTRY_ROOM = 8 * 1024,
    PUT_MUCH = 2 * ENTRY_ROOM,
    PUT_LIMIT = QUEUE_LIMIT / 4 * 3,
    END_MS = 2000,
    STALE_LIMIT = 3
};

static struct command scratch; /* a command that goes out at once */

/* ---- two connections ---------------------------------------------------- */

/* Gives up both of them, and says so if that is news. */
static void cut_off(struct stream *s, const char *why)
{
    if (s->is_new)
        die(s->where, why);
    if (!s->was_cut_off)
        log_add_line(s->log, "cut off from %s: %s", s->where, why);
    s->was_cut_off = 1;
    redis_close(&s->reader);
    redis_close(&s->writer);
    s->is_connected = s->is_up = s->is_saving = s->unanswered = 0;
    s->entries_left = s->words_left = 0;
    s->asked = NOTHING;
    s->again = now_ms() + AGAIN_MS;
}

/* The same, because of an answer that is an error or makes no sense. */
static void reject(struct stream *s, const struct reply *answer)
{
    static const char strange[] = "not an answer of a Redis";
    struct bytes error = {strange, sizeof strange - 1};
    char why[200];

    if (answer != NULL)
        reply_error(answer, &error);
    if (error.length >= sizeof why)
        error.length = sizeof why - 1;
    cut_off(s, as_text(why, error.at, error.length));
}

static void connect_both(struct stream *s)
{
    const struct sockaddr *address = (struct sockaddr *)&s->address;

    if (redis_connect(&s->reader, address, s->address_size) == -1 ||
        redis_connect(&s->writer, address, s->address_size) == -1)
        cut_off(s, strerror(errno));
}

static int is_open(const struct redis *r)
{
    return r->out.fd != -1 && !r->is_connecting;
}

/* ---- what is asked of the reader ---------------------------------------- */

static void ask_for_roster(struct stream *s)
{
    command_begin(&scratch);
    command_words(&scratch, "GET");
    command_add(&scratch, s->roster_key, strlen(s->roster_key));
    command_end(&scratch);
    redis_send(&s->reader, &scratch);
    s->asked = FOR_ROSTER;
}

static void save_roster(struct stream *s)
{
    static char text[COMMAND_ROOM - 1024];
    size_t length = roster_save(&s->roster, text, sizeof text - MORE_LIMIT);

    if (s->save != NULL) {
        text[length++] = '\n';
        length += s->save(text + length, MORE_LIMIT - 1);
    }
    command_begin(&scratch);
    command_words(&scratch, "SET");
    command_add(&scratch, s->roster_key, strlen(s->roster_key));
    command_add(&scratch, text, length);
    command_end(&scratch);
    redis_send(&s->reader, &scratch);
    s->is_saving = 1;
    s->saved = now_ms();
    s->saved_entries = s->roster.entries;
    s->stale = 0;
}

static int is_time_to_save(const struct stream *s)
{
    unsigned long long since = s->roster.entries - s->saved_entries;

    return since >= MANY_ENTRIES ||
           (since > 0 && now_ms() - s->saved >= ALIVE_MS);
}

/* Asks for the entries after the last one. If there are none, the Redis waits
 * for one, for a second; but not the first time. Four entries are so little
 * that even a guest that is behind has room for them, see held_write(). */
static void ask_for_entries(struct stream *s)
{
    if (s->is_up && !s->is_new && is_time_to_save(s))
        save_roster(s);
    command_begin(&scratch);
    command_words(&scratch, s->is_up ? "XREAD COUNT 4 BLOCK 1000 STREAMS"
                                     : "XREAD COUNT 4 STREAMS");
    command_add(&scratch, s->key, strlen(s->key));
    command_words(&scratch, s->roster.position);
    command_end(&scratch);
    redis_send(&s->reader, &scratch);
    s->asked = FOR_ENTRIES;
}

static void ask(struct stream *s)
{
    s->asked = NOTHING;
    if (s->has_roster)
        ask_for_entries(s);
    else if (now_ms() >= s->again)
        ask_for_roster(s);
}

/* ---- what is written ---------------------------------------------------- */

static void write_last(struct stream *s)
{
    redis_send(&s->writer, &s->last);
    s->unanswered++;
}

/* The last entry has come back, or never will. */
static void last_is_back(struct stream *s)
{
    queue_remove(&s->put, s->taken);
    s->taken = 0;
    s->is_out = 0;
}

/* Looks at the answers to XADD. An ID before what was read already means that
 * the stream began anew, with a clock that is behind. */
static void hear_writer(struct stream *s)
{
    struct reply answer, rest;
    struct bytes id;
    char text[ENTRY_ID_SIZE];
    int got;

    while ((got = redis_reply(&s->writer, &answer)) == 1) {
        rest = answer;
        if (s->unanswered == 0 || !reply_string(&rest, &id) ||
            id.length >= sizeof text) {
            reject(s, &answer);
            return;
        }
        memcpy(text, id.at, id.length);
        text[id.length] = '\0';
        if (--s->unanswered == 0 && s->is_out &&
            compare_ids(text, s->roster.position) <= 0)
            memcpy(s->roster.position, "0-0", 4);
        redis_next(&s->writer);
    }
    if (got == -1)
        reject(s, NULL);
}

void stream_put(struct stream *s, const char *what, const char *name,
                const char *text, size_t length)
{
    char value[NAME_LIMIT + 1 + LINE_LIMIT];
    size_t size = strlen(name);

    memcpy(value, name, size);
    if (length > 0) {
        value[size] = ' ';
        memcpy(value + size + 1, text, length);
        size += 1 + length;
    }
    command_begin(&scratch);
    command_words(&scratch, what);
    command_add(&scratch, value, size);
    if (queue_add(&s->put, scratch.data + scratch.start,
                  scratch.end - scratch.start) == -1)
        s->must_end = 1;
}

int stream_is_full(const struct stream *s)
{
    return s->is_up && s->put.length >= PUT_LIMIT;
}

int stream_is_lagging(const struct stream *s)
{
    const struct home *home = s->roster.homes;

    while (home != NULL &&
           (home->is_gone ||
            (!home->is_behind && s->roster.entries < home->read + FAR_BEHIND)))
        home = home->next;
    return home != NULL || s->put.length > PUT_MUCH;
}

static int is_gone(const struct stream *s)
{
    const struct home *us = roster_home(&s->roster, s->id);

    return us == NULL || us->is_gone;
}

int stream_is_ending(const struct stream *s)
{
    return s->is_up && !is_gone(s) && now_ms() < s->end;
}

void stream_end(struct stream *s)
{
    s->end = now_ms() + END_MS;
    if (s->is_up)
        stream_put(s, "end", "-", "", 0);
}

/* Completes an entry and writes it. */
static void write_entry(struct stream *s)
{
    command_end(&s->last);
    s->number++;
    s->is_out = 1;
    write_last(s);
}

int stream_compose(struct stream *s)
{
    char text[SERVER_ID_SIZE + 24];

    if (!s->is_up || s->is_out || !s->has_roster || (s->end && is_gone(s)))
        return 0;
    int length = snprintf(text, sizeof text, "%s %llu", s->id, s->number + 1);
    command_begin(&s->last);
    command_words(&s->last, "XADD");
    command_add(&s->last, s->key, strlen(s->key));
    command_words(&s->last, "MAXLEN ~ 10000 * server");
    command_add(&s->last, text, (size_t)length);
    s->head_words = s->last.words;
    if (is_gone(s)) {
        command_words(&s->last, "start -");
    } else if (s->must_end) {
        s->must_end = 0;
        command_words(&s->last, "end -");
        write_entry(s);
        return 0;
    }
    return 1;
}

int stream_join(struct stream *s, const char *name)
{
    if (s->last.end > ENTRY_ROOM)
        return 0;
    command_words(&s->last, "join");
    command_words(&s->last, name);
    return 1;
}

/* Adds what was put, as much as there is room for. */
static void add_put(struct stream *s)
{
    const char *first = s->put.data + s->put.start;
    struct reply rest = {first, first + s->put.length};
    struct bytes word, value;

    while (rest.at < rest.end && s->last.end < ENTRY_ROOM) {
        struct bytes both = {rest.at, 0};
        if (!reply_string(&rest, &word) || !reply_string(&rest, &value))
            return;
        both.length = (size_t)(rest.at - both.at);
        command_copy(&s->last, &both, 2);
        s->taken += both.length;
    }
}

void stream_write(struct stream *s, int with_put)
{
    char text[24];
    unsigned long long since = s->roster.entries - s->alive_entries;

    if (with_put && s->put.length > 0)
        add_put(s);
    if (since >= MANY_ENTRIES || now_ms() - s->alive >= ALIVE_MS ||
        s->is_behind != s->alive_behind) {
        snprintf(text, sizeof text, "%llu", s->roster.entries);
        command_words(&s->last, s->is_behind ? "behind" : "alive");
        command_words(&s->last, text);
        s->alive = now_ms();
        s->alive_entries = s->roster.entries;
        s->alive_behind = s->is_behind;
    }
    if (s->last.words > s->head_words)
        write_entry(s);
}

/* ---- what is read ------------------------------------------------------- */

static int is_string(const struct bytes *string, const char *word)
{
    return is_word(string->at, string->length, word);
}

/* The number that a string is, up to 18 digits. */
static int parse_number(const char *at, size_t length,
                        unsigned long long *number)
{
    char digits[20];

    if (length < 1 || length > 18)
        return 0;
    memcpy(digits, at, length);
    digits[length] = '\0';
    *number = strtoull(digits, NULL, 10);
    return strspn(digits, "0123456789") == length;
}

/* "4f1d2c9a60b7e835 17" */
static int parse_server(const struct bytes *text, char id[SERVER_ID_SIZE],
                        unsigned long long *number)
{
    size_t size = SERVER_ID_SIZE - 1;

    if (text->length < size + 2 || text->at[size] != ' ')
        return 0;
    memcpy(id, text->at, size);
    id[size] = '\0';
    return strspn(id, "0123456789abcdef") == size &&
           parse_number(text->at + size + 1, text->length - size - 1, number);
}

/* Our last entry is back. If we were gone, nothing in it counted. */
static void hear_last(struct stream *s, int counted)
{
    if (!counted)
        s->taken = 0;
    last_is_back(s);
    s->must_again = s->must_again || !counted;
    s->is_new = s->is_new && !counted;
}

/* Entries were missed: one has a number that is too high. The roster has to be
 * loaded. */
static void miss(struct stream *s)
{
    s->has_roster = 0;
    s->entries_left = s->words_left = 0;
    s->again = now_ms() + AGAIN_MS;
    s->stale++;
}

/* Decides whether an entry counts, by the server that wrote it. */
static void hear_server(struct stream *s, const char *id,
                        unsigned long long number, int is_start)
{
    struct home *home = roster_home(&s->roster, id);

    if (home == NULL && is_start && (home = roster_add_home(&s->roster, id)))
        home->number = number - 1;
    if (home == NULL || number <= home->number)
        return;
    if (number > home->number + 1 && s->stale < STALE_LIMIT) {
        miss(s);
        return;
    }
    home->number = number;
    home->last = s->roster.now;
    home->is_gone = home->is_gone && !is_start;
    if (!home->is_gone)
        s->author = home;
    if (strcmp(id, s->id) == 0 && s->is_out && number == s->number)
        hear_last(s, !home->is_gone);
}

/* Takes the next entry, up to its events. Returns 0 if it makes no sense. */
static int take_entry(struct stream *s)
{
    struct bytes word, server;
    char id[SERVER_ID_SIZE];
    unsigned long long number;
    size_t two;

    s->entries_left--;
    s->author = NULL;
    if (!reply_array(&s->answer, &two) || two != 2 ||
        !reply_string(&s->answer, &word) || !roster_read(&s->roster, &word) ||
        !reply_array(&s->answer, &s->words_left) || s->words_left % 2 != 0)
        return 0;
    if (s->words_left < 4)
        return 1; /* not of a server; its words are passed over */
    s->words_left -= 2;
    struct bytes first;
    struct reply ahead;
    if (!reply_string(&s->answer, &word) || !reply_string(&s->answer, &server))
        return 0;
    ahead = s->answer;
    if (!reply_string(&ahead, &first))
        return 0;
    if (is_string(&word, "server") && parse_server(&server, id, &number))
        hear_server(s, id, number, is_string(&first, "start"));
    roster_drop_silent(&s->roster);
    return 1;
}

/* Makes an event of a word and its value. Returns 0 if it is none that counts.
 */
static int make_event(struct stream *s, const struct bytes *word,
                      const struct bytes *value, struct event *event)
{
    int is_say = is_string(word, "say");
    const char *space = is_say ? memchr(value->at, ' ', value->length) : NULL;
    size_t name = space == NULL ? value->length : (size_t)(space - value->at);

    if (!is_name(value->at, name) || (is_say && space == NULL))
        return 0;
    *event = (struct event){.home = s->author};
    event->is_ours = strcmp(s->author->id, s->id) == 0;
    memcpy(event->name, value->at, name);
    if (is_string(word, "join")) {
        event->what = EVENT_JOIN;
        return 1;
    }
    if (is_say)
        event->text = (struct bytes){space + 1, value->length - name - 1};
    event->what = is_say ? EVENT_SAY : EVENT_LEAVE;
    const struct member *m = roster_find(&s->roster, event->name);
    return m != NULL && m->home == s->author &&
           event->text.length <= LINE_LIMIT &&
           (is_say || is_string(word, "leave"));
}

/* Does what a word and its value say. */
static void apply_word(struct stream *s, const struct bytes *word,
                       const struct bytes *value)
{
    struct event event;

    if (s->author == NULL || s->author->is_gone)
        return;
    if (is_string(word, "alive") || is_string(word, "behind")) {
        parse_number(value->at, value->length, &s->author->read);
        s->author->is_behind = is_string(word, "behind");
    } else if (is_string(word, "end")) {
        s->author->is_gone = 1;
    } else if (make_event(s, word, value, &event)) {
        s->apply(&event);
    }
}

/* The people of servers that are gone leave. */
static void apply_gone(struct stream *s)
{
    const struct member *m;

    while ((m = roster_orphan(&s->roster)) != NULL) {
        struct event event = {.what = EVENT_LEAVE, .home = m->home};
        event.is_ours = strcmp(m->home->id, s->id) == 0;
        memcpy(event.name, m->name, sizeof event.name);
        s->apply(&event);
    }
}

/* Takes the roster that some server has saved. If it is older than what was
 * read, it is asked for again; after some time, the one we have must do. */
static int take_roster(struct stream *s, struct bytes *text)
{
    static struct roster saved;

    roster_clear(&saved);
    if (text->length > 0 && !roster_load(&saved, text))
        return 0;
    if (!s->is_new && compare_ids(saved.position, s->roster.position) < 0) {
        s->stale++;
        s->has_roster = s->stale >= STALE_LIMIT;
        s->again = now_ms() + AGAIN_MS;
        return 1;
    }
    roster_clear(&s->roster);
    s->roster = saved;
    saved = (struct roster){.position = "0-0"};
    if (s->load != NULL)
        s->load(text); /* the rest of it */
    s->has_roster = s->must_again = 1;
    const struct home *us = roster_home(&s->roster, s->id);
    if (s->is_out && (us == NULL || us->number >= s->number))
        last_is_back(s);
    return 1;
}

/* Begins with an answer of the reader. Returns 0 if it makes no sense. */
static int begin_answer(struct stream *s)
{
    size_t count, two;
    struct bytes text;

    if (s->asked == FOR_ROSTER)
        return reply_string(&s->answer, &text) && take_roster(s, &text);
    s->entries_left = 0;
    return reply_array(&s->answer, &count) &&
           (count == 0 || (count == 1 && reply_array(&s->answer, &two) &&
                           two == 2 && reply_string(&s->answer, &text) &&
                           reply_array(&s->answer, &s->entries_left)));
}

/* All of an answer has been taken: asks for more. */
static void end_answer(struct stream *s)
{
    redis_next(&s->reader);
    if (s->asked == FOR_ENTRIES && !s->is_up) {
        s->is_up = 1;
        if (s->was_cut_off)
            log_add_line(s->log, "connected to %s again", s->where);
        s->was_cut_off = 0;
    }
    ask(s);
}

/* Applies what is in an answer. Returns 0 if it makes no sense. */
static int apply_answer(struct stream *s)
{
    static const struct event again = {.what = EVENT_AGAIN};
    struct bytes word, value;

    if (!begin_answer(s))
        return 0;
    for (;;) {
        apply_gone(s);
        if (s->must_again)
            s->apply(&again);
        s->must_again = 0;
        if (s->words_left > 0) {
            s->words_left -= 2;
            if (!reply_string(&s->answer, &word) ||
                !reply_string(&s->answer, &value))
                return 0;
            apply_word(s, &word, &value);
        } else if (s->entries_left == 0) {
            return 1;
        } else if (!take_entry(s)) {
            return 0;
        }
    }
}

static void hear_reader(struct stream *s)
{
    struct reply whole;
    int got;

    while ((got = redis_reply(&s->reader, &whole)) == 1) {
        s->answer = whole;
        if (s->is_saving && *whole.at == '+') {
            s->is_saving = 0;
            redis_next(&s->reader);
        } else if (!s->is_saving && s->asked != NOTHING && apply_answer(s)) {
            end_answer(s);
        } else {
            reject(s, &whole);
        }
    }
    if (got == -1)
        reject(s, NULL);
}

/* ---- in every turn of the loop ------------------------------------------ */

static long long earlier(long long a, long long b)
{
    return a < b ? a : b;
}

long long stream_prepare(const struct stream *s, struct pollfd places[2],
                         long long due)
{
    const struct redis *both[] = {&s->reader, &s->writer};

    for (int i = 0; i < 2; i++) {
        int events = redis_events(both[i]);
        if (i == 0 && s->is_paused)
            events &= ~POLLIN;
        places[i] = (struct pollfd){events == 0 ? -1 : both[i]->out.fd,
                                    (short)events, 0};
        if (both[i]->deadline != 0)
            due = earlier(due, both[i]->deadline);
    }
    if (s->reader.out.fd == -1 || (s->is_connected && s->asked == NOTHING))
        due = earlier(due, s->again);
    if (s->is_up && !s->is_out && s->end == 0)
        due = earlier(due, s->alive + ALIVE_MS);
    return s->end == 0 ? due : earlier(due, s->end);
}

void stream_serve(struct stream *s, const struct pollfd places[2])
{
    if (s->reader.out.fd == -1) {
        if (now_ms() >= s->again)
            connect_both(s);
        return;
    }
    const char *why = redis_serve(&s->reader, places[0].revents);
    if (why == NULL)
        why = redis_serve(&s->writer, places[1].revents);
    if (why != NULL) {
        cut_off(s, why);
        return;
    }
    if (!is_open(&s->reader) || !is_open(&s->writer))
        return;
    if (!s->is_connected && s->is_out)
        write_last(s); /* whether it was written is not known */
    s->is_connected = 1;
    hear_writer(s);
    hear_reader(s);
    if (s->is_connected && s->asked == NOTHING)
        ask(s);
}

int stream_has(const struct stream *s, const char *name)
{
    const struct member *m = roster_find(&s->roster, name);

    return m != NULL && strcmp(m->home->id, s->id) == 0;
}

/* ---- the beginning ------------------------------------------------------ */

void stream_begin(struct stream *s, const char *host, const char *port,
                  struct log *log, void (*apply)(const struct event *))
{
    struct pollfd places[2];
    const char *room = getenv("ROOM");
    unsigned char bytes[SERVER_ID_SIZE / 2];
    int fd = connect_to(host, port);

    if (room == NULL || *room == '\0')
        room = "lobby";
    *s = (struct stream){.is_new = 1,
                         .again = now_ms(),
                         .log = log,
                         .apply = apply,
                         .save = s->save,
                         .load = s->load};
    if (snprintf(s->key, sizeof s->key, "room:%s", room) >= (int)sizeof s->key)
        die("ROOM", "is longer than 250 bytes");
    snprintf(s->roster_key, sizeof s->roster_key, "%s:roster", s->key);
    s->address_size = sizeof s->address;
    if (getpeername(fd, (struct sockaddr *)&s->address, &s->address_size) == -1)
        die("getpeername", strerror(errno));
    close(fd);
    format_address((struct sockaddr *)&s->address, s->address_size, s->where);
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(s->id + 2 * i, 3, "%02x", bytes[i]);
    roster_clear(&s->roster);
    redis_begin(&s->reader);
    redis_begin(&s->writer);
    while (s->is_new) {
        long long due = stream_prepare(s, places, LLONG_MAX);
        if (poll(places, 2, ms_until(due)) == -1 && errno != EINTR)
            die("poll", strerror(errno));
        stream_serve(s, places);
        if (stream_compose(s))
            stream_write(s, 0);
    }
}
