/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Runs a fuzzer without a fuzzing engine: each argument is an input, or a folder of inputs. Exit code 77 (ctest:
 * skipped) when there was no input at all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void give_up(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) give_up(path);
    long size = ftell(f);
    if (size < 0) give_up(path);
    rewind(f);
    /* Exactly as long as the input, so that the address sanitizer sees one byte too far. */
    uint8_t *bytes = malloc((size_t)size ? (size_t)size : 1);
    if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size) give_up(path);
    fclose(f);
    LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
}

static int run_folder(DIR *folder, const char *path)
{
    int n = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        run_file(file);
        n++;
    }
    closedir(folder);
    return n;
}

int main(int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder) {
            n += run_folder(folder, argv[i]);
        } else if (errno != ENOENT) {
            run_file(argv[i]);
            n++;
        }
    }
    printf("%d inputs\n", n);
    return n ? 0 : 77;
}
