/* gzip_check.h -- do unpacked bytes fit the checksums of their gzip file?
 *
 * libarchive unpacks gzip without looking at the CRC and length behind each
 * member (RFC 1952), so that a flipped bit may pass for data. This watches both
 * sides: where a member may end (8 bytes, then the header of another) and where
 * the file does. The members that fit must cover all that came out.
 */
#ifndef FT_PIPELINE_GZIP_CHECK_H
#define FT_PIPELINE_GZIP_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/mem.h"

struct ft_gzip;

struct ft_gzip *ft_gzip_new(void);
/* The next n bytes of the file; those that come out of them are given later. */
void ft_gzip_packed(struct ft_gzip *g, const void *p, size_t n);
/* The next n bytes that came out, for which the first `used` bytes of the file
 * were used up, no more and no fewer. */
void ft_gzip_plain(struct ft_gzip *g, const void *p, size_t n, uint64_t used);
/* After all of both: does everything fit? Zeros behind the last member may be. */
bool ft_gzip_fits(struct ft_gzip *g);
void ft_gzip_free(struct ft_gzip *g);

#endif
