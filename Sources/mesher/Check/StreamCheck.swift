internal import Configuration
internal import EventLoop

/// WebSocket: its socket, and what a session can give up on this kernel.
struct StreamCheck {
    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    func findings() -> [Finding] {
        [ServiceCheck(settings).socket("stream", "the listener accepts"), sandbox()]
    }

    private func sandbox() -> Finding {
        let subject = "sandbox"
        let landlock = Sandbox.landlockVersion.map { "Landlock (version \($0))" }
        let parts = [landlock, Sandbox.hasSeccomp ? "seccomp" : nil].compactMap(\.self)
        let missing = [landlock == nil ? "Landlock" : nil, Sandbox.hasSeccomp ? nil : "seccomp"].compactMap(\.self)
        guard !missing.isEmpty else { return .good(subject, "\(parts.joined(separator: " and ")) confine sessions") }
        // Sessions do without, so it is no fault of the service.
        return .good(
            subject, "sessions run without \(missing.joined(separator: " and ")), which this kernel does not have")
    }
}
