internal import Configuration

/// WebSocket: its socket.
struct StreamCheck {
    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    func findings() -> [Finding] {
        [ServiceCheck(settings).socket("stream", "the listener accepts")]
    }
}
