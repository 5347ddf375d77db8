/// A place that the watchdog keeps filled with a process: what it runs, and which of several alike.
struct Child: Hashable, Sendable {
    enum Role: Hashable, Sendable {
        case storage
        case worker(Listener)
    }

    /// A socket that workers accept from. The raw value is its file's name without `.sock`, its name in
    /// `LISTEN_FDNAMES`, and the worker's argument.
    enum Listener: String, CaseIterable, Sendable {
        case events, bulk
    }

    let role: Role
    /// Counts from 0 within a role.
    let number: Int

    /// The children of a host: storage, so many workers for single events, and one for bulk.
    static func all(workers: Int) -> [Child] {
        [Child(role: .storage, number: 0)]
            + (0..<workers).map { Child(role: .worker(.events), number: $0) }
            + [Child(role: .worker(.bulk), number: 0)]
    }

    /// Whether it handles what strangers sent, as opposed to storage behind it.
    var isEdge: Bool {
        listener != nil
    }

    var listener: Listener? {
        if case .worker(let listener) = role { listener } else { nil }
    }

    /// The program's file name.
    var program: String {
        switch role {
        case .storage: "mesher-storage"
        case .worker: "mesher-worker"
        }
    }

    /// What the program is started with, without its own name.
    var arguments: [String] {
        listener.map { [$0.rawValue] } ?? []
    }
}

extension Child: CustomStringConvertible {
    var description: String {
        isEdge ? "\(role) \(number)" : "\(role)"
    }
}

extension Child.Role: CustomStringConvertible {
    var description: String {
        switch self {
        case .storage: "storage"
        case .worker(let listener): "worker \(listener.rawValue)"
        }
    }
}
