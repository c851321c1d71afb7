/*
 * vectors.c - checks SHA-1 and base64 of common/ with the test vectors of their
 * standards: FIPS 180-4 and RFC 3174, RFC 4648, and RFC 6455's own example.
 */
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "handshake.h"
#include "sha1.h"

static int failures;

static void expect(const char *what, const char *expected, const char *came)
{
    if (strcmp(expected, came) == 0)
        return;
    printf("%s is %s, and not %s\n", what, expected, came);
    failures++;
}

static void check_sha1(const char *text, const char *expected)
{
    unsigned char hash[SHA1_SIZE];
    char hex[2 * SHA1_SIZE + 1];

    sha1(text, strlen(text), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    expect(text, expected, hex);
}

static void check_base64(const char *text, const char *expected)
{
    char came[64];
    size_t length = strlen(text);

    base64(text, length, came);
    expect(text, expected, came);
    if (!is_base64(expected, strlen(expected), length) ||
        is_base64(expected, strlen(expected), length + 1)) {
        printf("is_base64() is wrong about %s\n", expected);
        failures++;
    }
}

int main(void)
{
    char accept[BASE64_ROOM(SHA1_SIZE)], many[120];

    check_sha1("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check_sha1("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    check_sha1("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijkl"
               "mnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               "a49b2446a02c645bf419f995b67091253a04a259");
    /* Around the border between one block and two, and the most there can be.
     */
    memset(many, 'a', sizeof many);
    many[119] = '\0';
    check_sha1(many, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56");
    many[64] = '\0';
    check_sha1(many, "0098ba824b5c16427bd7a1122a5a442a25ec644d");
    many[56] = '\0';
    check_sha1(many, "c2db330f6083854c99d4b5bfb6e8f29f201be699");
    many[55] = '\0';
    check_sha1(many, "c1c8bbdc22796e28c0e15163d20899b65621d65a");

    check_base64("", "");
    check_base64("f", "Zg==");
    check_base64("fo", "Zm8=");
    check_base64("foo", "Zm9v");
    check_base64("foob", "Zm9vYg==");
    check_base64("fooba", "Zm9vYmE=");
    check_base64("foobar", "Zm9vYmFy");
    check_base64("\xff\xfe\xfd\xfb\xef\xbe", "//79++++");

    accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept);
    expect("the accept of RFC 6455's example",
           "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", accept);
    if (failures == 0)
        printf("all test vectors pass\n");
    return failures > 0;
}
