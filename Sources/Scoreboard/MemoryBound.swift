/// How much memory the sessions of a host may claim together, and how they share it.
package struct MemoryBound: Equatable, Sendable {
    /// Of all sessions.
    package let bytes: Int

    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// Whether a project may claim so much, when all claim so much with it: it may claim as much as it leaves to others.
    ///
    /// So a project alone has half of it at most, each of two a third, each of `n` at last a part of `n + 1`, and some is
    /// always left for one that comes later.
    ///
    /// - Parameters:
    ///   - project: bytes of the project's sessions.
    ///   - all: bytes of all sessions, those of the project among them.
    package func allows(project: Int, all: Int) -> Bool {
        all <= bytes && project <= bytes - all
    }
}
