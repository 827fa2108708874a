# The map of the room: every idea, and its files. NAME.h is the manual of NAME.c; op_*.c: ops.h, kern_*.c: kern.h.

# A decoder (decoder.h): parameters, the pass over a block, planned memory, adapters on its linears, generating.
LIB_trainer += $(addprefix trainer/,config.c param.c decoder.c layout.c rope.c block.c linear.c lora.c step.c generate.c sample.c)

# The CPU backend (backend.h, ops.h): threads, operators, kernels by instruction set; op_plain.c defines each operator.
LIB_trainer += $(addprefix trainer/,team.c cpu.c op_gemm.c op_rows.c op_layers.c op_attn.c op_plain.c kern_generic.c kern_avx2.c kern_avx512.c)

# Files: safetensors, folders as Hugging Face and PEFT have them.
LIB_trainer += $(addprefix trainer/,save.c safetensors.c hf.c hf_config.c weights.c base.c adapter.c adapter_config.c output.c)

# A run (loop.h): rows of a set, optimizer, schedule, log, checkpoints, evaluation; its recipe and folder.
LIB_trainer += $(addprefix trainer/,job.c job_record.c recipe.c rundir.c rows.c loop.c adamw.c schedule.c checkpoint.c evaluate.c)

EXT_trainer += -lpcre2-8
TOOLS += trainer/ft-train.c trainer/ft-eval.c trainer/ft-generate.c trainer/ft-merge.c
ROOMS_ft-train    := trainer tokenizer
ROOMS_ft-eval     := trainer tokenizer
ROOMS_ft-generate := trainer tokenizer
ROOMS_ft-merge    := trainer

# Kernels, one file per ISA. No contraction, no fast-math: all give the same bits.
CFLAGS_kern_generic := -Wno-psabi -fno-math-errno
CFLAGS_kern_avx2    := -Wno-psabi -fno-math-errno $(if $(findstring x86_64,$(shell $(CC) -dumpmachine 2>&1)),-mavx2)
CFLAGS_kern_avx512  := -Wno-psabi -fno-math-errno $(if $(findstring x86_64,$(shell $(CC) -dumpmachine 2>&1)),\
  -mavx512f -mavx512dq -mavx512bw -mavx512vl)
