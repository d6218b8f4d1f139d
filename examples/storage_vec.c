/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A vec freezes into shared storage without a copy, is viewed, and comes back as the same vec.
 */
#define DRY_NAME   numbers
#define DRY_ELEM   double
#define DRY_RECIPE GROWING
#include <drystone/buffer/recipe.h>
#include <drystone/drystone.h>
#include <stdio.h>

#define DRY_NAME doubles
#define DRY_ELEM double
#include <drystone/storage/typed.h>

/* The glue: a vec leaves as raw parts, of which a storage is made, and the other way round. */
static enum dry_status freeze(struct numbers *v, struct dry_view *out)
{
    struct dry_raw raw;
    struct dry_storage *s;
    enum dry_status status = numbers_into_raw(v, &raw);
    if (status == DRY_OK) status = dry_storage_from_raw(&raw, &s); /* own heap: nothing here can fail */
    if (status == DRY_OK) *out = dry_view_adopt(s);
    return status;
}

static enum dry_status thaw(struct dry_view *all, struct numbers *out)
{
    struct dry_raw raw;
    enum dry_status status = dry_view_try_detach(all, sizeof(double), _Alignof(double), &raw);
    return status == DRY_OK ? numbers_from_raw(out, &raw) : status;
}

int main(void)
{
    struct numbers v;
    struct dry_view all, part;
    struct doubles typed;
    double sum = 0;

    numbers_init(&v);
    for (int i = 0; i < 1000; i++)
        if (numbers_push(&v, i / 2.0) != DRY_OK) return 1;
    const double *before = numbers_at(&v, 0);
    size_t cap = numbers_cap(&v);

    if (freeze(&v, &all) != DRY_OK) return 1;
    printf("frozen in place: %s\n", (const double *)(const void *)all.data == before ? "yes" : "no");
    if (dry_view_slice(&all, 10 * sizeof(double), 10 * sizeof(double), &part) != DRY_OK) return 1;
    if (doubles_of(&part, &typed) != DRY_OK) return 1;
    for (const double *x = doubles_begin(&typed); x != doubles_end(&typed); x++) sum += *x;
    printf("elements 10 to 19: %.1f\n", sum);

    printf("while a slice is out: %s\n", dry_status_name(thaw(&all, &v)));
    doubles_unref(&typed);
    dry_view_unref(&part);
    printf("afterwards: %s\n", dry_status_name(thaw(&all, &v)));
    printf("the same vec: %s\n", numbers_at(&v, 0) == before && numbers_cap(&v) == cap ? "yes" : "no");
    numbers_fini(&v);
    return 0;
}
/* Output:
 * frozen in place: yes
 * elements 10 to 19: 72.5
 * while a slice is out: SHARED
 * afterwards: OK
 * the same vec: yes
 */
