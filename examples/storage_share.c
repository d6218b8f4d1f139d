/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The two classic uses of shared bytes: make them (owned, static, empty) and hand out clones; change them when they are
 * yours alone, and a copy when they are not.
 */
#include <drystone/drystone.h>
#include <stdio.h>
#include <string.h>

static const char motto[] = "no mortar";
static const struct dry_immortal motto_storage = DRY_IMMORTAL(motto, sizeof motto - 1);

static void show(const char *what, const struct dry_view *v)
{
    uint64_t holders = v->storage ? dry_storage_refcount(v->storage) : 0;
    printf("%-8s %-10.*s ", what, (int)v->len, v->len ? (const char *)v->data : "");
    if (holders == UINT64_MAX)
        printf("immortal\n");
    else
        printf("%d holder%s\n", (int)holders, holders == 1 ? "" : "s");
}

int main(void)
{
    struct dry_storage *s;
    void *bytes;

    if (dry_storage_copy("dry stone", 9, NULL, &s) != DRY_OK) return 1;
    struct dry_view a = dry_view_adopt(s), b = dry_view_ref(&a);
    struct dry_view fixed = dry_view_adopt(dry_storage_static(&motto_storage));
    struct dry_view none = dry_view_adopt(dry_storage_empty());
    show("a", &a);
    show("fixed", &fixed);
    show("none", &none);

    if (dry_view_make_mut(&b, NULL, &bytes) != DRY_OK) return 1; /* a holds it too: b gets a copy */
    memcpy(bytes, "DRY", 3);
    show("a", &a);
    show("b", &b);
    const uint8_t *before = b.data;
    if (dry_view_make_mut(&b, NULL, &bytes) != DRY_OK) return 1; /* alone: in place */
    printf("b is changed in place: %s\n", b.data == before ? "yes" : "no");

    dry_view_unref(&a);
    dry_view_unref(&b);
    dry_view_unref(&fixed);
    dry_view_unref(&none);
    return 0;
}
/* Output:
 * a        dry stone  2 holders
 * fixed    no mortar  immortal
 * none                immortal
 * a        dry stone  1 holder
 * b        DRY stone  1 holder
 * b is changed in place: yes
 */
