# Two commands are all a newcomer needs: `make run` opens the wizard, `make test` proves that everything works.
# Each sets up what it needs first, once; a call that finds everything in place begins at once.

BIN := .venv/bin
SCRIPTS = $(wildcard tools/*.py bench/*.py)

# The parts that need system packages (mail servers, a keyring, a terminal) run only where somebody said so.
REAL_PARTS := $(if $(filter true,$(CI))$(filter 1,$(REAL)),real-servers)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run test check check-data lock picture wheel clean ready-to-run ready-to-test real-servers

help:
	@echo 'make run      open the wizard (ARGS="check mail.example.com" runs a command instead)'
	@echo 'make test     run every check and test; REAL=1 make test adds the real mail servers (as root)'
	@echo 'make check    style, types and data only'
	@echo 'make lock     pin the development packages anew, with hashes'
	@echo 'make picture  make the pictures in docs/ from the running program'
	@echo 'make wheel    build the package into dist/'
	@echo 'make clean    remove everything that make made'

run: ready-to-run data/compiled
	@$(BIN)/smtp-wizard $(ARGS)

# In several processes at once; the tests that share servers stay together in one. The checks, which one process does,
# run beside the first tests, and are shown when the tests are done.
test: ready-to-test data/compiled $(REAL_PARTS)
	@mkdir -p .make; $(MAKE) check >.make/checks 2>&1 & checks=$$!; \
	$(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist loadgroup --no-loadscope-reorder $(ARGS); tests=$$?; \
	wait $$checks; checks=$$?; cat .make/checks; \
	[ $$checks -eq 0 ] && exit $$tests

check: ready-to-test check-data
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict smtp_wizard tests $(SCRIPTS)

check-data: ready-to-test
	$(BIN)/python tools/check_data.py

# What a program that starts often reads instead of the YAML; never believed when the YAML is another.
COMPILER = tools/compile_data.py $(addprefix smtp_wizard/engine/,services/compiled_data.py base/data_files.py diagnosis/patterns.py)

data/compiled: $(wildcard data/*.yaml) $(COMPILER)
	@$(BIN)/python tools/compile_data.py
	@touch $@

lock:
	@tools/lock.sh

picture: ready-to-test
	$(BIN)/python tools/picture.py

wheel: ready-to-test
	$(BIN)/hatchling build -t wheel

clean:
	rm -rf .venv .make data/compiled build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

ready-to-run:
	@tools/venv.sh run

ready-to-test:
	@tools/venv.sh test

real-servers:
	@tools/install_real.sh
