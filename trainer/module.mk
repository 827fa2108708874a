LIB_trainer += trainer/param.c trainer/config.c trainer/decoder.c trainer/lora.c
EXT_trainer += -lpcre2-8
