# Tests. A new one is a new file: tests/unit/NAME.c, tests/fuzz/NAME.c (with
# tests/fuzz/corpus/NAME/), tests/cli/NAME.sh with NAME.out and NAME.err.
# `make check T='unit/json cli/dedupe*'` runs some of them; tests/run tells more.

T ?=

TEST_UNIT := $(wildcard tests/unit/*.c)
TEST_FUZZ := $(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
TEST_BENCH := $(wildcard tests/bench/*.c)
TEST_SRC  := $(TEST_UNIT) $(TEST_FUZZ) $(TEST_BENCH) tests/fuzz/replay.c
TEST_BIN  := $(patsubst %.c,$(B)/%,$(TEST_UNIT) $(TEST_FUZZ))

# A test links the rooms whose headers it includes.
$(foreach r,tokenizer templates trainer,$(eval TEST_USES_$(r) := \
  $(shell grep -l '^.include "$(r)/' $(TEST_UNIT) $(TEST_FUZZ) $(TEST_BENCH) /dev/null)))
test_rooms = $(foreach r,tokenizer templates trainer,$(if $(filter $(1),$(TEST_USES_$(r))),$(r))) pipeline
test_libs  = $(foreach r,$(call test_rooms,$(1)),$(B)/lib$(r).a)
test_ext   = $(foreach r,$(call test_rooms,$(1)),$(EXT_$(r))) $(EXT_$(basename $(notdir $(1))))
EXT_input := -larchive # unit/input packs
EXT_frames := -larchive

define unit_rules
$(B)/$(1:.c=): $(call obj,$(1)) $(call test_libs,$(1))
	$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ $(call test_ext,$(1)) $$(LDLIBS)
endef
define fuzz_rules
$(B)/$(1:.c=): $(call obj,$(1) tests/fuzz/replay.c) $(call test_libs,$(1))
	$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ $(call test_ext,$(1)) $$(LDLIBS)
$(B)/$(1:.c=.fuzzer): $(call obj,$(1)) $(call test_libs,$(1))
	$$(CC) $$(ALL_CFLAGS) -fsanitize=fuzzer $$(LDFLAGS) -o $$@ $$^ $(call test_ext,$(1)) $$(LDLIBS)
endef
define test_rules
$(foreach t,$(TEST_UNIT) $(TEST_BENCH),$(eval $(call unit_rules,$(t))))
$(foreach t,$(TEST_FUZZ),$(eval $(call fuzz_rules,$(t))))
endef

# Only what is asked for is built, so that one part can be tested while another
# is being written; scripts may call any tool.
TEST_NAMED = $(patsubst %.c,$(B)/%,$(wildcard $(patsubst %,tests/%.c,$(filter unit/% fuzz/%,$(T)))))
TEST_NEEDS = $(if $(T),$(filter $(TEST_NAMED),$(TEST_BIN)) \
               $(if $(filter-out unit/% fuzz/%,$(T)),$(BIN)),$(BIN) $(TEST_BIN))

tests: $(TEST_BIN)

check:
	@$(MAKE) --no-print-directory B=$(B) check-build
	@B='$(B)' JOBS='$(JOBS)' tests/run $(foreach t,$(T),'$(t)')
check-build: $$(TEST_NEEDS)

SAN = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
check-all: check
	$(MAKE) check B=$(B)/asan  CFLAGS='-O1 -g' EXTRA='$(SAN)'
	TINY=1 $(MAKE) check B=$(B)/tiny  CFLAGS='-O1 -g' EXTRA='$(SAN) -DFT_TINY'
	$(MAKE) check B=$(B)/clang CC=clang EXTRA=-Werror

# make fuzz NAME=json [TIME=600]: new inputs collect in $(B)/fuzz/corpus-NAME;
# copy the small ones that found something into tests/fuzz/corpus/NAME.
NAME ?=
TIME ?= 60
fuzz:
	@test -f tests/fuzz/$(NAME).c || { echo "fuzz: NAME is one of: $(notdir $(basename $(TEST_FUZZ)))" >&2; exit 2; }
	$(MAKE) B=$(B)/fuzz CC=clang CFLAGS='-O1 -g' \
	  EXTRA='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' $(B)/fuzz/tests/fuzz/$(NAME).fuzzer
	@mkdir -p $(B)/fuzz/corpus-$(NAME)
	cd $(B)/fuzz && tests/fuzz/$(NAME).fuzzer -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
	  corpus-$(NAME) $(CURDIR)/tests/fuzz/corpus/$(NAME)

# One bench alone: make bench-tokenizer ARGS='...'
bench-%: $$(BIN) $$(addprefix $$(B)/,$$(basename $$(TEST_BENCH)))
	@TEST_DATA="$${TEST_DATA:-$(CURDIR)/../shared/data}" B='$(abspath $(B))' TESTS='$(CURDIR)/tests' PATH="$(abspath $(B))/bin:$$PATH" bash tests/bench/$*.sh

# One comparison alone, for as long as wanted: make parity-tokenizer TIME=3600
parity-%: $$(BIN) $$(if $$(wildcard tests/bench/$$*.c),$$(B)/tests/bench/$$*)
	@d=$$(mktemp -d) && cd $$d && B='$(abspath $(B))' ROOT='$(CURDIR)' TESTS='$(CURDIR)/tests' TIME='$(TIME)' ARGS='$(ARGS)' \
	  TEST_DATA="$${TEST_DATA:-$(CURDIR)/../shared/data}" PATH="$(abspath $(B))/bin:$$PATH" bash '$(CURDIR)/tests/parity/$*.sh'; \
	  s=$$?; rm -rf $$d; exit $$s

parity bench: $$(BIN) $$(patsubst %.c,$$(B)/%,$$(TEST_BENCH))
	@B='$(B)' JOBS=1 tests/run '$@/*'

.PHONY: tests check check-build check-all fuzz parity bench
