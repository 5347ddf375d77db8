import Foundation
import TestServers
import Testing

extension OwnStack {
    /// A load of single, bulk and WebSocket events while something else is broken each second: `make soak` for as long as
    /// one likes, and a short one with all kinds of faults.
    struct SoakTests {
        private static let environment = ProcessInfo.processInfo.environment
        /// Each kind of fault comes at least once within so many seconds.
        private static let seconds = environment["SOAK_SECONDS"].flatMap { Int($0) } ?? 20
        private static let seed = environment["SOAK_SEED"].flatMap { UInt64($0) }
        /// Somebody has asked for it: other faults each time, each of them shown.
        private static let isWatched = environment["SOAK_SECONDS"] != nil

        @Test("Whatever is broken each second: what was acknowledged is stored once, and no client met a wrong answer")
        func soak() throws {
            let seed = Self.seed ?? (Self.isWatched ? .random(in: 0...999_999) : 1)
            print("soak: SOAK_SEED=\(seed) SOAK_SECONDS=\(Self.seconds)")
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"])
            defer { stack.stop() }
            var isSound = false
            defer { if !isSound { keepLogs(of: stack, seed: seed) } }
            let project = try Project.create(on: stack)
            let limited = try LimitedProject(on: stack)
            let ledger = Ledger()
            let remains = try run(FaultKind.plan(seconds: Self.seconds, seed: seed), on: project, limited, ledger)
            let verdict = try SoakVerdict(ledger.state, of: project, remains: remains)
            let ofLimited = try SoakVerdict(limited.ledger.state, of: limited.project, remains: [])
            let restarts = verdict.state.faults.filter { $0.kind == .redisKilled }.map(\.beganAt)
            let excess = LimitedProject.excess(in: limited.grants, restarts: restarts)
            print(verdict, limited, ofLimited.summary, "limit: \(excess ?? "holds")", separator: "\n")
            isSound = verdict.isSound && ofLimited.isSound && excess == nil
            let isConservedWithinLimit = ofLimited.isConserved && ofLimited.isHonest
            #expect(isConservedWithinLimit && excess == nil)
            #expect(limited.hasBeenRefused)
            let (isConserved, isAlive, isHonest) = (verdict.isConserved, verdict.isAlive, verdict.isHonest)
            #expect(isConserved && isAlive && isHonest)
            #expect(Set(verdict.state.faults.map(\.kind)) == Set(FaultKind.allCases))
            try control(verdict, on: project)
        }

        /// - Returns: what is still not as it was when all has been brought back.
        private func run(
            _ plan: [FaultKind.Planned], on project: Project, _ limited: LimitedProject, _ ledger: Ledger
        ) throws -> [String] {
            let stack = project.stack
            let injector = try FaultInjector(on: project, ledger)
            defer { injector.stop() }
            try #require(eventually { (try? stack.request("GET", "/readyz").status) == 200 })
            let clients = SoakClients(of: project, limited, ledger)
            clients.start()
            defer { clients.stop() }
            for (second, fault) in plan.enumerated() {
                let next = ContinuousClock.now + .seconds(1)
                if Self.isWatched { print("\(second) s: \(fault)") }
                try injector.undo()
                try injector.inject(fault)
                let rest = ContinuousClock.now.duration(to: next)
                if rest > .zero { usleep(UInt32(rest / .microseconds(1))) }
            }
            try injector.undo(all: true)
            _ = eventually(within: 90) { ledger.isRecovered }
            let granted = limited.grants.count
            let isGranted = eventually { limited.grants.count > granted }
            clients.stop()
            let hasReloaded = eventually(within: 90) { injector.hasReloaded }
            return remains(of: stack) + (hasReloaded ? [] : ["a reload that does not end"])
                + (isGranted ? [] : ["a limited project that is granted nothing more"])
        }

        /// Waits until the service is as if nothing had been.
        private func remains(of stack: Stack) -> [String] {
            var remains: [String] = []
            let ready = #"{"ready":true,"degraded":[]}"#
            if !eventually(within: 90, { (try? stack.request("GET", "/readyz").text) == ready }) {
                remains.append((try? stack.request("GET", "/readyz").text) ?? "no answer to /readyz")
            }
            func spooled() -> Int? { try? Outage(stack: stack).spooled() }
            if !eventually(within: 90, { spooled() == 0 }) { remains.append("spooled \(spooled() ?? -1) bytes") }
            return remains
        }

        /// The verdict sees an event that is not there, one that is there twice, one that was changed, an answer that no
        /// client may get, an event more than a limit allows, and a fault without an end.
        private func control(_ verdict: SoakVerdict, on project: Project) throws {
            let first = try #require(verdict.state.isAcknowledged.firstIndex(of: true))
            let last = try #require(verdict.state.isAcknowledged.lastIndex(of: true))
            let (lost, doubled) = (SoakEvent(number: first), SoakEvent(number: last))
            let copy = "project_id, event_id, received_at, \"timestamp\", received_on, level, message, tags, payload"
            _ = try project.stack.query(
                """
                DELETE FROM events WHERE project_id = \(project.id) AND event_id = '\(lost.id)';
                INSERT INTO events (\(copy))
                SELECT \(copy.replacingOccurrences(of: "received_on", with: "received_on + 3")) FROM events
                WHERE project_id = \(project.id) AND event_id = '\(doubled.id)';
                UPDATE events SET message = 'changed' WHERE project_id = \(project.id) AND message = 'soak 1';
                """)
            let broken = try SoakVerdict(verdict.state, of: project, remains: [])
            #expect(broken.lost == [first] && broken.doubled == [last] && broken.foreign == 1 && !broken.isConserved)
            let grant = LimitedProject.Grant(sentAt: .now, answeredAt: .now, events: 1, isCounted: true)
            let most = Array(repeating: grant, count: 2 * LimitedProject.limit)
            #expect(LimitedProject.excess(in: most, restarts: []) == nil)
            #expect(LimitedProject.excess(in: most + [grant], restarts: []) != nil)
            let ledger = Ledger()
            ledger.began(.workerKilled)
            let answer = SoakAnswer(HTTPResponse(status: 502, headers: [], body: Array("<html>".utf8)))
            #expect(answer.settle([ledger.next()], by: .single, sentAt: .now, ledger).count == 1)
            let other = try SoakVerdict(ledger.state, of: project, remains: [])
            #expect(!other.isAlive && !other.isHonest)
        }

        private func keepLogs(of stack: Stack, seed: UInt64) {
            let folder = Stack.root + "/.build/soak-\(seed)"
            _ = try? Execution.output(["mkdir", "-p", folder])
            _ = try? Execution.output(["cp", stack.folder + "/watchdog.log", stack.folder + "/nginx/error.log", folder])
            print("the logs are in \(folder)")
        }
    }
}
