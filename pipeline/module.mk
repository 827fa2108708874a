# The map of the room: every idea, and its files. NAME.h is the manual of NAME.c.

# Errors, memory, strings, digests, command lines.
LIB_pipeline += $(addprefix pipeline/,err.c mem.c str.c utf8.c hash.c cli.c cli_config.c)

# JSON (json.h): scanned, as a tree, written; its canonical form.
LIB_pipeline += $(addprefix pipeline/,json.c json_scan.c json_string.c json_odd.c json_tree.c json_write.c json_canon.c)

# Records (RECORD.md): members and edits, fingerprints, spans, frames.
LIB_pipeline += $(addprefix pipeline/,record.c stamp.c spans.c frame.c)

# Bytes in and out: packed files, formats of input one file each, files that are there whole or not at all.
LIB_pipeline += $(addprefix pipeline/,source.c archive_load.c gzip_check.c input.c input_lines.c input_json.c input_csv.c input_frames.c outfile.c)

# The loop of a filter (stream.h): threads, order, bad lines, statistics; the seal of a pipe.
LIB_pipeline += $(addprefix pipeline/,stream.c stream_map.c stream_out.c seal.c)

# For the filters: records beside the stream, records in any order, what makes two the same, which source comes next.
LIB_pipeline += $(addprefix pipeline/,side_input.c record_pool.c record_key.c seen_set.c permute.c mix.c)

# ft-pipe.
LIB_pipeline += $(addprefix pipeline/,pipe_split.c pipe_tail.c)

# Shards (SHARD.md): read, written, planned; documents in; the verbs of ft-shard.
LIB_pipeline += $(addprefix pipeline/,shard.c shard_write.c plan.c fit.c doc_read.c shard_json.c shard_show.c shard_copy.c shard_look.c shard_make.c)

# For a person: models by name, rows with what is learnt in them.
LIB_pipeline += $(addprefix pipeline/,hub.c explain.c)

TOOLS += pipeline/dedupe.c pipeline/mix-replay.c pipeline/ft-pipe.c pipeline/ft-pack.c pipeline/ft-shard.c
ROOMS_ft-pack  := tokenizer
ROOMS_ft-shard := tokenizer
