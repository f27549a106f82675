# How everything is built from the sources that build/sources lists. build.sh runs make with these
# rules and sets CC and EMCC.
#
#   dist         dist/: the wasm files, the package's modules, the page
#   native       build/native: the native tests, with sanitizers
#   wasm-tests   build/wasm: the tests that run in WebAssembly
#   bench        build/wasm: the benchmarks of kernels and sampling
#   debug        build/debug: the wasm files with function names, source lines and checks

# The builds of the engine, and the flags of each.
VARIANTS := simd128 relaxed simd128.threads relaxed.threads
simd128 := -msimd128
relaxed := -msimd128 -mrelaxed-simd
simd128.threads := $(simd128) -pthread
relaxed.threads := $(relaxed) -pthread

# No fused multiply-add unless the source says so: every build gives the same bits.
CFLAGS := -std=c17 -ffp-contract=off -Wall -Wextra -Werror -MMD -MP
NATIVE := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
WASM := -O3 -flto
# What runs once for a file or a grammar is compiled for size.
SMALL := src/gguf/%.c src/model/%.c src/tokenizer/vocabulary.c src/tokenizer/tokenizer.c \
	$(addprefix src/session/,header.c model.c session.c snapshot.c text.c grammar.c observe.c) \
	src/layers/plan.c src/layers/attention_rows.c src/layers/rules/%.c \
	$(addprefix src/grammar/,parse.c build.c characters.c utf8_class.c check.c)
# Reading blocks of codes is as fast with -Os; methods take little time beside the forward pass.
# Floats are converted by loops that -O3 makes SIMD.
COMPACT := src/quant/formats/%.c src/methods/%.c $(addprefix src/session/,draft.c speculate.c)
NOT_COMPACT := $(patsubst %,src/quant/formats/%.c,f32 f16 bf16)
# Undefined behaviour traps; access outside of the memory that is in use ends with an error.
DEBUG := -O1 -g -fsanitize=undefined -fsanitize-trap=undefined
DEBUG_LINK := -O1 -g -sSAFE_HEAP -Wno-limited-postlink-optimizations
LINK := -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH -sINITIAL_MEMORY=2MB -sMAXIMUM_MEMORY=4GB \
	-sSTACK_SIZE=256KB -sFILESYSTEM=0 -sMALLOC=emmalloc
LIBRARY := --no-entry -sEXPORTED_FUNCTIONS=_malloc,_free
# Builds with threads import the memory that the threads share. Each thread has an instance and a
# stack of its own.
SHARED := -sIMPORTED_MEMORY -sEXPORTED_FUNCTIONS=_malloc,_free,__emscripten_stack_restore \
	-Wno-pthreads-mem-growth
TEST := -Wno-format-zero-length

# These native tests need only the C library: they run in WebAssembly, too.
IN_WASM := test_kernels test_quant test_sample test_sample_stages test_sample_chain

sources = $(filter $(1),$(shell cat build/sources))
objects := $(patsubst %.c,%.o,$(call sources,src/%.c))
native_tests := $(patsubst tests/%.c,build/%,$(call sources,tests/native/test_%.c))
wasm_tests := $(patsubst %.c,%.wasm,$(call sources,$(IN_WASM:%=tests/native/%.c) tests/wasm/test_%.c))
library_flags = $(LINK) $(LIBRARY) $(if $(filter %.threads,$(1)),$(SHARED))

.PHONY: all dist native wasm-tests bench debug
.DELETE_ON_ERROR:
.SECONDARY:
all: dist native wasm-tests
dist: build/web.stamp
native: $(native_tests) build/native/plans
bench: $(foreach build,simd128 relaxed,$(foreach name,kernels sampling,build/wasm/$(build)/tests/bench/$(name).wasm))
debug: $(VARIANTS:%=build/debug/tokenglass.%.wasm)

build/native/%.o: %.c wasm/toolchain/rules.mk build/cc
	mkdir -p $(@D) && echo "  $@" && $(CC) $(CFLAGS) $(NATIVE) $(if $(filter tests/%,$<),$(TEST)) -c $< -o $@
build/native/tokenglass.a: $(addprefix build/native/,$(objects)) build/sources
	rm -f $@ && ar qcs $@ $(filter %.o,$^)
build/native/test_%: build/native/tests/native/test_%.o build/native/tokenglass.a
	echo "  $@" && $(CC) $(NATIVE) $^ -lm -o $@
# A program for tests/node/plans.test.mjs.
build/native/plans: build/native/tests/native/plans.o build/native/tokenglass.a
	echo "  $@" && $(CC) $(NATIVE) $^ -lm -o $@

# The rules of the variant $(1).
define variant
build/wasm/$(1)/%.o: %.c wasm/toolchain/rules.mk build/emcc
	mkdir -p $$(@D) && echo "  $$@" && $(EMCC) $(CFLAGS) $(WASM) $$(if $$(filter $(SMALL),$$<),-Oz) $$(if $$(filter-out $(NOT_COMPACT),$$(filter $(COMPACT),$$<)),-Os) $($(1)) $$(if $$(filter tests/%,$$<),$(TEST)) -c $$< -o $$@
build/wasm/$(1)/tokenglass.a: $(addprefix build/wasm/$(1)/,$(objects)) build/sources
	rm -f $$@ && $(dir $(EMCC))emar qcs $$@ $$(filter %.o,$$^)
dist/tokenglass.$(1).wasm: build/wasm/$(1)/wasm/exports.o build/wasm/$(1)/tokenglass.a
	echo "  $$@" && $(EMCC) $(WASM) $($(1)) $(call library_flags,$(1)) $$^ -o $$@
build/wasm/$(1)/tests/%.wasm: build/wasm/$(1)/tests/%.o build/wasm/$(1)/tokenglass.a
	echo "  $$@" && $(EMCC) $(WASM) $($(1)) $(LINK) $$^ -o $$@
wasm-tests: $(if $(filter-out %.threads,$(1)),$(addprefix build/wasm/$(1)/,$(wasm_tests)))
build/debug/$(1)/%.o: %.c wasm/toolchain/rules.mk build/emcc
	mkdir -p $$(@D) && echo "  $$@" && $(EMCC) $(CFLAGS) $(DEBUG) $($(1)) -c $$< -o $$@
build/debug/tokenglass.$(1).wasm: build/debug/$(1)/wasm/exports.o $(addprefix build/debug/$(1)/,$(objects))
	echo "  $$@" && $(EMCC) $(DEBUG_LINK) $($(1)) $(call library_flags,$(1)) $$^ -o $$@
endef
$(foreach name,$(VARIANTS),$(eval $(call variant,$(name))))

build/generated.stamp: $(wildcard wasm/toolchain/*.mjs) $(call sources,src/%.def) wasm/boundary.def \
		web/types/trace.schema.json web/methods/list.ts package-lock.json
	node wasm/toolchain/generate.mjs && touch $@
build/web.stamp: $(call sources,web/% demo/% wasm/toolchain/licenses/%) build/generated.stamp $(VARIANTS:%=dist/tokenglass.%.wasm) \
		tsconfig.json tsconfig.types.json package-lock.json build/sources
	echo "  dist/*.js" && node wasm/toolchain/build.mjs && node wasm/toolchain/sizes.mjs && touch $@

-include $(shell find build/native build/wasm build/debug -name '*.d' 2>/dev/null)
