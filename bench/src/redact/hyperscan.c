/* Hyperscan in streaming mode as a whole program: reads 64 KiB at a time, replaces, writes.
 *
 *     hyperscan NEEDLES FILE LIMIT
 *
 * NEEDLES: the length of each in four bytes, little end first, then its bytes.
 */
#include <hs/hs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#define BLOCK (64 * 1024)
static const char MASK[] = "[REDACTED]";

struct range { uint64_t start, end; };
static struct range *found;
static size_t count, room;
static size_t *lengths;

static void fail(const char *what) {
    fprintf(stderr, "hyperscan: %s\n", what);
    exit(1);
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
    (void)from; (void)flags; (void)context;
    struct range one = { to - lengths[id], to };
    /* Matches come in the order of their ends: one that begins no later swallows those before it. */
    while (count && found[count - 1].end > one.start) {
        if (found[count - 1].start < one.start) one.start = found[count - 1].start;
        count--;
    }
    if (count == room) {
        room = room ? 2 * room : 1024;
        found = realloc(found, room * sizeof *found);
        if (!found) fail("no memory");
    }
    found[count++] = one;
    return 0;
}

static void put(const char *bytes, size_t length) {
    while (length) {
        ssize_t done = write(1, bytes, length);
        if (done < 0) fail("cannot write");
        bytes += done;
        length -= (size_t)done;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) fail("NEEDLES FILE LIMIT");
    FILE *file = fopen(argv[1], "rb");
    if (!file) fail("cannot open the needles");
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    unsigned char *packed = malloc(size + 1);
    if (!packed || fread(packed, 1, size, file) != size) fail("cannot read the needles");
    fclose(file);

    size_t most = size / 5 + 1, needles = 0, longest = 1;
    const char **texts = calloc(most, sizeof *texts);
    unsigned *flags = calloc(most, sizeof *flags), *ids = calloc(most, sizeof *ids);
    lengths = calloc(most, sizeof *lengths);
    if (!texts || !flags || !ids || !lengths) fail("no memory");
    for (size_t at = 0; at + 4 <= size; needles++) {
        uint32_t length = packed[at] | packed[at + 1] << 8 | packed[at + 2] << 16 | (uint32_t)packed[at + 3] << 24;
        texts[needles] = (const char *)packed + at + 4;
        lengths[needles] = length;
        ids[needles] = (unsigned)needles;
        if (length > longest) longest = length;
        at += 4 + length;
    }
    hs_database_t *database;
    hs_compile_error_t *error;
    if (hs_compile_lit_multi(texts, flags, ids, lengths, (unsigned)needles, HS_MODE_STREAM, NULL, &database, &error) != HS_SUCCESS) fail(error->message);
    hs_scratch_t *scratch = NULL;
    hs_stream_t *stream;
    if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) fail("no scratch");
    if (hs_open_stream(database, 0, &stream) != HS_SUCCESS) fail("no stream");

    int input = open(argv[2], O_RDONLY);
    if (input < 0) fail("cannot open the text");
    uint64_t limit = strtoull(argv[3], NULL, 10), position = 0, released = 0;
    /* The text that is not released yet: less than the longest needle, and a block. */
    char *text = malloc(longest + 2 * BLOCK);
    /* Every mask replaces a needle; a needle may be shorter than its mask. */
    char *out = malloc(4 * (longest + 2 * BLOCK));
    if (!text || !out) fail("no memory");
    size_t held = 0;
    for (;;) {
        uint64_t left = limit - position;
        ssize_t got = left ? read(input, text + held, left < BLOCK ? (size_t)left : BLOCK) : 0;
        if (got < 0) fail("cannot read");
        if (got && hs_scan_stream(stream, text + held, (unsigned)got, 0, scratch, on_match, NULL) != HS_SUCCESS) fail("cannot scan");
        held += (size_t)got;
        position += (uint64_t)got;
        uint64_t settled = !got ? position : position > longest - 1 ? position - (longest - 1) : 0;
        const char *base = text;
        uint64_t at = released;
        size_t length = 0, used = 0;
        for (; used < count && found[used].start < settled; used++) {
            struct range one = found[used];
            /* Something that began before what is out already goes on. */
            if (one.start > at) {
                memcpy(out + length, base + (at - released), one.start - at);
                length += one.start - at;
            }
            if (one.end > at) {
                memcpy(out + length, MASK, sizeof MASK - 1);
                length += sizeof MASK - 1;
                at = one.end;
            }
        }
        memmove(found, found + used, (count - used) * sizeof *found);
        count -= used;
        if (settled > at) {
            memcpy(out + length, base + (at - released), settled - at);
            length += settled - at;
            at = settled;
        }
        put(out, length);
        held -= at - released;
        memmove(text, text + (at - released), held);
        released = at;
        if (!got) return 0;
    }
}
