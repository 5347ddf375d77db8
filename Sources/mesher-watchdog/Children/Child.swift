/// A place that the watchdog keeps filled with a process: what it runs, and which of several alike.
struct Child: Hashable, Sendable {
    enum Role: Hashable, Sendable {
        case storage
        case worker(Listener)
        case stream
    }

    /// A socket that an edge accepts from. The raw value is its file's name without `.sock`, its name in
    /// `LISTEN_FDNAMES`, and the worker's argument.
    enum Listener: String, CaseIterable, Sendable {
        case events, bulk, stream
    }

    let role: Role
    /// Counts from 0 within a role.
    let number: Int

    /// The children of a host: storage, so many workers for single events, one for bulk, and the listener for
    /// WebSocket.
    static func all(workers: Int) -> [Child] {
        [Child(role: .storage, number: 0)]
            + (0..<workers).map { Child(role: .worker(.events), number: $0) }
            + [Child(role: .worker(.bulk), number: 0), Child(role: .stream, number: 0)]
    }

    /// Whether it handles what strangers sent, as opposed to storage behind it.
    var isEdge: Bool {
        listener != nil
    }

    var isWorker: Bool {
        if case .worker = role { true } else { false }
    }

    var listener: Listener? {
        switch role {
        case .storage: nil
        case .worker(let listener): listener
        case .stream: .stream
        }
    }

    /// Whether a process of it that was replaced goes on until its clients have gone.
    var outlivesReplacement: Bool {
        role == .stream
    }

    /// The program's file name.
    var program: String {
        switch role {
        case .storage: "mesher-storage"
        case .worker: "mesher-worker"
        case .stream: "mesher-stream"
        }
    }

    /// What the program is started with, without its own name.
    var arguments: [String] {
        if case .worker(let listener) = role { [listener.rawValue] } else { [] }
    }
}

extension Child: CustomStringConvertible {
    var description: String {
        isWorker ? "\(role) \(number)" : "\(role)"
    }
}

extension Child.Role: CustomStringConvertible {
    var description: String {
        switch self {
        case .storage: "storage"
        case .worker(let listener): "worker \(listener.rawValue)"
        case .stream: "stream"
        }
    }
}
