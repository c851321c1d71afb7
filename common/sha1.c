/* sha1.c - see sha1.h. Taught in lesson 11. */
#include "sha1.h"

#include <stdint.h>
#include <string.h>

/* The bits that leave on the left come back on the right. */
static uint32_t rotate(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* The first of four bytes is the highest, as everywhere in a network. */
static uint32_t word_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Stirs a block of 64 bytes into the hash: 80 rounds, in which every bit gets
 * to change every other. */
static void stir(uint32_t hash[5], const unsigned char block[64])
{
    uint32_t w[80];
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];

    for (size_t t = 0; t < 80; t++) {
        if (t < 16)
            w[t] = word_at(block + 4 * t);
        else
            w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

        uint32_t mixed;
        if (t < 20)
            mixed = ((b & c) | (~b & d)) + 0x5A827999;
        else if (t < 40)
            mixed = (b ^ c ^ d) + 0x6ED9EBA1;
        else if (t < 60)
            mixed = ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
        else
            mixed = (b ^ c ^ d) + 0xCA62C1D6;
        mixed += rotate(a, 5) + e + w[t];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = mixed;
    }
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
}

void sha1(const void *bytes, size_t length, unsigned char hash[SHA1_SIZE])
{
    uint32_t words[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476,
                         0xC3D2E1F0};
    unsigned char blocks[128] = {0};
    size_t size = length < 56 ? 64 : 128;

    /* The bytes, a bit that is 1, zeros, and how many bits there were. */
    memcpy(blocks, bytes, length);
    blocks[length] = 0x80;
    blocks[size - 2] = (unsigned char)(length * 8 >> 8);
    blocks[size - 1] = (unsigned char)(length * 8);
    stir(words, blocks);
    if (size == 128)
        stir(words, blocks + 64);
    for (int i = 0; i < SHA1_SIZE; i++)
        hash[i] = (unsigned char)(words[i / 4] >> (24 - i % 4 * 8));
}
