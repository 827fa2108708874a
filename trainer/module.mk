LIB_trainer += trainer/param.c trainer/config.c trainer/decoder.c trainer/lora.c trainer/layout.c trainer/rope.c \
               trainer/linear.c trainer/block.c trainer/step.c
LIB_trainer += trainer/team.c trainer/cpu.c trainer/op_gemm.c trainer/op_rows.c trainer/op_layers.c trainer/op_attn.c \
               trainer/op_plain.c trainer/kern_generic.c trainer/kern_avx2.c trainer/kern_avx512.c
LIB_trainer += trainer/sample.c trainer/generate.c
TOOLS += trainer/ft-generate.c
ROOMS_ft-generate := trainer tokenizer
EXT_trainer += -lpcre2-8

# Kernels, one file per ISA. No contraction, no fast-math: all give the same bits.
CFLAGS_kern_generic := -Wno-psabi -fno-math-errno
CFLAGS_kern_avx2    := -Wno-psabi -fno-math-errno $(if $(findstring x86_64,$(shell $(CC) -dumpmachine 2>&1)),-mavx2)
CFLAGS_kern_avx512  := -Wno-psabi -fno-math-errno $(if $(findstring x86_64,$(shell $(CC) -dumpmachine 2>&1)),\
  -mavx512f -mavx512dq -mavx512bw -mavx512vl)

# Files, adapters, the loop.
LIB_trainer += trainer/save.c trainer/safetensors.c trainer/schedule.c trainer/hf.c trainer/hf_config.c \
               trainer/weights.c trainer/adapter.c trainer/adapter_config.c trainer/base.c trainer/rows.c \
               trainer/adamw.c trainer/checkpoint.c trainer/evaluate.c trainer/recipe.c trainer/loop.c \
               trainer/output.c trainer/rundir.c trainer/job.c trainer/job_record.c
TOOLS += trainer/ft-train.c trainer/ft-eval.c trainer/ft-merge.c
ROOMS_ft-train := trainer tokenizer
ROOMS_ft-eval  := trainer tokenizer
ROOMS_ft-merge := trainer
