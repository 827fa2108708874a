LIB_tokenizer += tokenizer/unicode.c tokenizer/text.c tokenizer/regex.c tokenizer/scan.c tokenizer/charsmap.c \
                 tokenizer/normalize.c tokenizer/pretok.c tokenizer/vocab.c tokenizer/trie.c tokenizer/model.c \
                 tokenizer/bpe.c tokenizer/unigram.c tokenizer/added.c tokenizer/post.c tokenizer/decode.c \
                 tokenizer/tokenizer.c
TOOLS += tokenizer/tokenize.c tokenizer/detokenize.c
ROOMS_tokenize   := tokenizer
ROOMS_detokenize := tokenizer
