/* safetensors.h -- named tensors in a file, as Hugging Face stores them.
 *
 *     offset   size   meaning
 *     0        8      N, the length of the header, little-endian
 *     8        N      JSON, padded with spaces to a multiple of 8:
 *                     {"__metadata__":{"format":"pt"},
 *                      "NAME":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}, ...}
 *     8+N             the tensors' bytes, row-major, one behind the other
 *
 * The tensors cover the data without gap or overlap, as the reference
 * implementation (safetensors 0.8, tensor.rs) demands. The format has no
 * checksum: a lie in the header is found, a flipped bit of a weight is not.
 *
 * Files are mapped, not read. A model in several files has
 * `model.safetensors.index.json`, whose "weight_map" says which tensor is in
 * which file.
 */
#ifndef FT_TRAINER_SAFETENSORS_H
#define FT_TRAINER_SAFETENSORS_H

#include "pipeline/str.h"

/* In the order in which the writer sorts, which is the reference's. */
enum ft_st_dtype {
    FT_ST_BOOL, FT_ST_F4, FT_ST_F6_E2M3, FT_ST_F6_E3M2, FT_ST_U8, FT_ST_I8, FT_ST_F8_E5M2, FT_ST_F8_E4M3, FT_ST_F8_E8M0,
    FT_ST_I16, FT_ST_U16, FT_ST_F16, FT_ST_BF16, FT_ST_I32, FT_ST_U32, FT_ST_F32, FT_ST_C64, FT_ST_F64, FT_ST_I64, FT_ST_U64,
    FT_ST_DTYPES,
};
extern const char *const ft_st_dtype_names[FT_ST_DTYPES];

enum { FT_ST_RANK = 8 };

struct ft_st_tensor {
    const char *name; /* NUL-terminated */
    enum ft_st_dtype dtype;
    int rank;
    int64_t shape[FT_ST_RANK];
    uint64_t count;   /* elements */
    uint64_t bytes;
    const unsigned char *data; /* any alignment */
    const char *file; /* for messages; reader only */
};

/* ---- reading ---- */

struct ft_st;

/* One file. FT_DATA, with the byte, for any header that the bytes do not bear out. */
int ft_st_open(const char *path, struct ft_st **out, struct ft_err *e);
/* DIR/STEM.safetensors, or all the files of DIR/STEM.safetensors.index.json. */
int ft_st_open_folder(const char *dir, const char *stem, struct ft_st **out, struct ft_err *e);
/* Bytes in memory, which must outlive the result. */
int ft_st_open_bytes(const void *p, size_t n, struct ft_st **out, struct ft_err *e);
void ft_st_close(struct ft_st *s);

size_t ft_st_count(const struct ft_st *s);
/* Number i in the order of names; valid until close. */
const struct ft_st_tensor *ft_st_at(const struct ft_st *s, size_t i);
/* NULL: there is none of that name. */
const struct ft_st_tensor *ft_st_find(const struct ft_st *s, const char *name);
/* A value of the first file's "__metadata__"; empty when absent. */
struct ft_str ft_st_meta(const struct ft_st *s, const char *key);

/* Elements [at, at + n) as float32, from F32, BF16, F16 or F64. FT_DATA for
 * another type, and for a value that is no finite number. */
int ft_st_f32(const struct ft_st_tensor *t, uint64_t at, uint64_t n, float *out, struct ft_err *e);

/* The same check for all elements at once, without a copy. */
int ft_st_check(const struct ft_st_tensor *t, struct ft_err *e);

/* "F32 [2, 3]" for messages. */
struct ft_st_text {
    char s[256];
};
struct ft_st_text ft_st_describe(const struct ft_st_tensor *t);

/* ---- writing ---- */

/* Writes `n` tensors (name, dtype, rank, shape, data; the rest is computed) as
 * the reference's save_file(..., metadata={"format": "pt"}) lays them out, byte
 * for byte: sorted by dtype, then by name. Names are distinct. */
int ft_st_write(const char *path, const struct ft_st_tensor *t, size_t n, struct ft_err *e);

#endif
