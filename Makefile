# The only way in: `make` says what there is.
#
# CC, CFLAGS and LDFLAGS may be given on the command line. SANITIZE=thread or
# SANITIZE=address,undefined builds apart, in a folder of its own; so does
# FAULTS=1, in which calls are cut short and interrupted (tests/faults.c).

CC = cc
CFLAGS = -O2 -g
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -pthread -Icommon
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wconversion

unexport CDPATH # with it, cd prints where it went

comma := ,
variant := $(subst $(comma),-,$(SANITIZE)$(if $(FAULTS),$(if \
	$(SANITIZE),-)faults))
B := build$(if $(variant),/$(variant))
sanitize := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
faults := $(if $(FAULTS),-U_FORTIFY_SOURCE -include tests/faults.h)
compile = $(CC) $(STANDARD) $(WARNINGS) $(CFLAGS) $(sanitize) \
	$(if $(filter tests/%,$<),,$(faults))

common := $(patsubst %.c,$(B)/%.o,$(wildcard common/*.c) \
	$(if $(FAULTS),tests/faults.c))
programs := $(patsubst lessons/%.c,$(B)/%,$(wildcard lessons/*/*.c)) \
	$(patsubst %.c,$(B)/%,$(filter-out tests/faults.c,$(wildcard tests/*.c)))

# lesson 05 -> 05-threaded-echo; the lesson before it; where its programs are:
# the course's, or those that are made of the files in DIR
name = $(or $(notdir $(wildcard lessons/$*-*)),$(error there is no lesson $*))
before = $(lastword $(filter-out $(name),$(shell \
	ls lessons | sed '/^[0-9]/!d' | sed '/^$*/q')))
bin = $(if $(DIR),build/own,$(B))/$(name)
own := $(if $(DIR),own-%)

help: ## what there is
	@sed -n 's/^\([a-zN-]*\)%*:.*## \(.*\)/  make \1|\2/p' Makefile | \
		sed 's/-|/-NN|/' | awk -F '|' '{ printf "%-21s %s\n", $$1, $$2 }'
	@echo; echo 'NN is the number of a lesson:'; ls lessons | sed -n 's/^[0-9]/  &/p'

all: $(programs) ## builds every program into build/

lesson-%: all $(own) ## plays the scene of lesson NN, then it is your turn
	@sh lessons/play $(bin) lessons/$(name)

demo-%: all $(own) ## plays only the scene
	@sh lessons/play -s $(bin) lessons/$(name)

server-%: all $(own) ## runs its server here [PORT=] [ADDRESS=] [DIR=]
	@$(bin)/server $(or $(PORT),9999) $(ADDRESS)

client-%: all $(own) ## runs its client here [HOST=] [PORT=] [DIR=]
	@$(bin)/client $(if $(HOST)$(PORT),$(or $(HOST),127.0.0.1) $(PORT))

diff-%: ## what changed since the lesson before
	@$(if $(before),for file in $(notdir $(wildcard lessons/$(name)/*.c)); do \
		diff -u -N lessons/$(before)/$$file lessons/$(name)/$$file; \
		done; true,echo 'Lesson $* is the first one.')

test: all ## checks every lesson
	@sh tests/run $(B) $(or $(SUITES),$(if \
		$(FAULTS),tests/[0-9]*.bats,tests/*.bats))

test-mistakes: ## shows that the classic mistakes are caught
	@MAKE='$(MAKE)' sh tests/mistake tests/mistakes/*.patch

test-solutions: kit ## shows that the exercises can be solved
	@MAKE='$(MAKE)' sh tests/solution

test-%: all ## checks lesson NN
	@sh tests/run $(B) tests/$(name).bats

bench: all ## measures the echo and the room beside bare loops
	@sh tests/bench $(B)

start-%: ## makes work/NN-..., for you to write lesson NN in
	@sh tests/start $(name) $(before)

check-%: kit ## checks your work [EXERCISE= ONLY= DIR= SERVER= CLIENT=]
	@sh tests/check $(name)

progress: kit ## shows how far your work is, lesson by lesson
	@sh tests/progress

grade: kit ## checks the work of a class [CLASS=]
	@sh tests/grade

lint: ## checks layout, looks for mistakes
	@sh tests/lint

slides: ## turns the slides into HTML [PDF=1] [SCHEME=dark]
	@PDF=$(PDF) SCHEME=$(SCHEME) sh slides/build build/slides

clean: ## removes build/
	rm -rf build

# What a learner's programs are checked with.
kit:
	@$(MAKE) -s SANITIZE= FAULTS= build/tests/stage
	@$(MAKE) -s SANITIZE= FAULTS=1 build/faults/common.a
	@$(MAKE) -s SANITIZE=thread FAULTS= build/thread/common.a 2>/dev/null || :
	@$(MAKE) -s SANITIZE=address,undefined FAULTS= \
		build/address-undefined/common.a 2>/dev/null || :

# A learner's programs, to be run.
own-%: all
	@DIR='$(DIR)' LESSON=$(name) sh tests/own $(B)

# Some shells set HOST to this machine's name; only a HOST= given here counts.
ifeq ($(origin HOST),environment)
HOST :=
endif

# ---- how things are built ---------------------------------------------------

$(B)/%: $(B)/%.o $(B)/common.a
	@$(compile) $(LDFLAGS) -o $@ $< $(B)/common.a $(LDLIBS)

$(B)/common.a: $(common)
	@rm -f $@
	@$(AR) rc $@ $(common)

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@$(compile) -MMD -MP -c -o $@ $<

$(B)/%.o: lessons/%.c $(B)/flags
	@mkdir -p $(@D)
	@$(compile) -MMD -MP -c -o $@ $<

# Changes when the compiler or a flag does, and then everything is built again.
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo '$(compile) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(compile) $(LDFLAGS)' >$@

-include $(common:.o=.d) $(programs:=.d)
.SECONDARY:
.PHONY: help all kit test-mistakes test-solutions test bench progress \
	grade lint slides clean FORCE
