# Everything a developer starts by hand; `.ci/run` calls `make test`. The work is done by the scripts in development/.

PREFIX = /usr/local
DESTDIR =
# How long `make fuzz` damages the input of each parser, in seconds.
FUZZ_SECONDS = 600
# How long `make soak` breaks something each second, and the seed of what it breaks; by chance unless it is given.
SOAK_SECONDS = 600
SOAK_SEED =
# A revision that `make bench` compares this checkout with, instead of the baselines.
AGAINST ?=
# What else `make bench` is told, such as BENCH="--seconds 2 payload"; `Benchmarks/run --help` lists it.
BENCH ?=
# Settings for `make run` and `make up`: SETTINGS="MESHER_WORKERS=4".
SETTINGS ?=

# What ships needs no Swift runtime on the machine that runs it.
RELEASE = -c release --static-swift-stdlib
BIN = .build/release
PROGRAMS = mesher-watchdog mesher-storage mesher-worker mesher-stream
SHARE = $(PREFIX)/share/mesher
# Where Debian's zsh looks below a prefix: in /usr it is vendor-completions.
ZSH_FUNCTIONS = $(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
UNITS = mesher.service mesher.socket mesher-maintenance.service mesher-maintenance.timer

.PHONY: run up down build test lint docs bench performance cluster conformance fuzz soak install deb packages

run: build
	@exec development/stack run $(SETTINGS)

up: build
	@development/stack up $(SETTINGS)

down:
	@development/stack down

packages:
	@development/install-packages

build: packages
	swift build $(RELEASE)

# The end-to-end tests run the programs that ship. Where PyPI cannot be reached, there is no test suite of the protocol.
test: lint build
	swift test
	@if development/conformance --install; then development/conformance --short; fi
	@python3 development/cluster --short

# Autobahn's test suite for WebSocket, all of it.
conformance: build
	development/conformance

# Three hosts, Patroni and Sentinel in namespaces of this machine, and what may happen to them; as root, with Debian's patroni
# and etcd-server. CASES names some, all without it.
cluster: build
	python3 development/cluster $(CASES)

# Damaged input in quantity, with the bounds of all memory watched.
fuzz: packages
	swift run -c release --sanitize=address --scratch-path .build/fuzz fuzz $(FUZZ_SECONDS)

# Ends with the verdict: whether anything acknowledged was lost. A seed breaks the same things in the same order.
soak: build
	SOAK_SECONDS=$(SOAK_SECONDS) SOAK_SEED=$(SOAK_SEED) swift test --filter SoakTests

lint: packages
	swift format lint --strict --recursive Sources Tests Package.swift
	development/lint-imports

# The tables of docs/ that are made from declarations.
docs: packages
	WRITE_DOCUMENTS=1 swift test --filter DocumentTests

bench: build
	Benchmarks/run $(if $(AGAINST),--against $(AGAINST)) $(BENCH)

# The same into docs/performance.md; wants a machine that does nothing else for some twenty minutes.
performance: build
	Benchmarks/run $(BENCH)
	Benchmarks/publish

# The package of this Debian, in .build/deb.
deb: build
	debian/build .build/deb

# Builds only when nothing is built: installing is done as root, who may have no Swift.
$(BIN)/mesher-watchdog:
	$(MAKE) build

install: $(BIN)/mesher-watchdog
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/mesher $(DESTDIR)$(SHARE)/nginx
	install -d $(DESTDIR)$(PREFIX)/share/doc/mesher/docs/images
	install -m 755 $(BIN)/mesher $(DESTDIR)$(PREFIX)/bin
	cd $(BIN) && install -m 755 $(PROGRAMS) $(abspath $(DESTDIR)$(PREFIX))/lib/mesher
	install -d $(DESTDIR)$(SHARE)/cluster
	for file in nginx/*.conf cluster/*; do \
	    sed 's|/usr/local/share/mesher|$(SHARE)|g' $$file > $(DESTDIR)$(SHARE)/$$file && \
	    chmod 644 $(DESTDIR)$(SHARE)/$$file || exit 1; \
	done
	for folder in grafana page prometheus; do \
	    install -d $(DESTDIR)$(SHARE)/$$folder && install -m 644 $$folder/* $(DESTDIR)$(SHARE)/$$folder || exit 1; \
	done
	install -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/mesher
	for file in README.md docs/*.md docs/*.yaml; do \
	    sed -E 's#/usr/local/(bin|lib|share)/mesher#$(PREFIX)/\1/mesher#g' $$file > $(DESTDIR)$(PREFIX)/share/doc/mesher/$$file && \
	    chmod 644 $(DESTDIR)$(PREFIX)/share/doc/mesher/$$file || exit 1; \
	done
	install -m 644 docs/images/* $(DESTDIR)$(PREFIX)/share/doc/mesher/docs/images
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	for file in $(UNITS); do \
	    sed 's|/usr/local|$(PREFIX)|g' systemd/$$file > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$file && \
	    chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/$$file || exit 1; \
	done
	install -m 644 systemd/mesher.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/mesher.conf
	install -m 644 systemd/mesher.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/mesher.conf
	pages=$$(mktemp -d) && trap 'rm -r "$$pages"' EXIT && development/manuals $(BIN) "$$pages" && \
	cd "$$pages" && for page in man*/*; do \
	    install -D -m 644 $$page $(abspath $(DESTDIR)$(PREFIX))/share/man/$$page || exit 1; \
	done && \
	install -D -m 644 completions/mesher $(abspath $(DESTDIR)$(PREFIX))/share/bash-completion/completions/mesher && \
	install -D -m 644 completions/_mesher $(abspath $(DESTDIR)$(PREFIX))/share/zsh/$(ZSH_FUNCTIONS)/_mesher && \
	install -D -m 644 completions/mesher.fish $(abspath $(DESTDIR)$(PREFIX))/share/fish/vendor_completions.d/mesher.fish
