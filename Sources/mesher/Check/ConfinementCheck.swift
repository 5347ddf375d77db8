internal import Configuration
internal import Confinement
internal import Glibc
internal import Scoreboard

/// What the running processes have given up: as the kernel says, proc(5), and of Landlock, which it does not show, as they
/// say themselves.
struct ConfinementCheck {
    /// Processes of one kind, and what each of them has.
    struct Group {
        let name: String
        let wanted: Sandbox.Bonds
        var processes: [Process]
    }

    struct Process {
        let name: String
        let bonds: Sandbox.Bonds
        let hasNoNewPrivileges: Bool
    }

    private static let subject = "sandbox"

    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    func findings() -> [Finding] {
        let directory = settings.text(.runDirectory)
        let running = ScoreboardFile.readings(in: directory).filter { $0.pid > 0 }
        // One that begins has not given up anything yet.
        let ready = running.filter { $0.state == .ready }
        guard !running.isEmpty else {
            let advice = "run this as root or as the service's user"
            return [.fault(Self.subject, "\(directory): cannot read how the processes are confined", advice: advice)]
        }
        guard running.contains(where: { Self.process($0.name, $0.pid, $0.bonds) != nil }) else {
            // A container numbers its processes by itself.
            let text = "cannot be seen from here: the service is in another PID namespace; run mesher check there"
            return [.good(Self.subject, text)]
        }
        func group(_ name: String, _ role: ProcessRole, _ wanted: Sandbox.Bonds) -> Group {
            let processes = ready.filter { $0.role == role }.compactMap { Self.process($0.name, $0.pid, $0.bonds) }
            return Group(name: name, wanted: wanted, processes: processes)
        }
        // A listener reads nothing that strangers send, and says in its slot what its sessions have, once there was one.
        let said = running.filter { $0.role == .stream && $0.bonds != 0 }.map(\.bonds)
        let bonds = said.isEmpty ? 0 : said.reduce(.max, &)
        let sessions = (SessionTable.open(in: directory)?.readings() ?? []).filter(\.isOpen).prefix(1_000)
            .compactMap { Self.process("session \($0.pid)", $0.pid, bonds) }
        let all: Sandbox.Bonds = [.landlock, .seccomp]
        return [
            group("the watchdog", .watchdog, []), group("storage", .storage, all), group("workers", .worker, all),
            group("the listener", .stream, []), Group(name: "sessions", wanted: all, processes: sessions),
        ].map { Self.finding($0, possible: Sandbox.possible, version: Sandbox.landlockVersion) }
    }

    /// A pure value of what was seen.
    static func finding(_ group: Group, possible: Sandbox.Bonds, version: Int?) -> Finding {
        guard !group.processes.isEmpty else { return .good(subject, "\(group.name): none running") }
        let wanted = group.wanted.intersection(possible)
        if let loose = group.processes.first(where: { !$0.bonds.isSuperset(of: wanted) || !$0.hasNoNewPrivileges }) {
            let missing =
                names(wanted.subtracting(loose.bonds), version) + (loose.hasNoNewPrivileges ? [] : ["NoNewPrivs"])
            return .fault(
                subject, "\(loose.name) runs without \(missing.joined(separator: " and ")), which this kernel supports",
                advice: "allow seccomp and landlock_* in the service's SystemCallFilter=, then restart it")
        }
        let has = names(wanted, version) + ["no new privileges"]
        let lacks = names(group.wanted.subtracting(possible), nil)
        // They do without, so it is no fault of the service.
        let rest = lacks.isEmpty ? "" : "; this kernel has no \(lacks.joined(separator: " and no "))"
        return .good(subject, "\(group.name): \(has.joined(separator: ", "))\(rest)")
    }

    private static func names(_ bonds: Sandbox.Bonds, _ version: Int?) -> [String] {
        [
            bonds.contains(.landlock) ? "Landlock" + (version.map { " (version \($0))" } ?? "") : nil,
            bonds.contains(.seccomp) ? "seccomp" : nil,
        ].compactMap(\.self)
    }

    /// Nil when it has ended.
    private static func process(_ name: String, _ pid: Int32, _ said: UInt64) -> Process? {
        guard let file = fopen("/proc/\(pid)/status", "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = fread(&bytes, 1, bytes.count, file)
        return process(name, status: String(decoding: bytes.prefix(count), as: UTF8.self), said: said)
    }

    /// Nil when the number is another program's by now, or always was in this PID namespace.
    static func process(_ name: String, status: String, said: UInt64) -> Process? {
        let lines = status.split(separator: "\n")
        guard lines.first?.hasPrefix("Name:\tmesher-") == true else { return nil }
        // A filter may also be its supervisor's: both have to say so.
        let seen: Sandbox.Bonds = lines.contains("Seccomp:\t2") ? [.landlock, .seccomp] : .landlock
        let bonds = Sandbox.Bonds(rawValue: said).intersection(seen)
        return Process(name: name, bonds: bonds, hasNoNewPrivileges: lines.contains("NoNewPrivs:\t1"))
    }
}
