# tuneutils: one Makefile; every folder adds a fragment, module.mk.
#
#   make                 all tools, in build/bin
#   make deps            install what the build needs (Debian, Ubuntu; uses sudo when not root)
#   make demo            the main job end to end, on data in datasets/
#   make check           all tests that need no network and no Python
#   make check-all       the same under sanitizers, clang -Werror and tiny buffers
#   make install         to PREFIX (/usr/local); PROGRAM_PREFIX=ft_ renames the plain verbs
#   make fuzz parity bench   open-ended runs; see tests/README.md
#
# B is the build folder: a variant is the same build in another folder, such as
# make check B=build/asan EXTRA=-fsanitize=address,undefined.

B      ?= build
CC     ?= cc
CFLAGS ?= -O3 -g
EXTRA  ?=
PREFIX ?= /usr/local
PROGRAM_PREFIX ?=

# No -ffast-math (it loses NaN); contraction off, so that results do not depend
# on which compiler fuses what: kernels ask for FMA by intrinsics.
STD  = -std=c11 -D_GNU_SOURCE -ffp-contract=off -fno-strict-aliasing
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
ALL_CFLAGS = $(STD) $(WARN) -I. $(CFLAGS) $(EXTRA)

# Each fragment appends: LIB_<room> (sources of its library), TOOLS (path of the
# source with main), and for a tool what it links: ROOMS_<tool>, EXT_<tool>.
LIB_pipeline  :=
LIB_tokenizer :=
LIB_templates :=
LIB_trainer   :=
TOOLS         :=
EXT_pipeline  := -ldl -ljansson -lxxhash -lm -lpthread
EXT_tokenizer := -lpcre2-8 -lutf8proc
EXT_templates :=
EXT_trainer   := -lopenblas

# All processors, unless -j says otherwise; each target's output stays together.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2) -Otarget
endif

all:
.SECONDEXPANSION:
include $(wildcard pipeline/module.mk tokenizer/module.mk templates/module.mk trainer/module.mk \
                   datasets/module.mk tests/module.mk)

ROOMS = pipeline tokenizer templates trainer
BIN   = $(addprefix $(B)/bin/,$(notdir $(basename $(TOOLS))))

all: $(BIN)
.DEFAULT_GOAL := all

obj = $(addprefix $(B)/,$(1:.c=.o))
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CFLAGS_$(notdir $*)) -MMD -MP -c $< -o $@

define room_rules
$(B)/lib$(1).a: $(call obj,$(LIB_$(1))) $(1)/module.mk
	@rm -f $$@
	ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

# A tool links its rooms in the order given, then the ground.
define tool_rules
$(B)/bin/$(notdir $(basename $(1))): $(call obj,$(1)) \
    $(foreach r,$(ROOMS_$(notdir $(basename $(1)))) pipeline,$(B)/lib$(r).a)
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ \
	  $(foreach r,$(ROOMS_$(notdir $(basename $(1)))) pipeline,$(EXT_$(r))) $$(LDLIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool_rules,$(t))))

$(eval $(test_rules))

# ---- installing ----

# A plain verb gets PROGRAM_PREFIX; the names of ft- programs are their own.
install: all
	install -d '$(DESTDIR)$(PREFIX)/bin'
	@for t in $(BIN); do n=$${t##*/}; case $$n in ft-*) ;; *) n='$(PROGRAM_PREFIX)'$$n ;; esac; \
	  echo "install $$n"; install -m 755 $$t '$(DESTDIR)$(PREFIX)/bin/'$$n || exit; done

uninstall:
	@for t in $(BIN); do n=$${t##*/}; case $$n in ft-*) ;; *) n='$(PROGRAM_PREFIX)'$$n ;; esac; \
	  rm -f '$(DESTDIR)$(PREFIX)/bin/'$$n; done

# What the build needs, by the names of Debian and Ubuntu. `make deps WITH=clang`
# adds what check-all and fuzz need.
DEPS = gcc libc6-dev make pkg-config libarchive-dev libpcre2-dev libjansson-dev libxxhash-dev libopenblas-dev libutf8proc-dev
WITH ?=
deps:
	@if ! command -v dpkg-query >/dev/null; then \
	  echo 'deps: not a Debian or Ubuntu: install what they call: $(DEPS) $(WITH)' >&2; exit 0; fi; \
	missing=$$(for p in $(DEPS) $(WITH); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -n "$$missing" ] || exit 0; \
	echo "deps: installing" $$missing; \
	as=; if [ "$$(id -u)" != 0 ]; then as=sudo; \
	  command -v sudo >/dev/null || { echo "deps: run as root: apt-get install" $$missing >&2; exit 1; }; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$as apt-get update -q && $$as apt-get install -y -q --no-install-recommends $$missing

clean:
	rm -rf $(B)

-include $(patsubst %.c,$(B)/%.d,$(foreach r,$(ROOMS),$(LIB_$(r))) $(TOOLS) $(TEST_SRC))

.PHONY: all clean deps install uninstall
.SECONDARY:
