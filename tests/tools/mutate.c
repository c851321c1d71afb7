/*
 * mutate.c - makes small mistakes in a C file, one at a time.
 *
 *     mutate FOLDER <FILE
 *
 * A mutant is the whole file with one mistake in it: FOLDER/1.c, FOLDER/2.c and
 * so on. For each a line is printed: its number, the line of the file, the
 * function and what was changed, with tabs in between. Some do not compile.
 *
 * It knows tokens and brackets, no types: enough for C as it is written here.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

enum { SOURCE_SIZE = 128 * 1024, TOKENS = 32 * 1024, DEPTH = 64 };

static struct token {
    size_t start, end; /* where in the source */
    enum kind { NONE, WORD, NUMBER, SIGN } kind;
    int other;    /* of a bracket, the one that belongs to it */
    int outer;    /* the bracket that it is in, or 0 */
    int function; /* the name of the function that it is in, or 0 */
} tokens[TOKENS]; /* A string is a WORD, 'x' a NUMBER. tokens[0] is empty. */

static char source[SOURCE_SIZE];
static int count = 1;
static const char *folder;

/* ---- tokens ------------------------------------------------------------- */

/* is(i, "if while"): the token is one of these words or signs. */
static int is(int i, const char *words)
{
    size_t length = tokens[i].end - tokens[i].start;

    for (const char *word = words; length > 0; word++) {
        size_t n = strcspn(word, " ");
        if (n == length && memcmp(word, source + tokens[i].start, n) == 0)
            return 1;
        word += n;
        if (*word == '\0')
            break;
    }
    return 0;
}

/* What begins here; a space, a comment, a line of the preprocessor are NONE. */
static enum kind read_one(const char *s, size_t *length)
{
    size_t n = 1;
    enum kind kind = NONE;

    if (s[0] == '/' && s[1] == '*') {
        n = (size_t)(strstr(s, "*/") + 2 - s);
    } else if (*s == '#') {
        while (s[n] != '\n' || s[n - 1] == '\\')
            n++;
    } else if (*s == '"' || *s == '\'') {
        kind = *s == '"' ? WORD : NUMBER;
        while (s[n] != *s)
            n += s[n] == '\\' ? 2 : 1;
        n++;
    } else if (isalnum((unsigned char)*s) || *s == '_') {
        kind = isdigit((unsigned char)*s) ? NUMBER : WORD;
        while (isalnum((unsigned char)s[n]) || s[n] == '_')
            n++;
    } else if (!isspace((unsigned char)*s)) {
        kind = SIGN;
        n += (s[1] == '=' && strchr("<>=!&|+-*/", s[0]) != NULL) ||
             (s[1] == s[0] && strchr("<>&|+-", s[0]) != NULL) ||
             (s[0] == '-' && s[1] == '>');
    }
    *length = n;
    return kind;
}

static void read_tokens(void)
{
    int open[DEPTH] = {0}, depth = 0, function = 0;
    size_t length;

    for (size_t at = 0; source[at] != '\0'; at += length) {
        enum kind kind = read_one(source + at, &length);
        if (kind == NONE)
            continue;
        if (count == TOKENS - 1 || depth == DEPTH - 1)
            die("stdin", "is too long, or has too many brackets");
        int i = count++;
        tokens[i] =
            (struct token){at, at + length, kind, 0, open[depth], function};
        if (depth == 0 && is(i, "{") && is(i - 1, ")"))
            function = tokens[i - 1].other - 1;
        if (is(i, "( [ {")) {
            open[++depth] = i;
        } else if (is(i, ") ] }") && depth > 0) {
            tokens[i].other = open[depth];
            tokens[open[depth--]].other = i;
            if (depth == 0 && is(i, "}"))
                function = 0;
        }
    }
}

/* The first of these signs from i on, outside of brackets that begin there. */
static int find(int i, const char *signs)
{
    while (i < count && !is(i, signs))
        i = tokens[i].other > i ? tokens[i].other + 1 : i + 1;
    return i;
}

/* ---- mutants ------------------------------------------------------------ */

/* On one line. */
static void print_code(const char *code, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)code[i]))
            putchar(code[i]);
        else if (i > 0 && !isspace((unsigned char)code[i - 1]))
            putchar(' ');
}

/* The tokens from the first to the last become `text`. */
static void mutant(int first, int last, const char *text)
{
    static int number;
    size_t start = tokens[first].start, end = tokens[last].end;
    const struct token *name = &tokens[tokens[first].function];
    int line = 1;
    char path[1024];

    snprintf(path, sizeof path, "%s/%d.c", folder, ++number);
    FILE *out = fopen(path, "w");
    if (out == NULL ||
        fprintf(out, "%.*s%s%s", (int)start, source, text, source + end) < 0 ||
        fclose(out) != 0)
        die(path, strerror(errno));
    for (size_t i = 0; i < start; i++)
        line += source[i] == '\n';
    printf("%d\t%d\t%.*s\t", number, line, (int)(name->end - name->start),
           source + name->start);
    print_code(source + start, end - start);
    printf(" -> ");
    print_code(text, strlen(text));
    printf("\n");
}

/* These tokens get something before and after them. */
static void wrap(int first, int last, const char *before, const char *after)
{
    char text[2048];

    snprintf(text, sizeof text, "%s%.*s%s", before,
             (int)(tokens[last].end - tokens[first].start),
             source + tokens[first].start, after);
    mutant(first, last, text);
}

static void exchange_arguments(int open)
{
    int next;
    char text[2048];

    for (int i = open + 1; (next = find(i, ", )") + 1) < tokens[open].other;
         i = next) {
        int end = find(next, ", )");
        snprintf(text, sizeof text, "%.*s, %.*s",
                 (int)(tokens[end - 1].end - tokens[next].start),
                 source + tokens[next].start,
                 (int)(tokens[next - 2].end - tokens[i].start),
                 source + tokens[i].start);
        mutant(i, end - 1, text);
    }
}

static void change_sign(int i)
{
    static const char *const to[][2] = {
        {"<", "<="},  {"<=", "<"},    {">", ">="},  {">=", ">"},  {"==", "!="},
        {"!=", "=="}, {"&&", "||"},   {"||", "&&"}, {"+", "-"},   {"-", "+"},
        {"+=", "-="}, {"-=", "+="},   {"++", "--"}, {"--", "++"}, {"|", "&"},
        {"&", "|"},   {"?", "== 0 ?"}};
    int is_unary = tokens[i - 1].kind == SIGN && !is(i - 1, ") ]");

    for (size_t k = 0; k < sizeof to / sizeof to[0]; k++)
        if (is(i, to[k][0]) && !(is_unary && is(i, "+ - &")))
            mutant(i, i, to[k][1]);
}

/* Whether a statement begins here: no declaration, and none around others. */
static int begins_statement(int i)
{
    int first =
        is(i - 1, "; { } else do") ||
        (is(i - 1, ":") && (is(i - 2, "default") || is(i - 3, "case"))) ||
        (is(i - 1, ")") && is(tokens[i - 1].other - 1, "if while for"));

    if (!first || !is(tokens[i].outer, "{"))
        return 0;
    return is(i, "break continue return * ++ --") ||
           (tokens[i].kind == WORD && tokens[i + 1].kind == SIGN &&
            !is(i + 1, "* :") && !is(i, "if while for switch do else"));
}

static void mutate(int i)
{
    int is_statement = begins_statement(i), end = find(i, ";");

    if (tokens[i].kind == NUMBER) {
        wrap(i, i, "(", " + 1)");
        wrap(i, i, "(", " - 1)");
    }
    if (tokens[i].function == 0)
        return;
    if (is_statement)
        mutant(i, end, ";");
    if (is(i, "if while"))
        wrap(i + 1, tokens[i + 1].other, "(!", ")");
    else if (is(i, "return") && end > i + 1)
        wrap(i + 1, end - 1, "!(", ")");
    else if (tokens[i].kind == SIGN)
        change_sign(i);
    else if (tokens[i].kind == WORD && is(i + 1, "(") &&
             !is(i, "for switch return sizeof")) {
        if (!is_statement || tokens[i + 1].other != end - 1)
            mutant(i, tokens[i + 1].other, "0");
        exchange_arguments(i + 1);
    }
}

int main(int argc, char *argv[])
{
    begin(argc, argv, " FOLDER", 1);
    folder = argc == 2 ? argv[1] : ".";
    size_t length = fread(source, 1, sizeof source, stdin);
    if (ferror(stdin) || length == sizeof source)
        die("stdin", "cannot be read, or is too long");
    read_tokens();
    for (int i = 1; i < count; i++)
        mutate(i);
    return 0;
}
