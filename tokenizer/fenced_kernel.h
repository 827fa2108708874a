/* fenced_kernel.h -- a rule of scan.h as a pass of pass.h: the windows of words_kernel.h, between the
 * places where pieces begin. The file that includes it, behind that one, defines FENCED, the name. */
#include "tokenizer/pass.h"

#if defined(__AVX2__) && defined(__BMI2__)

/* Sixty-four bits from that place on; a word behind the last may be read. */
static inline uint64_t bits_at(const uint64_t *map, size_t at)
{
    const uint64_t low = map[at >> 6] >> (at & 63);
    return at & 63 ? low | map[(at >> 6) + 1] << (64 - (at & 63)) : low;
}

static inline void add_bits(uint64_t *map, size_t at, uint64_t bits)
{
    map[at >> 6] |= bits << (at & 63);
    if (at & 63)
        map[(at >> 6) + 1] |= bits >> (64 - (at & 63));
}

/* The first bit behind `at`, or n. */
static inline size_t next_bit(const uint64_t *map, size_t at, size_t n)
{
    size_t i = ++at >> 6;
    uint64_t bits = at < n ? map[i] & ~0ull << (at & 63) : 1;
    while (!bits && ++i << 6 < n)
        bits = map[i];
    at = (i << 6) + (size_t)_tzcnt_u64(bits);
    return bits && at < n ? at : n;
}

void FENCED(const char *p, size_t n, uint64_t *map)
{
    size_t at = 0, word = 0, fence = 0; /* the window; the word that is not done, in or before it; the next piece, once asked */
    struct before h = {0};
    while (at < n) { /* as in words() */
        const unsigned char *q = (const unsigned char *)p + at;
        size_t rest = n - at;
        bool end = rest < STEP;
        int known = rest < 64 ? (int)rest : 64;
        const uint64_t in = low(known), fences = bits_at(map, at) & in;
        struct masks m = classify(q, rest);
        if (m.high & in) {
            const int part = classify_high(&m, &h, q, known, rest);
            if (part < known) {
                end = m.stop && (m.letter | m.other) << 1 >> part & 1;
                known = part;
                rest = end ? (size_t)part : rest;
            }
        }
        uint64_t starts = 0;
        if (known > 3 || end) {
            unsigned char tail[66];
            if (end && (m.tick & low(known))) {
                memcpy(tail, q, rest);
                tail[rest] = tail[rest + 1] = 0;
                q = tail;
            }
            starts = starts_gpt2(q, &m, &h, &known, end, fences);
        }
        const bool step = known == STEP && !end;
        starts = end ? (starts & low((int)rest)) | 1ull << rest : starts & low(known < 0 ? 0 : known);
        starts &= word == at ? ~1ull : ~0ull;
        add_bits(map, at, starts & in);
        if (step) {
            h = (struct before){.letter = m.letter >> (STEP - 1), .number = m.number >> (STEP - 1), .space = m.space >> (STEP - 1),
                                .other = m.other >> (STEP - 1), .blank = m.blank >> (STEP - 1)};
            word = starts ? at + 63 - (size_t)_lzcnt_u64(starts) : word;
            at += STEP;
            continue;
        }
        h = (struct before){0};
        if (starts) {
            at = word = at + 63 - (size_t)_lzcnt_u64(starts);
            continue;
        }
        if (fence <= word)
            fence = next_bit(map, word, n);
        at = word = tk_scan(TK_RULE_GPT2, p, fence, word);
        if (at < n)
            map[at >> 6] |= 1ull << (at & 63);
    }
}
#endif
