/* record_key.h -- what makes two records the same: a digest of the part that counts.
 *
 * A key names a part of a record. Parts are compared in canonical form
 * (json_canon.h): spacing, escapes and the order of members do not matter, contents
 * do. Different keys never share digests.
 *
 *     record     every member except ids and metadata (below) and null members
 *     text       the member `text`
 *     messages   the conversation, with `tools`
 *     prompt     what is asked: `prompt`; or the messages before the last
 *                answer; or `instruction` and `input`; with `tools`
 *     response   what is answered: `completion`; `chosen` and `rejected`; the
 *                last answer of the messages; `output`
 *     last-user  what the user said last
 *     A,B,...    these members
 *
 * Messages are `messages`, or `conversations` (from/value for role/content).
 */
#ifndef FT_PIPELINE_RECORD_KEY_H
#define FT_PIPELINE_RECORD_KEY_H

#include "pipeline/hash.h"
#include "pipeline/record.h"

/* Members that `record` leaves out, besides those named by the user: they
 * number, date or locate a record and say nothing that is learnt. */
#define FT_KEY_IGNORED                                                                            \
    "_ft,_id,id,uid,uuid,idx,index,row_id,example_id,prompt_id,conversation_id,hash,source,"       \
    "dataset,metadata,meta,timestamp,created,created_at,url"

enum ft_key_kind {
    FT_KEY_RECORD,
    FT_KEY_TEXT,
    FT_KEY_MESSAGES,
    FT_KEY_PROMPT,
    FT_KEY_RESPONSE,
    FT_KEY_LAST_USER,
    FT_KEY_MEMBERS,
};

struct ft_key {
    enum ft_key_kind kind;
    struct ft_str *names; /* MEMBERS; for RECORD those left out */
    size_t n;
    struct ft_buf form, room; /* scratch */
};

/* `spec` as above; `ignore` ("a,b" or NULL) adds to what `record` leaves out.
 * Both must outlive the key. FT_USAGE when it names nothing. */
int ft_key_init(struct ft_key *k, const char *spec, const char *ignore, struct ft_err *e);
/* 1 and the digest; 0 when the record has no such part; -1: FT_DATA. */
int ft_key_find(struct ft_key *k, struct ft_rec *r, struct ft_digest *out, struct ft_err *e);
/* The same, 0 being an FT_DATA error that names the member wanted: 0 or -1. */
int ft_key_of(struct ft_key *k, struct ft_rec *r, struct ft_digest *out, struct ft_err *e);
void ft_key_release(struct ft_key *k);

#endif
