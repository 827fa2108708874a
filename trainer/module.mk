LIB_trainer += trainer/param.c trainer/config.c trainer/decoder.c trainer/lora.c
EXT_trainer += -lpcre2-8
LIB_trainer += trainer/save.c trainer/safetensors.c trainer/schedule.c trainer/hf.c trainer/hf_config.c trainer/weights.c trainer/adapter.c trainer/adapter_config.c trainer/rows.c trainer/base.c
