LIB_pipeline += pipeline/err.c pipeline/mem.c pipeline/str.c pipeline/hash.c pipeline/cli.c pipeline/json.c
