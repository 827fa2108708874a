LIB_tokenizer += tokenizer/unicode.c tokenizer/text.c tokenizer/regex.c tokenizer/scan.c tokenizer/charsmap.c \
                 tokenizer/normalize.c tokenizer/pretok.c tokenizer/vocab.c tokenizer/trie.c tokenizer/model.c \
                 tokenizer/bpe.c tokenizer/unigram.c tokenizer/added.c tokenizer/post.c tokenizer/decode.c \
                 tokenizer/tokenizer.c
LIB_tokenizer += tokenizer/train_words.c tokenizer/train_split.c tokenizer/train_alphabet.c tokenizer/train_bpe.c \
                 tokenizer/train_recipe.c tokenizer/train_write.c
TOOLS += tokenizer/tokenize.c tokenizer/detokenize.c
ROOMS_tokenize   := tokenizer
ROOMS_detokenize := tokenizer
TOOLS += tokenizer/train-tokenizer.c
ROOMS_train-tokenizer := tokenizer
