LIB_pipeline += pipeline/err.c pipeline/mem.c pipeline/str.c pipeline/utf8.c pipeline/hash.c pipeline/cli.c pipeline/json_scan.c pipeline/json_string.c pipeline/json_odd.c pipeline/json_tree.c \
                pipeline/json.c pipeline/json_write.c pipeline/record.c pipeline/stamp.c pipeline/spans.c pipeline/frame.c \
                pipeline/outfile.c pipeline/gzip_check.c pipeline/archive_load.c pipeline/source.c pipeline/input.c pipeline/input_lines.c pipeline/input_json.c \
                pipeline/input_csv.c pipeline/input_frames.c pipeline/stream.c pipeline/stream_out.c pipeline/stream_map.c pipeline/seal.c
LIB_pipeline += pipeline/permute.c pipeline/canon.c pipeline/mix.c pipeline/seen.c pipeline/key.c \
                pipeline/side.c pipeline/pool.c pipeline/pipe_split.c pipeline/pipe_tail.c
LIB_pipeline += pipeline/explain.c pipeline/hub.c pipeline/plan.c pipeline/shard.c pipeline/shard_write.c pipeline/doc_read.c pipeline/fit.c \
                pipeline/shard_json.c pipeline/shard_show.c pipeline/shard_copy.c pipeline/shard_look.c pipeline/shard_make.c
TOOLS += pipeline/dedupe.c pipeline/mix-replay.c pipeline/ft-pipe.c pipeline/ft-pack.c pipeline/ft-shard.c
ROOMS_ft-pack := tokenizer
ROOMS_ft-shard := tokenizer
