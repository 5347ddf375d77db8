/// How much memory the sessions of a host may claim together, and how they share it.
package struct MemoryBound: Equatable, Sendable {
    /// Of all sessions.
    package let bytes: Int

    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// Whether a project may claim this much, given what all claim including it: it may claim as much as it leaves to
    /// others.
    ///
    /// So a single project gets at most half, each of two a third, each of `n` one part in `n + 1`, and some is always
    /// left for the next.
    ///
    /// - Parameters:
    ///   - project: bytes of the project's sessions.
    ///   - all: bytes of all sessions, those of the project among them.
    package func allows(project: Int, all: Int) -> Bool {
        all <= bytes && project <= bytes - all
    }
}
