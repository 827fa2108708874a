#include "trainer/safetensors.h"

#include <unistd.h>

#include "pipeline/bytes.h"
#include "trainer/save.h"
#include "tests/unit/test.h"

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    unsigned char *p = malloc(1 << 20);
    *n = f ? fread(p, 1, 1 << 20, f) : 0;
    if (f)
        fclose(f);
    return p;
}

static void spit(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    fwrite(p, 1, n, f);
    fclose(f);
}

/* Five tensors as torch has them: bf16 0 1 2; f32 ones; int64 1; nothing; a scalar. */
static const float ones[4] = {1, 1, 1, 1};
static const unsigned char bf16[6] = {0, 0, 0x80, 0x3f, 0, 0x40}, i64[8] = {1}, f16[2] = {0, 0x3c};

static void write_five(const char *path)
{
    const struct ft_st_tensor t[] = {
        {.name = "b.x", .dtype = FT_ST_BF16, .rank = 1, .shape = {3}, .data = bf16},
        {.name = "a", .dtype = FT_ST_F32, .rank = 2, .shape = {2, 2}, .data = (const unsigned char *)ones},
        {.name = "c", .dtype = FT_ST_I64, .rank = 1, .shape = {1}, .data = i64},
        {.name = "a.z", .dtype = FT_ST_F32, .rank = 2, .shape = {0, 4}, .data = NULL},
        {.name = "s", .dtype = FT_ST_F16, .rank = 0, .data = f16},
    };
    struct ft_err e = {0};
    CHECK_EQ(ft_st_write(path, t, 5, &e), 0);
}

/* What safetensors 0.8's save_file(..., metadata={"format": "pt"}) wrote for them. */
static const char five[] =
    "8\x01\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"pt\"},\"c\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
    "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]},\"a.z\":{\"dtype\":\"F32\",\"shape\":[0,4],"
    "\"data_offsets\":[24,24]},\"b.x\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[24,30]},"
    "\"s\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[30,32]}}\x01\0\0\0\0\0\0\0\0\0\x80?\0\0\x80?\0\0\x80?\0\0\x80?"
    "\0\0\x80?\0@\0<";

TEST(written_bytes_are_the_reference_library_s)
{
    size_t n;
    write_five("x.safetensors");
    unsigned char *p = slurp("x.safetensors", &n);
    CHECK_EQ(n, sizeof five - 1);
    CHECK(!memcmp(p, five, n));
    CHECK(access("x.safetensors.tmp", F_OK) != 0);
    free(p);

    /* A header that needs padding, a name that needs escapes. */
    const struct ft_st_tensor t = {.name = "a\"\xc3\xa9\n", .dtype = FT_ST_F32, .rank = 1, .shape = {2},
                                   .data = (const unsigned char *)ones};
    static const char want[] = "`\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"pt\"},\"a\\\"\xc3\xa9\\n\":{\"dtype\":\"F32\","
                               "\"shape\":[2],\"data_offsets\":[0,8]}}     \0\0\x80?\0\0\x80?";
    struct ft_err e = {0};
    CHECK_EQ(ft_st_write("y.safetensors", &t, 1, &e), 0);
    p = slurp("y.safetensors", &n);
    CHECK_EQ(n, sizeof want - 1);
    CHECK(!memcmp(p, want, n));
    free(p);
}

TEST(what_was_written_is_read)
{
    struct ft_st *s;
    struct ft_err e = {0};
    float v[4];
    write_five("x.safetensors");
    REQUIRE(!ft_st_open("x.safetensors", &s, &e));
    CHECK_EQ(ft_st_count(s), 5);
    CHECK_STR(ft_st_at(s, 0)->name, "a");
    CHECK_STR(ft_st_at(s, 4)->name, "s");
    CHECK(ft_str_is(ft_st_meta(s, "format"), "pt"));
    CHECK_EQ(ft_st_meta(s, "other").n, 0);
    CHECK(!ft_st_find(s, "nothing"));
    CHECK_STR(ft_st_describe(ft_st_find(s, "a.z")).s, "F32 [0, 4]");
    CHECK_EQ(ft_st_f32(ft_st_find(s, "b.x"), 0, 3, v, &e), 0);
    CHECK(v[0] == 0 && v[1] == 1 && v[2] == 2);
    CHECK_EQ(ft_st_f32(ft_st_find(s, "s"), 0, 1, v, &e), 0);
    CHECK(v[0] == 1);
    CHECK_EQ(ft_st_f32(ft_st_find(s, "a"), 3, 1, v, &e), 0);
    CHECK_EQ(ft_st_f32(ft_st_find(s, "a"), 3, 2, v, &e), -1);
    e = (struct ft_err){0};
    CHECK_EQ(ft_st_f32(ft_st_find(s, "c"), 0, 1, v, &e), -1);
    CHECK_STR(e.msg, "x.safetensors: tensor \"c\" is I64 [1], and weights of that type are not read");
    ft_st_close(s);
}

TEST(halves_widen_exactly)
{
    static const struct {
        unsigned bits;
        double value;
    } f16s[] = {{0, 0}, {0x8000, -0.0}, {1, 0x1p-24}, {0x83ff, -1023 * 0x1p-24}, {0x0400, 0x1p-14}, {0x3555, 0.333251953125},
                {0xfbff, -65504}};
    for (size_t i = 0; i < sizeof f16s / sizeof *f16s; i++) {
        const unsigned char d[2] = {(unsigned char)f16s[i].bits, (unsigned char)(f16s[i].bits >> 8)};
        const struct ft_st_tensor t = {.name = "h", .dtype = FT_ST_F16, .rank = 1, .shape = {1}, .count = 1, .data = d, .file = ""};
        float v;
        CHECK_EQ(ft_st_f32(&t, 0, 1, &v, NULL), 0);
        CHECK(v == f16s[i].value && !signbit(v) == !signbit(f16s[i].value));
    }
}

TEST(a_weight_that_is_no_number_is_an_error)
{
    static const unsigned char d[8] = {0, 0, 0, 0, 0, 0, 0xc0, 0x7f};
    const struct ft_st_tensor t = {.name = "w", .dtype = FT_ST_F32, .rank = 1, .shape = {2}, .count = 2, .data = d, .file = "f"};
    struct ft_err e = {0};
    float v[2];
    CHECK_EQ(ft_st_f32(&t, 0, 2, v, &e), -1);
    CHECK_STR(e.msg, "f: tensor \"w\": element 1 is no finite number");

    /* Wherever it stands, in each type, misaligned too. */
    static const enum ft_st_dtype types[] = {FT_ST_F32, FT_ST_BF16, FT_ST_F16, FT_ST_F64};
    static const unsigned char nan_hi[] = {0x7f, 0x7f, 0x7c, 0x7f}, nan_lo[] = {0x80, 0x80, 0x00, 0xf0}, size[] = {4, 2, 2, 8};
    for (int k = 0; k < 4; k++)
        for (uint64_t at = 0; at < 9000; at += 1571) {
            unsigned char *p = calloc(9000, 8);
            const struct ft_st_tensor u = {.name = "w", .dtype = types[k], .rank = 1, .shape = {8999}, .count = 8999, .data = p + 1, .file = "f"};
            e = (struct ft_err){0};
            CHECK_EQ(ft_st_check(&u, &e), 0);
            if (at < 8999) {
                p[1 + (at + 1) * size[k] - 1] = nan_hi[k], p[1 + (at + 1) * size[k] - 2] = nan_lo[k];
                CHECK_EQ(ft_st_check(&u, &e), -1);
                char want[80];
                snprintf(want, sizeof want, "f: tensor \"w\": element %d is no finite number", (int)at);
                CHECK_STR(e.msg, want);
            }
            free(p);
        }
}

TEST(a_truncated_file_never_opens)
{
    for (size_t n = 0; n < sizeof five - 1; n++) {
        struct ft_st *s;
        struct ft_err e = {0};
        char *copy = malloc(n ? n : 1); /* its end is the sanitizer's */
        memcpy(copy, five, n);
        CHECK_EQ(ft_st_open_bytes(copy, n, &s, &e), -1);
        CHECK_EQ(e.code, FT_DATA);
        free(copy);
    }
}

TEST(a_changed_header_is_refused_or_stays_inside_the_file)
{
    const size_t n = sizeof five - 1;
    char *copy = malloc(n);
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct ft_st *s;
            struct ft_err e = {0};
            memcpy(copy, five, n);
            copy[i] ^= (char)(1 << bit);
            if (ft_st_open_bytes(copy, n, &s, &e))
                continue;
            for (size_t k = 0; k < ft_st_count(s); k++) {
                const struct ft_st_tensor *t = ft_st_at(s, k);
                CHECK((const char *)t->data >= copy && t->bytes <= (size_t)(copy + n - (const char *)t->data));
                for (uint64_t b = 0; b < t->count && t->dtype == FT_ST_F32; b++)
                    ft_st_f32(t, b, 1, (float[1]){0}, NULL);
            }
            ft_st_close(s);
        }
    free(copy);
}

TEST(lies_are_named)
{
    static const struct {
        const char *head, *why;
        int data; /* bytes behind the header */
    } bad[] = {
        {"[]", "the header is no object", 0},
        {" {}", "the header is no object", 0},
        {"{", "the header: JSON ends early, expected a member name in quotes", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "tensor \"a\" is F32 [2], and its data are 4 bytes", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "tensor \"a\" ends at byte 4 of 3 of data", 3},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "1 bytes behind the last tensor", 5},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", "tensor \"a\" has unknown dtype \"F33\"", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "tensor \"a\" has a bad dimension", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", "tensor \"a\" has a bad dimension", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
         "tensor \"a\" is F32 [4611686018427387904, 4], and its data are 0 bytes", 0},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", "tensor \"a\" wants two \"data_offsets\"", 4},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]}}", "tensor \"a\" wants two \"data_offsets\"", 4},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", "tensor \"a\" wants a \"shape\" of at most 8 dimensions", 4},
        {"{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", "tensor \"a\" has no \"dtype\"", 4},
        {"{\"a\":[]}", "tensor \"a\" is no object", 0},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
         "tensor \"b\" does not begin where the one before it ends", 3},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}",
         "tensor \"b\" does not begin where the one before it ends", 5},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
         "tensor \"a\" occurs twice", 4},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", "tensor \"a\" is F4 [3], and its data are 1 bytes", 1},
        {"{\"__metadata__\":{\"a\":1}}", "\"__metadata__\" holds only strings", 0},
        {"{\"__metadata__\":[]}", "\"__metadata__\" is no object", 0},
        {"{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", "a tensor's name has a NUL", 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ft_buf b = {0};
        struct ft_st *s = NULL;
        struct ft_err e = {0};
        ft_put_u64(&b, strlen(bad[i].head));
        ft_buf_putz(&b, bad[i].head);
        for (int k = 0; k < bad[i].data; k++)
            ft_buf_putc(&b, 0);
        CHECK_EQ(ft_st_open_bytes(b.p, b.n, &s, &e), -1);
        CHECK_STR(e.msg, bad[i].why);
        ft_st_close(s);
        ft_buf_release(&b);
    }
    struct ft_st *s;
    struct ft_err e = {0};
    CHECK_EQ(ft_st_open_bytes("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10, &s, &e), -1);
    CHECK_STR(e.msg, "the header is said to be 9223372036854775807 bytes, and the file has 10");
}

TEST(several_files_are_one_model)
{
    const struct ft_st_tensor a = {.name = "a", .dtype = FT_ST_F32, .rank = 1, .shape = {1}, .data = (const unsigned char *)ones};
    struct ft_st_tensor b = a;
    struct ft_err e = {0};
    struct ft_st *s;
    static const char *const bad[][2] = {
        {"{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\"}}",
         "./m.safetensors.index.json: tensor \"b\" is not in 'm-1.safetensors'"},
        {"{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}", "./m.safetensors.index.json: \"a\" is in no file of this folder"},
        {"{\"weight_map\":{\"a\":\"m-3.safetensors\"}}", "cannot open './m-3.safetensors': No such file or directory"},
        {"{\"weight_map\":[]}", "./m.safetensors.index.json: no \"weight_map\""},
    };
    b.name = "b";
    CHECK_EQ(ft_st_open_folder(".", "m", &s, &e), -1);
    CHECK_STR(e.msg, "'.' has no m.safetensors");
    e = (struct ft_err){0};
    CHECK_EQ(ft_st_write("m-1.safetensors", &a, 1, &e), 0);
    CHECK_EQ(ft_st_write("m-2.safetensors", &b, 1, &e), 0);
    const char *good = "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}}";
    spit("m.safetensors.index.json", good, strlen(good));
    REQUIRE(!ft_st_open_folder(".", "m", &s, &e));
    CHECK_EQ(ft_st_count(s), 2);
    CHECK(strstr(ft_st_find(s, "b")->file, "m-2"));
    ft_st_close(s);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct ft_err){0};
        spit("m.safetensors.index.json", bad[i][0], strlen(bad[i][0]));
        CHECK_EQ(ft_st_open_folder(".", "m", &s, &e), -1);
        CHECK_STR(e.msg, bad[i][1]);
    }
}

TEST(a_full_disk_leaves_the_old_file)
{
    struct ft_save s;
    struct ft_err e = {0};
    size_t n;
    CHECK_EQ(ft_save_bytes("f", "old", 3, &e), 0);
    REQUIRE(!ft_save_open(&s, "f", &e));
    CHECK_EQ(ft_save_put(&s, "new", 3, &e), 0);
    ft_save_abort(&s);
    unsigned char *p = slurp("f", &n);
    CHECK(n == 3 && !memcmp(p, "old", 3));
    free(p);
    CHECK_EQ(ft_save_bytes("nowhere/f", "x", 1, &e), -1);
    CHECK_EQ(e.code, FT_SYS);
}

TEST(a_folder_is_replaced_whole)
{
    struct ft_err e = {0};
    CHECK_EQ(ft_save_folder("old", &e) | ft_save_bytes("old/a", "1", 1, &e), 0);
    CHECK_EQ(ft_save_folder("new", &e) | ft_save_bytes("new/b", "2", 1, &e), 0);
    CHECK_EQ(ft_save_rename("new", "old", &e), 0);
    CHECK(access("old/a", F_OK) && !access("old/b", F_OK) && access("new", F_OK) && access("old.old", F_OK));
    CHECK_EQ(ft_save_remove("old", &e), 0);
    CHECK_EQ(ft_save_remove("old", &e), 0);
    CHECK(access("old", F_OK));
}
