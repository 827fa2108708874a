# A tokenizer.json as older versions of the library wrote it, or as a hand changed it: loaded as the library loads it, or refused by name.
export TUNEUTILS_CACHE=off
V='"vocab":{"<unk>":0,"a":1,"b":2,"ab":3,"##b":4," ":5}'
# try MODEL [OTHER MEMBERS]
try() {
  echo "{\"model\":{$1}${2:+,$2}}" >t.json
  echo '{"text":"ab a"}' | tokenize -q -m t.json --append-eos=no --add-special-tokens=yes --offsets=byte | sed 's/.*"input_ids"/"input_ids"/; s/,* *"_ft".*//'
}
bpe="\"type\":\"BPE\",\"unk_token\":\"<unk>\",$V"
wp='"unk_token":"<unk>","continuing_subword_prefix":"##","max_input_chars_per_word":9'
echo "# merges with the first line of a merges.txt; both spellings in one list"
try "$bpe,\"merges\":[\"#version: 0.2\",\"a b\"]"
try "$bpe,\"merges\":[\"a b\",[\"a\",\"b\"]]"
try "$bpe,\"merges\":[[\"a\",\"b\"],\"#version: 0.2\"]"
try "$bpe,\"continuing_subword_prefix\":\"##\",\"merges\":[\"a b\"]"
echo "# no type: what is there tells"
try "$wp,$V"
try "\"unk_token\":\"<unk>\",\"max_input_chars_per_word\":9,$V"
try "$wp,\"merges\":null,$V"
try "\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":null,\"merges\":[\"a b\"],$V"
try "\"type\":null,$wp,$V"
echo "# members that have no default"
try "\"type\":\"WordLevel\",$V"
try "\"type\":\"WordPiece\",\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":\"##\",$V"
try "\"type\":\"WordPiece\",\"unk_token\":\"<unk>\",\"max_input_chars_per_word\":9,$V"
bpe="$bpe,\"merges\":[]"
try "$bpe" '"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":"no","lowercase":true}'
try "$bpe" '"added_tokens":{"id":1}'
try "$bpe" '"added_tokens":[{"id":-1,"content":"x","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]'
echo "# a component whose type is not a name is told by its members"
try "$bpe" '"normalizer":{"type":7,"prepend":"b"}'
try "$bpe" '"post_processor":{"type":[],"sep":["b",2],"cls":["a",1]}'
echo "# of RoBERTa's flags one that is none makes it BERT"
try "$bpe" '"post_processor":{"type":"RobertaProcessing","sep":["b",2],"cls":["a",1],"trim_offsets":true,"add_prefix_space":null}'
try "$bpe" '"post_processor":{"type":"RobertaProcessing","sep":["b",2],"cls":["a",1],"trim_offsets":true,"add_prefix_space":true}'
try "$bpe" '"post_processor":{"type":"ByteLevel","trim_offsets":true,"add_prefix_space":null}'
echo "# a template that lacks a token fails where the token is needed"
P='"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":0}}],"special_tokens":'
try "$bpe" "$P{}}"
echo '{"text":"ab a"}' | tokenize -q -m t.json --append-eos=no --add-special-tokens=no | sed 's/,* *"_ft".*//'
try "$bpe" "$P[]}"
