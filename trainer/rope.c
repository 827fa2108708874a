/* Rotary position tables, as transformers makes them (modeling_rope_utils.py):
 * frequencies and angles in float32, so that positions in the thousands agree. */
#include <math.h>

#include "pipeline/mem.h"
#include "trainer/block.h"

static void llama3(const struct ft_rope *r, double original, float *freq, ft_dim half)
{
    const double low = original / r->low_freq, high = original / r->high_freq;

    for (ft_dim i = 0; i < half; i++) {
        const double wave = 2 * M_PI / freq[i];
        if (wave > low)
            freq[i] = (float)(freq[i] / r->factor);
        else if (wave >= high) {
            const double s = (original / wave - r->low_freq) / (r->high_freq - r->low_freq);
            freq[i] = (float)((1 - s) * freq[i] / r->factor + s * freq[i]);
        }
    }
}

/* The dimension whose wave turns `turns` times over the original positions. */
static double yarn_dim(const struct ft_rope *r, double turns, ft_dim dim, double original)
{
    return (double)dim * log(original / (turns * 2 * M_PI)) / (2 * log(r->theta));
}

static double yarn_mscale(double scale, double by) { return scale <= 1 ? 1 : 0.1 * by * log(scale) + 1; }

/* Interpolates low frequencies, keeps high ones, blends between; returns the
 * factor on cosines and sines. */
static double yarn(const struct ft_rope *r, double original, float *freq, ft_dim half)
{
    double low = yarn_dim(r, r->beta_fast, 2 * half, original), high = yarn_dim(r, r->beta_slow, 2 * half, original);

    if (r->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, 2 * (double)half - 1);
    if (low == high)
        high += 0.001;
    for (ft_dim i = 0; i < half; i++) {
        const double ramp = fmin(1, fmax(0, ((double)i - low) / (high - low)));
        freq[i] = (float)(freq[i] / r->factor * ramp + freq[i] * (1 - ramp));
    }
    if (r->attention_factor > 0)
        return r->attention_factor;
    if (r->mscale > 0 && r->mscale_all_dim > 0)
        return yarn_mscale(r->factor, r->mscale) / yarn_mscale(r->factor, r->mscale_all_dim);
    return yarn_mscale(r->factor, 1);
}

void ft_rope_table(const struct ft_config *c, float *table, ft_dim positions)
{
    const struct ft_rope *r = &c->rope;
    const ft_dim D = c->head_dim, half = D / 2;
    const double original = r->original_max > 0 ? r->original_max : (double)c->max_positions;
    struct ft_arena a = {0};
    float *freq = FT_NEWS(&a, float, half);
    double scale = 1;

    for (ft_dim i = 0; i < half; i++)
        freq[i] = 1 / (float)pow(r->theta, (double)((float)(2 * i) / (float)D));
    if (r->kind == FT_ROPE_LINEAR)
        for (ft_dim i = 0; i < half; i++)
            freq[i] = (float)(freq[i] / r->factor);
    else if (r->kind == FT_ROPE_LLAMA3)
        llama3(r, original, freq, half);
    else if (r->kind == FT_ROPE_YARN)
        scale = yarn(r, original, freq, half);
    for (ft_dim p = 0; p < positions; p++)
        for (ft_dim i = 0; i < half; i++) {
            const double angle = (float)p * freq[i]; /* a float32 product */
            table[p * D + i] = (float)(cos(angle) * scale);
            table[p * D + half + i] = (float)(sin(angle) * scale);
        }
    ft_arena_release(&a);
}
