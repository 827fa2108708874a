#include "templates/chat_edges.h"

#include "pipeline/hash.h"
#include "templates/chat_json.h"

/* ---- known templates ---- */

#define THINK  {.begin = FT_EDGE_THINK, .space = true, .tail = true}
#define BREAK  {.begin = FT_EDGE_BREAK, .space = true, .tail = true}
#define HEADER {.begin = FT_EDGE_HEADER}
#define EXACT  {.begin = FT_EDGE_PROMPT}
/* A call is not stopped: its result stands in the turn. */
#define OPEN   {.begin = FT_EDGE_THINK, .space = true, .tail = true, .unlearnt = {"<|tool_response>", 16}}

/* The digest is that of _ft.tpl (pipeline/RECORD.md): XXH3-128 of the template's text. */
static const struct {
    const char *digest;
    struct ft_edges edges;
} known[] = {
    {"e7ee2b9216f53b6370030d47d420498e", THINK}, /* cohere2 */
    {"b4c4d412caedff3162507bcd2e3bf746", THINK}, /* cohere */
    {"b59c4fde1d06da0055b25ceb4910aa64", HEADER}, /* deepseek_r1_distill */
    {"fc60798d3b3a231256a138c31521e7c8", HEADER}, /* deepseekv3 */
    {"f7467a36bd17239d6ebfc3d340d692c5", OPEN}, /* diffusion_gemma */
    {"b546b57343476e4b0e6b5d015d462201", OPEN}, /* and its patch, whose blocks say it only of calls */
    {"24b726d4a5f4731b6d23022eb1773ed6", THINK}, /* gemma3 */
    {"8b30bb763d138e692c2e86beabccd2a4", THINK}, /* gemma */
    {"158e3477a24f6e26a59a37db2b6d44d1", EXACT}, /* glm4moe */
    {"263b899cbc2e65c8b619f5c43a935065", HEADER}, /* gptoss */
    {"7442d57194529836462f2b9bdcaf396a", THINK}, /* idefics3 */
    {"e4dffab064fe05ee9a759f31d2cc23b5", THINK}, /* lfm2 */
    {"6ab6c45377773e40a87b606351ee7919", THINK}, /* lfm2_v2 */
    {"09facc0e4aa943189799ad6e2dea0594", THINK}, /* llama3 */
    {"79ca1a5603ef4b7fe0e4ebff14316be1", EXACT}, /* llava_next */
    {"5658b70d4b80290538e116fd5b0055ab", HEADER}, /* muse_glimmer */
    {"a040e90b21a58800c87f8761e06a21d0", THINK}, /* nemotron_3_5_lightning */
    {"6a1034663ba623e459217c3bcecca70f", THINK}, /* nemotron_3_nano */
    {"b36468f3e776823125e5b06c026e94dc", THINK}, /* nemotron_3_super */
    {"86848719b76b995add23cf4bd0fdd75a", THINK}, /* nemotron_3_ultra */
    {"ceaa31b1554ec3f5cd8aff863abd4554", THINK}, /* phi3_5 */
    {"0850c77e9e7c37ed82fc89c04c54ba66", THINK}, /* phi3 */
    {"c63bde148c12b98b639547fe4d33fa67", BREAK}, /* qwen2_5 */
    {"e83000dd638f8c39d63c0ab8ac046a45", THINK}, /* qwen2_5_vl */
    {"b20ce3c106c0a721ea7113e61d9a8bcf", THINK}, /* qwen3_5_nothink */
    {"427b80bb3dda26b10ed0a1d8b9d7e0be", THINK}, /* qwen3_5_think */
    {"572380022568fa7b579b2c2e5ecdae85", THINK}, /* qwen3_6 */
    {"cb9dfc65c3b50c42b488fed7dae5f0ed", THINK}, /* qwen3_8 */
    {"cc9ddd5a40bc1c0c8fb5d937b1e8f5d0", THINK}, /* qwen3_instruct_2507 */
    {"0fab82ce8f4d5175c9e0155c80737cf2", THINK}, /* qwen3 */
    {"6e7769344aefb8d81c679e5ba3aa43b5", THINK}, /* qwen3_vl */
    {"ba3ceafa7fdf34a92bcef3090f0b2cbe", THINK}, /* smolvlm */
};

bool ft_edges_of_trl(const struct ft_template *t, struct ft_edges *out)
{
    const struct ft_str text = ft_template_source(t);
    char hex[33];
    ft_digest_hex(ft_hash128(text.p, text.n), hex);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(hex, known[i].digest)) {
            *out = known[i].edges;
            return true;
        }
    return false;
}

/* ---- templates with blocks ---- */

/* Do turns with these edges equal the blocks of the one answer? */
static bool fits(const struct ft_finder *f, const struct ft_edges *edges, const struct ft_gen_span *gens, size_t n)
{
    struct ft_finder g = *f;
    struct ft_turn_list l = {0};
    g.edges = *edges;
    ft_find_turn(&g, 1, true, &l);
    if (l.n != 1 || !n || l.v[0].begin != gens[0].begin)
        return false;
    for (size_t i = 1; i < n; i++) /* in pieces, as they were written */
        if (gens[i].begin != gens[i - 1].end)
            return false;
    return l.v[0].end == gens[n - 1].end;
}

/* Gives the template the special tokens that it may ask for. */
static void with_tokens(struct ft_chat_call *call, struct ft_arena *a)
{
    static const char *const names[] = {"bos_token", "eos_token", "pad_token", "unk_token"}, *const texts[] = {"<s>", "</s>", "<pad>", "<unk>"};
    struct ft_var *v = FT_NEWS(a, struct ft_var, call->nvars + 4);
    struct ft_json *text = FT_NEWS(a, struct ft_json, 4);
    for (int i = 0; i < 4; i++) { /* the later one of a name wins */
        text[i] = ft_json_of_str(ft_strz(texts[i]));
        v[i] = (struct ft_var){ft_strz(names[i]), &text[i]};
    }
    if (call->nvars)
        memcpy(v + 4, call->vars, call->nvars * sizeof *v);
    call->vars = v;
    call->nvars += 4;
}

/* One probe, rendered with spans. */
struct probe {
    struct ft_render *r;
    struct ft_json chat;
    struct ft_chat_call call;
    struct ft_rendered x;
    struct ft_finder f;
};

/* false: it does not render, or nothing of the answer is printed. */
static bool prepare(struct probe *p, const struct ft_finder *f, const struct ft_chat_call *call, struct ft_json chat)
{
    struct ft_chat_span *spans;
    struct ft_err e = {0};
    p->chat = chat;
    p->call = *call;
    p->call.messages = &p->chat;
    if (ft_chat_render(p->r, &p->call, f->a, &p->x, &e))
        return false;
    const size_t n = ft_chat_spans(p->r, &p->x, &p->chat, call->vars, call->nvars, f->a, &spans);
    p->f = (struct ft_finder){.probe = f->probe, .rules = f->rules, .call = &p->call, .text = p->x.text, .spans = spans,
                              .n_spans = n, .a = f->a, .budget = 1};
    ft_probe_begin(f->probe);
    p->f.own_stop = ft_probe_stop(f->probe, &p->call, &p->f.middle_stop, f->a);
    ft_finder_index(&p->f);
    return p->f.first[1] <= p->f.last[1];
}

bool ft_edges_of_blocks(const struct ft_finder *f, struct ft_edges *out)
{
    struct ft_chat_call call = *f->call;
    struct probe end = {.r = ft_render_new()}, middle = {.r = ft_render_new()};
    bool good = false, found = false;

    /* The template alone decides, whatever record comes first. */
    call.kwargs = NULL;
    with_tokens(&call, f->a);
    call.tools = call.documents = NULL;
    call.fixed = true;
    call.generation_prompt = false;
    call.continue_field = (struct ft_str){0};
    call.spans = true;
    for (int parts = 0; parts < 2 && !good && ft_template_has_generation(call.t); parts++) {
        const struct ft_json chat = ft_probe_chat(f->a, parts);
        good = prepare(&end, f, &call, ft_json_slice(&chat, 0, 2)) && prepare(&middle, f, &call, chat);
    }
    for (int k = 0; good && !found && k < 16; k++) {
        const struct ft_edges way = {.begin = (enum ft_edge)(k / 4), .space = k % 4 & 1, .tail = k % 4 & 2};
        found = fits(&end.f, &way, end.x.gens, end.x.ngens) && fits(&middle.f, &way, middle.x.gens, middle.x.ngens);
        if (found)
            *out = way;
    }
    ft_probe_begin(f->probe);
    ft_render_free(end.r);
    ft_render_free(middle.r);
    return found;
}
