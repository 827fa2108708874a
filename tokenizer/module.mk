LIB_tokenizer += tokenizer/unicode.c tokenizer/unicode_class.c tokenizer/text.c tokenizer/regex.c tokenizer/regex_syntax.c tokenizer/regex_class.c tokenizer/regex_set.c tokenizer/regex_case.c tokenizer/scan.c tokenizer/charsmap.c tokenizer/normalize_chars.c \
                 tokenizer/component.c tokenizer/pattern.c tokenizer/normalize.c tokenizer/normal_form.c tokenizer/pretok.c tokenizer/vocab.c tokenizer/trie.c tokenizer/model.c \
                 tokenizer/bpe.c tokenizer/unigram.c tokenizer/added.c tokenizer/post.c tokenizer/decode.c \
                 tokenizer/cache.c tokenizer/cut.c tokenizer/lone_chars.c tokenizer/prefilter.c tokenizer/automaton.c tokenizer/split.c tokenizer/words.c tokenizer/units.c tokenizer/fast.c tokenizer/fast_load.c tokenizer/fast_ends.c tokenizer/fast_places.c tokenizer/image.c tokenizer/image_write.c \
                 tokenizer/tokenizer.c tokenizer/load.c tokenizer/encode.c tokenizer/encode_marks.c
LIB_tokenizer += tokenizer/cache_seed.c tokenizer/cache_long.c tokenizer/cache_batch.c tokenizer/cache_parts.c tokenizer/merges.c tokenizer/merge_list.c tokenizer/bpe_reachable.c tokenizer/bpe_many.c
# An image is good for the very sources that made it.
TK_SOURCES := $(sort $(wildcard tokenizer/*.[ch] pipeline/json*.[ch]) pipeline/hash.c)
CFLAGS_image := -DTK_STAMP='"$(shell cat $(TK_SOURCES) | cksum | tr ' ' -)"'
$(B)/tokenizer/image.o: $(TK_SOURCES)
# Kernels by instruction set, chosen at run time.
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>&1)),)
LIB_tokenizer += tokenizer/words_avx2.c tokenizer/words_avx512.c
CFLAGS_words_avx2   := -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt
CFLAGS_words_avx512 := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi -mavx512vbmi2 -mbmi -mbmi2 -mlzcnt -mpopcnt
endif
LIB_tokenizer += tokenizer/marks.c tokenizer/tokenize_record.c tokenizer/tokenize_spans.c
LIB_tokenizer += tokenizer/ranges.c tokenizer/verify.c tokenizer/decode_stream.c tokenizer/vocab_file.c tokenizer/sentencepiece.c tokenizer/tiktoken.c \
                 tokenizer/sp_normalize.c tokenizer/sp_unigram.c tokenizer/base64.c
LIB_tokenizer += tokenizer/train_tally.c tokenizer/train_split.c tokenizer/train_alphabet.c tokenizer/train_bpe.c \
                 tokenizer/train_recipe.c tokenizer/train_write.c tokenizer/train_base.c tokenizer/train_texts.c
TOOLS += tokenizer/tokenize.c tokenizer/detokenize.c
ROOMS_tokenize   := tokenizer
ROOMS_detokenize := tokenizer
TOOLS += tokenizer/train-tokenizer.c
ROOMS_train-tokenizer := tokenizer
LIB_tokenizer += tokenizer/encode_guarded.c
LIB_tokenizer += tokenizer/spell.c tokenizer/spell_unigram.c tokenizer/spell_places.c
