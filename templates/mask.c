#include "templates/mask.h"

static bool at(struct ft_ids row, size_t i, struct ft_ids what)
{
    return what.n && i + what.n <= row.n && !memcmp(row.v + i, what.v, what.n * sizeof *what.v);
}

enum ft_mask_found ft_mask_templates(struct ft_ids row, struct ft_ids response, struct ft_ids instruction,
                                     unsigned char *mask)
{
    size_t n_responses = 0, n_instructions = 0, last_end = 0, first_end = 0, first_begin = 0, last_begin = 0;

    memset(mask, 0, row.n);
    for (size_t i = 0; i < row.n; i++) { /* overlapping finds count, as they do there */
        if (at(row, i, response)) {
            last_end = i + response.n;
            if (!n_responses++)
                first_end = last_end;
        }
        if (at(row, i, instruction)) {
            last_begin = i;
            if (!n_instructions++)
                first_begin = i;
        }
    }
    if (!n_responses)
        return FT_MASK_NO_RESPONSE;
    if (!instruction.n) {
        memset(mask + last_end, 1, row.n - last_end);
        return FT_MASK_FOUND;
    }
    if (!n_instructions)
        return FT_MASK_NO_INSTRUCTION;

    memset(mask, 1, row.n);
    memset(mask, 0, first_end); /* the first pair, whatever its instruction */
    const bool starts_with_response = first_begin > first_end;
    bool uneven = false;
    size_t end = first_end; /* walk both lists in step */
    size_t i = starts_with_response ? 0 : first_begin + 1, r = first_end - response.n + 1;
    for (;;) {
        while (i < row.n && !at(row, i, instruction))
            i++;
        while (r < row.n && !at(row, r, response))
            r++;
        if (i >= row.n || r >= row.n)
            break;
        uneven |= i < end || r < i;
        if (r + response.n > i)
            memset(mask + i, 0, r + response.n - i);
        end = r + response.n;
        i++;
        r++;
    }
    n_instructions += starts_with_response;
    if (n_responses < n_instructions)
        memset(mask + last_begin, 0, row.n - last_begin);
    return uneven || n_responses > n_instructions || n_instructions > n_responses + 1 ? FT_MASK_UNEVEN : FT_MASK_FOUND;
}

bool ft_mask_run(const unsigned char *mask, size_t n, size_t *at_, size_t *begin, size_t *end)
{
    size_t i = *at_;
    while (i < n && !mask[i])
        i++;
    *begin = i;
    while (i < n && mask[i])
        i++;
    *end = *at_ = i;
    return *end > *begin;
}

static bool touches(const struct ft_mask_span *s, size_t begin, size_t end)
{
    return s->message >= 0 && s->begin < end && s->end > begin;
}

void ft_mask_last(unsigned char *mask, size_t n, const struct ft_mask_span *spans, size_t n_spans)
{
    size_t pos = 0, begin, end, last = 0, last_end = 0;
    int32_t message = -1;

    while (ft_mask_run(mask, n, &pos, &begin, &end)) {
        last = begin;
        last_end = end;
    }
    for (size_t i = 0; i < n_spans; i++)
        if (touches(&spans[i], last, last_end))
            message = spans[i].message;
    for (pos = 0; ft_mask_run(mask, n, &pos, &begin, &end) && begin < last;) {
        bool same = false;
        for (size_t i = 0; i < n_spans && message >= 0; i++)
            same |= spans[i].message == message && touches(&spans[i], begin, end);
        if (!same)
            memset(mask + begin, 0, end - begin);
    }
}

static bool wanted(struct ft_str role, const struct ft_str *roles, size_t n_roles)
{
    for (size_t i = 0; i < n_roles; i++)
        if (ft_str_eq(role, roles[i]))
            return true;
    return false;
}

void ft_mask_roles(unsigned char *mask, size_t n, const struct ft_mask_span *spans, size_t n_spans,
                   const struct ft_str *roles, size_t n_roles)
{
    const struct ft_str assistant = FT_STR("assistant");
    size_t pos = 0, begin, end;
    bool learnt = false;

    while (ft_mask_run(mask, n, &pos, &begin, &end)) {
        struct ft_str role = assistant;
        learnt = true;
        for (size_t i = 0; i < n_spans; i++)
            if (touches(&spans[i], begin, end)) {
                role = spans[i].role;
                break;
            }
        if (!wanted(role, roles, n_roles))
            memset(mask + begin, 0, end - begin);
    }
    /* What is not learnt of an assistant was left out on purpose. */
    for (size_t i = 0; i < n_spans; i++)
        if (spans[i].message >= 0 && !spans[i].header && spans[i].end <= n && wanted(spans[i].role, roles, n_roles) &&
            !(learnt && ft_str_eq(spans[i].role, assistant)))
            memset(mask + spans[i].begin, 1, spans[i].end - spans[i].begin);
}
