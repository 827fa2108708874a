#include "templates/chat_class.h"

#define END "<|endoftext|>"

/* The constructors of the tokenizers that language models use (5.23; the suffix Fast
 * does not matter), and the model types they are registered for. */
static const struct {
    const char *name, *tokens, *types;
} classes[] = {
    {"LlamaTokenizer", "unk_token <unk> bos_token <s> eos_token </s>", "idefics idefics2"},
    {"CodeLlamaTokenizer",
     "unk_token <unk> bos_token <s> eos_token </s> prefix_token ▁<PRE> middle_token ▁<MID> suffix_token ▁<SUF> eot_token ▁<EOT> "
     "fill_token <FILL_ME>",
     "code_llama"},
    {"GemmaTokenizer", "unk_token <unk> bos_token <bos> eos_token <eos> pad_token <pad> mask_token <mask>",
     "diffusion_gemma gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text recurrent_gemma shieldgemma2 t5gemma zaya"},
    {"Qwen2Tokenizer", "unk_token " END " eos_token " END " pad_token " END,
     "audioflamingo3 colqwen2 cosmos3_omni dots3_note fun_asr_nano hunyuan_vl internvl lighton_ocr moss_transcribe_diarize ovis2 "
     "qianfan_ocr qwen2 qwen2_5_omni qwen2_5_vl qwen2_audio qwen2_moe qwen2_vl qwen3 qwen3_asr qwen3_moe qwen3_next "
     "qwen3_omni_moe qwen3_vl qwen3_vl_moe vibevoice"},
    {"Qwen3_5Tokenizer", "unk_token " END " eos_token " END " pad_token " END,
     "qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen4_exp"},
    {"CohereTokenizer",
     "unk_token <UNK> bos_token <BOS_TOKEN> eos_token <|END_OF_TURN_TOKEN|> pad_token <PAD> cls_token <CLS> sep_token <SEP> "
     "mask_token <MASK_TOKEN>",
     "aya_vision cohere cohere2"},
    {"GPT2Tokenizer", "unk_token " END " bos_token " END " eos_token " END,
     "blip-2 codegen dbrx emu3 gpt2 gpt_neo gptj hyperclovax_vision_v2 instructblip instructblipvideo jais2 opt phi starcoder2"},
    {"GPTNeoXTokenizer", "unk_token " END " bos_token " END " eos_token " END " pad_token <|padding|>",
     "falcon_mamba gpt_neox mamba mamba2 mpt olmo olmoe rwkv xlstm"},
    {"", "", /* a tokenizer of no class */
     "EvollaModel aria beam bigbird_pegasus canary flex_olmo glm glm4 glm4_moe glm4_moe_lite glm4v glm4v_moe glm_image glmasr got_ocr2 "
     "gpt_bigcode gradium_phonon_tts granite granitemoe granitemoehybrid granitemoeshared kimi_k25 kimi_linear kosmos-2 mimo_v2_flash "
     "minicpm_ocr minicpmv4_6 minicpmv4_7 ministral ministral3 mistral mistral3 mistral_large4 mixtral nemo_speechlm nystromformer "
     "olmo2 olmo3 olmo_hybrid pegasus_x persimmon pix2struct pixtral pocket_tts stablelm umt5 voxtral voxtral_realtime xlm-roberta-xl "
     "internlm2 llava minicpmv chatlm nemotron opencua arctic fuyu molmo2 minicpm3 camembertv2-base paddleocr_vl ernie4_5 "
     "ernie4_5_moe jamba iquestcoder molmo phimoe h2ovl_chat cohere_asr modernbert phi3_v step3_vl vipllava smolvlm "
     "modernbert-decoder minimax_m2 phi3 internlm3 hyperclovax_vlm hyperclovax openvla nvfp4 llava_next"},
};
enum { N_CLASSES = sizeof classes / sizeof *classes };

/* Types whose files name a wrong class: the registered one counts. */
static const char wrong[] = "arctic chatlm ernie4_5 ernie4_5_moe fuyu h2ovl_chat hyperclovax hyperclovax_vlm hyperclovax_vision_v2 internlm2 "
                            "internlm3 iquestcoder jamba llava llava_next minicpm3 minicpmv minimax_m2 modernbert modernbert-decoder molmo "
                            "molmo2 nemotron nvfp4 opencua openvla paddleocr_vl phi3 phi3_v phimoe qwen2 qwen3_5 qwen3_5_moe "
                            "qwen3_5_moe_text qwen4_exp step3_vl vipllava cohere_asr camembertv2-base siglip2 smolvlm";

static bool listed(const char *list, struct ft_str word)
{
    for (const char *p = list; word.n && *p;) {
        const size_t n = strcspn(p, " ");
        if (n == word.n && !memcmp(p, word.p, n))
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

static struct ft_str string_of(const struct ft_json *v, const char *name)
{
    const struct ft_json *x = ft_json_get(v, name);
    return x && x->type == FT_JSON_STRING ? x->s : (struct ft_str){0};
}

/* By name, -1: none of these. */
static int class_of(struct ft_str name)
{
    if (name.n > 4 && !memcmp(name.p + name.n - 4, "Fast", 4))
        name.n -= 4;
    for (int i = 0; name.n && i < N_CLASSES; i++)
        if (ft_str_is(name, classes[i].name))
            return i;
    return -1;
}

const char *ft_chat_class_tokens(const struct ft_json *config, const struct ft_json *model, bool byte_level)
{
    const struct ft_str type = string_of(model, "model_type");
    struct ft_str name = string_of(config, "tokenizer_class");
    if (!name.n)
        name = string_of(model, "tokenizer_class");
    int class = class_of(name), registered = -1;
    for (int i = 0; i < N_CLASSES; i++)
        if (listed(classes[i].types, type))
            registered = i;
    const bool mistaken = listed(wrong, type);
    if (class == 0 && byte_level && !mistaken)
        return "";
    if (!name.n)
        class = registered;
    else if (registered >= 0 && registered != class)
        class = !*classes[registered].name ? -1 : mistaken ? registered : class;
    return class < 0 ? "" : classes[class].tokens;
}
