/* archive_load.h -- libarchive, loaded when the first packed file is met.
 *
 * It brings libxml2, ICU and the C++ library with it: two thirds of the time in which a
 * filter starts, of which most read plain lines and never unpack anything.
 */
#ifndef FT_PIPELINE_ARCHIVE_LOAD_H
#define FT_PIPELINE_ARCHIVE_LOAD_H

#include <archive.h>
#include <archive_entry.h>

#include "pipeline/err.h"

/* Its functions, by their names without archive_. */
#define FT_ARCHIVE_FUNCTIONS(X)                                                                               \
    X(read_new) X(read_free) X(read_open) X(read_next_header) X(read_data) X(read_data_block)                  \
    X(read_support_filter_all) X(read_support_format_tar) X(read_support_format_zip_streamable)                \
    X(read_support_format_raw) X(read_support_format_empty) X(format) X(filter_count) X(filter_bytes)          \
    X(entry_filetype) X(entry_pathname) X(set_error) X(error_string)

struct ft_archive {
#define X(name) __typeof__(archive_##name) *name;
    FT_ARCHIVE_FUNCTIONS(X)
#undef X
};

/* NULL and FT_SYS: it is not there. */
const struct ft_archive *ft_archive(struct ft_err *e);

#endif
