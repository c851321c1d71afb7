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

# Without make's own rules, which it would try for each file, it takes half the time.
MAKEFLAGS += -r

# With CDPATH, cd prints where it went; the others change what sh, bash and their
# tools do.
unexport CDPATH ENV BASH_ENV BASHOPTS SHELLOPTS POSIXLY_CORRECT

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
stage := $(patsubst %.c,$(B)/%.o,$(wildcard tests/stage/*.c))
# What a program needs of it, by lessons/parts, which is asked once, if at all.
parts = $(eval parts := $(shell sh lessons/parts))$(parts)
parts_of = $(patsubst $1=%,$(B)/common/%.o,$(filter $1=%,$(parts))) \
	$(if $(FAULTS),$(B)/tests/faults.o)
programs_of = $(patsubst lessons/%.c,$(B)/%,$(wildcard lessons/$1/*.c))
tap := $(B)/tests/kit/tap
through = STAGE_TAP=$(tap) PIECES=$(call quoted,$(PIECES)) \
	DELAY=$(call quoted,$(DELAY)) SCENE=$(call quoted,$(SCENE)) \
	SVG=$(call quoted,$(SVG)) PART=$(call quoted,$(PART))
# page.html of lesson 11, which its server has with it
pages := $(patsubst lessons/%,$(B)/%.o,$(wildcard lessons/*/*.html))
tools := $(tap) $(patsubst %.c,$(B)/%,$(wildcard tests/tools/*.c))

# lesson 05, or 5 -> 05-threaded-echo; the lesson it builds on; where its
# programs are: the course's, or those built from the files in DIR
name = $(or $(notdir $(wildcard lessons/$*-* lessons/0$*-*)),$(error \
	there is no lesson $*: make lists them))
before = $(if $(filter 11-% 12-%,$(name)),09-one-thread,$(lastword $(filter-out \
	$(name),$(shell ls lessons | sed '/^[0-9]/!d' | sed '/^$(name)$$/q'))))
quoted = '$(subst ','\'',$1)'
own = build/own/$(shell printf %s $(call quoted,$(DIR)) | cksum | tr ' ' -)
bin = $(if $(DIR),$(own),$(B))/$(name)

# What has to be there before a lesson's programs can be run. (Expanded a second
# time, for each target.)
ready = $(B)/stage $(if $(DIR),$(B)/common.a own-$*,$(call programs_of,$(name))) \
	$(if $(filter 11-%,$(name)),$(B)/09-one-thread/client)
.SECONDEXPANSION:

# Each command says what it does: behind ##1 to learners, behind ##2 to teachers,
# behind ##3 to those who work on the course.
help: ##3 what learners and teachers need
	@sh tests/kit/help

help-all: ##3 everything
	@sh tests/kit/help all

lesson-%: $$(ready) ##1 plays the scene of lesson NN, then it is your turn
	@sh lessons/play $(bin) lessons/$(name)

start-%: ##1 makes work/NN-..., where you write lesson NN
	@sh tests/kit/start $(name) $(before)

step-%: ##1 shows a step and makes it in work/: make step-03-1
	@sh tests/kit/step $*

check-%: kit ##1 checks yours [STEP= EXERCISE= ONLY= DIR= SERVER= CLIENT=]
	$(warn)
	@sh tests/kit/check $(name)

progress: kit ##1 shows how far you have got, lesson by lesson
	@sh tests/kit/progress

server-%: $$(ready) $$(if $$(WIRE),$(tap)) ##1 runs its server here [PORT= ADDRESS= DIR= WIRE=1]
	$(warn)
	@$(if $(WIRE),$(through) \
		PORT='$(or $(PORT),9999)' ADDRESS='$(ADDRESS)' \
		sh lessons/play -l $(bin) lessons/$(name),$(bin)/server \
		$(or $(PORT),9999) $(ADDRESS)) $(if $(filter 12-%,$(name)),$(no_redis))

# If it has failed, and that may be why.
no_redis = || { status=$$?; [ $$status -ne 1 ] || \
	echo 'redis connects 127.0.0.1 6379' | $(B)/stage >/dev/null || echo \
	'Start a Redis first, in another terminal: sh lessons/12-many-servers/redis 6379' >&2; \
	exit $$status; }

client-%: $$(ready) ##1 runs its client here [HOST= PORT= DIR=]
	$(warn)
	@$(bin)/client $(if $(HOST)$(PORT),$(or $(HOST),127.0.0.1) $(PORT))

demo-%: $$(ready) ##1 plays only the scene
	@sh lessons/play -s $(bin) lessons/$(name)

wire-%: $$(ready) $(tap) ##1 draws what crosses the wire [PIECES= DELAY= SVG= DIR=]
	@$(through) sh lessons/play -w $(bin) lessons/$(name)

diff-%: ##1 shows what changed since the lesson before
	@sh tests/kit/diff $(name) $(before)

grade: kit ##2 checks the work of a class [CLASS=]
	$(warn)
	@sh tests/kit/grade

slides: ##2 turns the slides into HTML [PDF=1] [SCHEME=dark]
	@PDF=$(PDF) SCHEME=$(SCHEME) sh slides/build build/slides

all: $(call programs_of,*) $(tools) $(B)/stage $(B)/common.a ##3 builds every program into build/

test: all ##3 checks every lesson
	@sh tests/side-by-side $(B) $(or $(SUITES),$(if \
		$(FAULTS),tests/[0-9]*.bats,tests/[0-9]*.bats tests/tools/*.bats tests/kit/*.bats))

test-%: all ##3 checks lesson NN
	@$(if $(WIRE),STAGE_TAP=$(abspath $(tap))) sh tests/run $(B) tests/$(name).bats

test-mistakes: ##3 shows that the classic mistakes are caught
	@MAKE='$(MAKE)' sh tests/tools/mistake tests/mistakes/*.patch

mutants-%: ##3 makes small mistakes and shows which no check catches
	@MAKE='$(MAKE)' sh tests/tools/mutants $(firstword $(subst -, ,$(name))) $(FILES)

test-solutions: kit ##3 shows that the exercises can be solved
	@MAKE='$(MAKE)' sh tests/tools/solution

test-steps: kit ##3 shows that each step does what it says
	@MAKE='$(MAKE)' sh tests/tools/steps

bench: all ##3 compares the echo and the rooms with bare loops [ONLY=11]
	@sh tests/tools/bench $(B) $(ONLY)

lint: ##3 checks layout, looks for mistakes
	@sh tests/tools/lint

clean: ##3 removes build/
	rm -rf build

# A command that lacks the number of its lesson.
bare := lesson start step check server client demo wire diff
$(bare) $(addsuffix -,$(bare) test):
	@$(error which lesson? For lesson 03 it is: make $(@:-=)-03)

# What a learner's programs are checked with. A compiler may lack a sanitizer.
kit: $(B)/kit

$(B)/kit: Makefile lessons/parts $(B)/flags $(wildcard common/* tests/stage/* tests/faults.*)
	@$(MAKE) -s SANITIZE= FAULTS= build/stage
	@$(MAKE) -s SANITIZE= FAULTS=1 build/faults/common.a
	@$(MAKE) -s SANITIZE=thread FAULTS= build/thread/common.a 2>/dev/null || :
	@$(MAKE) -s SANITIZE=address,undefined FAULTS= \
		build/address-undefined/common.a 2>/dev/null || :
	@touch $@

# A learner's programs, to be run.
own-%: $(B)/common.a $(B)/stage
	@DIR=$(call quoted,$(DIR)) LESSON=$(name) sh tests/kit/own $(B) $(own)

# Only what is given on the command line counts, nothing that the environment
# happens to have: some shells set HOST to this machine's name.
$(foreach option,HOST PORT ADDRESS DIR SERVER CLIENT EXERCISE STEP ONLY CLASS \
	WIRE PIECES DELAY SCENE SVG PART, \
	$(if $(findstring environment,$(origin $(option))), \
	$(eval ignored += $(option)) $(eval $(option) :=)))
unused = $(filter-out HOST,$(ignored))
warn = $(if $(unused),@echo 'Set in the environment and not used: $(unused). \
Only what follows make counts.' >&2)

# ---- how things are built ---------------------------------------------------

# Everything is made under a name of its own and then renamed, so that two makes
# in one folder do not read what the other one has half written.
new = $@.$$$$
done = && mv -f $(new) $@

$(B)/%: $(B)/%.o $$(if $$(suffix $$*),,$$(call parts_of,$$*))
	@$(compile) $(LDFLAGS) -o $(new) $(filter %.o,$^) $(LDLIBS) $(done)

$(B)/11-browser/server: $(filter $(B)/11-browser/%,$(pages))

$(B)/%.html.o: $(B)/%.html.c $(B)/flags
	@$(compile) -c -o $(new) $< $(done)

$(B)/%.html.c: lessons/%.html lessons/embed
	@mkdir -p $(@D)
	@sh lessons/embed $< >$(new) $(done)

$(B)/stage: $(stage) $$(call parts_of,stage)
	@$(compile) $(LDFLAGS) -o $(new) $^ $(LDLIBS) $(done)

$(B)/common.a: $(common)
	@$(AR) rc $(new) $(common) $(done)

$(B)/%.o: %.c $(B)/flags
	@$(slow)mkdir -p $(@D)
	@$(object) -c -o $(new) $< $(done)

$(B)/%.o: lessons/%.c $(B)/flags
	@$(slow)mkdir -p $(@D)
	@$(object) -c -o $(new) $< $(done)

# Says once that something is being built, if it takes more than a second and
# somebody is there to read it.
slow = $(if $(said),,$(if $(began),$(if $(shell \
	[ $$(($$(date +%s) - $(began))) -gt 1 ] && echo yes),$(eval \
	said := yes)echo 'building $(B) ...' >&2;),$(eval \
	began := $(shell [ ! -t 2 ] || date +%s))$(if $(began),,$(eval \
	said := nobody is there))))

object = $(compile) -MMD -MP -MT $@ -MF $(@:.o=.d)

# Changes when the compiler or a flag does, and then everything is built again.
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo '$(compile) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(compile) $(LDFLAGS)' >$@

-include $(common:.o=.d) $(stage:.o=.d) $(tools:=.d) $(patsubst %,%.d,$(call programs_of,*))
.SECONDARY:
.PHONY: help help-all all kit test-mistakes test-solutions test-steps test bench \
	progress grade lint slides clean FORCE $(bare) $(addsuffix -,$(bare) test)
