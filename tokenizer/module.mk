# The map of the room: every idea, and its files. NAME.h is the manual of NAME.c; headers without a .c of their
# name say in their first line whose they are.

# What others call (tokenizer.h): loading, encoding, decoding; which tokens belong to a range of the text. encode.c runs the
# components one behind the other; this slow way is exact for every tokenizer.json, and the oracle of the quick one.
LIB_tokenizer += $(addprefix tokenizer/,tokenizer.c load.c encode.c encode_marks.c marks.c encode_guarded.c ranges.c decode_stream.c verify.c)

# The components of a tokenizer.json, each by its name there (post: post_processor, added: added_tokens).
LIB_tokenizer += $(addprefix tokenizer/,component.c pattern.c normalize.c normal_form.c charsmap.c added.c pretok.c post.c decode.c)

# Its models, word to ids: WordPiece and WordLevel in model.c, BPE and its merges, Unigram.
LIB_tokenizer += $(addprefix tokenizer/,model.c vocab.c trie.c bpe.c merges.c merge_list.c bpe_reachable.c bpe_many.c unigram.c)

# What they are made of: text that knows where it came from, the byte-level alphabet, Unicode, regular expressions as Oniguruma reads them.
LIB_tokenizer += $(addprefix tokenizer/,text.c byte_level.c unicode.c unicode_class.c regex.c regex_syntax.c regex_literal.c regex_group.c regex_class.c regex_set.c regex_case.c)

# The quick way (fast.h), recognised at load. Where words end: by hand-written rules (scan, words), by the automata of any
# regex (automaton; pass, part after part; split), in units of raw text (units).
LIB_tokenizer += $(addprefix tokenizer/,fast.c fast_load.c fast_ends.c fast_places.c scan.c words.c units.c automaton.c automaton_pattern.c automaton_match.c pass.c split.c prefilter.c)

# What words become: remembered (cache.h), or cut into parts that are (cut).
LIB_tokenizer += $(addprefix tokenizer/,cache.c cache_batch.c cache_seed.c cache_long.c cache_parts.c cut.c)

# What is told from single characters, where words are new without end: Chinese, Japanese, Korean.
LIB_tokenizer += $(addprefix tokenizer/,normalize_chars.c lone_chars.c spell.c spell_unigram.c spell_places.c)

# A loaded tokenizer as a file to be mapped.
LIB_tokenizer += $(addprefix tokenizer/,image.c image_write.c)

# Vocabularies that are no tokenizer.json (vocab_file.h), and what SentencePiece does unlike the library.
LIB_tokenizer += $(addprefix tokenizer/,vocab_file.c sentencepiece.c sp_normalize.c sp_unigram.c tiktoken.c base64.c)

# Records through tokenize.
LIB_tokenizer += $(addprefix tokenizer/,tokenize_record.c tokenize_spans.c)

# train-tokenizer: texts in, words counted, merges learnt, a tokenizer.json out.
LIB_tokenizer += $(addprefix tokenizer/,train_texts.c train_split.c train_tally.c train_runs.c train_alphabet.c train_bpe.c train_base.c train_recipe.c train_write.c)

TOOLS += tokenizer/tokenize.c tokenizer/detokenize.c tokenizer/train-tokenizer.c
ROOMS_tokenize        := tokenizer
ROOMS_detokenize      := tokenizer
ROOMS_train-tokenizer := tokenizer

# Kernels by instruction set, chosen at run time.
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>&1)),)
LIB_tokenizer += tokenizer/words_avx2.c tokenizer/words_avx512.c
CFLAGS_words_avx2   := -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt
CFLAGS_words_avx512 := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi -mavx512vbmi2 -mbmi -mbmi2 -mlzcnt -mpopcnt
endif

# An image is good for the very sources that made it.
TK_SOURCES := $(sort $(wildcard tokenizer/*.[ch] pipeline/json*.[ch]) pipeline/hash.c)
CFLAGS_image := -DTK_STAMP='"$(shell cat $(TK_SOURCES) | cksum | tr ' ' -)"'
$(B)/tokenizer/image.o: $(TK_SOURCES)
