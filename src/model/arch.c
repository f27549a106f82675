/* Finds the description of a file's architecture. */
#include "arch.h"

#include <string.h>

static const tg_arch *const archs[] = {
#define TG_ARCH(name) &tg_arch_##name,
#include "arch.def"
#undef TG_ARCH
};

static const char names[] = "" /* ", llama, qwen2, ...": messages skip the first two bytes */
#define TG_ARCH(name) ", " #name
#include "arch.def"
#undef TG_ARCH
    ;

tg_status tgi_arch_find(const tg_gguf *gguf, const tg_arch **out, tg_error *error)
{
    tg_str name;
    const tg_status status = tgi_gguf_get_string(gguf, "general.architecture", &name, NULL, error);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
        if (name.length == strlen(archs[i]->name) &&
            !memcmp(name.data, archs[i]->name, name.length)) {
            *out = archs[i];
            return TG_OK;
        }
    return tgi_fail(error, TG_MODEL_ARCH_UNSUPPORTED, TG_NO_OFFSET,
                    "architecture \"%.64s\" is not supported; supported: %s", name.data, names + 2);
}
