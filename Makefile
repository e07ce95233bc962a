# make help lists the targets.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

BUILD ?= build
FUZZ_SECONDS ?= 20
# Debian's own, whose packages conf/packages.test names.
PYTEST ?= /usr/bin/python3 -m pytest
export PYTHONDONTWRITEBYTECODE = 1

# --- the module -------------------------------------------------------------

LIBS := libpq jansson yaml-0.1 libcrypto zlib libpcre2-8 libmagic \
	libxxhash

# Kore's build options change its structs (http.h:289): they belong to every
# object. The directories of other people's headers give no warnings.
FOREIGN = $(patsubst -I%,-isystem %,$(shell cat /usr/share/kore/features \
	2>/dev/null) $(shell pkg-config --cflags $(LIBS) 2>/dev/null))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
	-Wstrict-prototypes -Wmissing-prototypes -Werror
# Kore's headers need _GNU_SOURCE.
CPPFLAGS = -D_GNU_SOURCE -iquote api $(FOREIGN)
CFLAGS ?= -O2 -g
CFLAGS_OURS = -std=c11 $(WARNINGS) $(CPPFLAGS)

# nodelete: Kore opens the module again on SIGHUP, and without it workers
# that are started later would begin with empty statics.
LDFLAGS_MODULE = -shared -Wl,-z,nodelete -Wl,-z,now -Wl,-z,relro

SOURCES := $(wildcard api/*/*.c)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
HEADERS := $(wildcard api/*/*.h)

$(BUILD)/api.so: $(OBJECTS) $(BUILD)/flags
	gcc $(CFLAGS) $(LDFLAGS_MODULE) -o $@ $(OBJECTS) \
	    $$(pkg-config --libs $(LIBS))

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	gcc $(CFLAGS_OURS) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP \
	    -c -o $@ $<

# Changed flags build everything again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CFLAGS_OURS) $(CFLAGS) $(LDFLAGS_MODULE)' | \
	    cmp -s - $@ || echo '$(CFLAGS_OURS) $(CFLAGS) $(LDFLAGS_MODULE)' >$@

.PHONY: FORCE
FORCE:

.PHONY: build
build: $(BUILD)/api.so ## Compile api/ into build/api.so

# --- unit tests: rings 0 and 1 alone, with sanitizers -------------------------

SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
PURE_SOURCES := $(wildcard api/base/*.c api/contract/*.c)
PURE_LIBS = $$(pkg-config --libs jansson yaml-0.1 libcrypto zlib \
	libpcre2-8)
SAN_OBJECTS := $(PURE_SOURCES:%.c=$(BUILD)/san/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%, \
	$(wildcard tests/unit/*.c))

$(BUILD)/san/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	gcc $(CFLAGS_OURS) $(SAN) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: $(BUILD)/san/tests/unit/%.o $(SAN_OBJECTS)
	@mkdir -p $(@D)
	gcc $(SAN) -o $@ $^ $(PURE_LIBS) -ljwt -lcmocka

.PHONY: unit
unit: $(UNIT_TESTS) ## Run the C unit tests under ASan and UBSan
	@set -e; for test in $(UNIT_TESTS); do \
	    echo "$$test"; \
	    UBSAN_OPTIONS=print_stacktrace=1 $$test >$$test.log 2>&1 || \
	    { cat $$test.log; exit 1; }; \
	done

# --- fuzzers ------------------------------------------------------------------

FUZZ_FLAGS := -O1 -g -fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=all
FUZZ_OBJECTS := $(PURE_SOURCES:%.c=$(BUILD)/fuzz/%.o)
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%, \
	$(wildcard tests/fuzz/*.c))

$(BUILD)/fuzz/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	clang $(CFLAGS_OURS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(FUZZ_OBJECTS)
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(PURE_LIBS)

.PHONY: fuzz
fuzz: install-test $(FUZZERS) ## Run each fuzzer for FUZZ_SECONDS (20)
	@set -e; for fuzzer in $(FUZZERS); do \
	    name=$$(basename $$fuzzer); \
	    echo "$$name"; \
	    mkdir -p $(BUILD)/fuzz/corpus/$$name; \
	    seeds=tests/fuzz/corpus/$$name; \
	    $$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=5 \
	        -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=$(BUILD)/fuzz/$$name- \
	        $(BUILD)/fuzz/corpus/$$name \
	        $$([ -d $$seeds ] && echo $$seeds); \
	done

# --- use ----------------------------------------------------------------------

.PHONY: install install-test
install:
	@conf/install conf/packages
install-test:
	@conf/install conf/packages conf/packages.test

# A second make, so that what "install" has brought is seen by pkg-config.
.PHONY: run
run: install ## Install, build and start the service in the foreground
	@$(MAKE) --no-print-directory -s build
	@exec conf/run

.PHONY: stop
stop: ## End the service of DUDAO_STATE from another shell
	@conf/stop

.PHONY: migrate
migrate: install ## Bring the database of DUDAO_STATE or DUDAO_OWNER_URL up to date
	@conf/migrate

.PHONY: test
test: install-test ## Unit tests, then the service on a cluster of its own (T='-k word' or files)
	@$(MAKE) --no-print-directory -s build unit
	@$(PYTEST) $(if $(findstring tests/,$(T)),,tests) $(or $(T),-n 2 --clauses)

.PHONY: clauses
clauses: install-test ## List each clause of the policy document with the tests that prove it
	@$(MAKE) --no-print-directory -s build
	@$(PYTEST) -q tests/api -m clause --clauses

.PHONY: bench
bench: install-test ## Measure against pgbench and other stacks, side by side
	@$(MAKE) --no-print-directory -s build
	@conf/install conf/packages.bench || true
	@tests/bench/run

# --- checks -------------------------------------------------------------------

C_FILES = $(wildcard api/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] \
	tests/pool/*.[ch] tests/bench/*.[ch])

.PHONY: lint
lint: install-test ## Every static check
	@$(MAKE) --no-print-directory -s build
	@tests/lint/run

.PHONY: format
format: install-test ## Set the C files as .clang-format says
	@clang-format -i $(C_FILES)

.PHONY: clauses-free
clauses-free: ## List clause ids of the contract and the database without a test
	@tests/lint/clauses-free

# The flags, for the checkers.
.PHONY: print-flags
print-flags:
	@echo '$(CFLAGS_OURS)'

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BUILD)

.PHONY: help
help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
	    expand -t 16

-include $(OBJECTS:.o=.d) $(SAN_OBJECTS:.o=.d) $(FUZZ_OBJECTS:.o=.d)
