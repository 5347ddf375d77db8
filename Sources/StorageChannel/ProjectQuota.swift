/// A key's project, as far as an edge must know it.
package struct ProjectQuota: Equatable, Sendable {
    package let project: Int64
    /// Events granted in one window.
    package let events: UInt32
    /// The length of the window in seconds.
    package let seconds: UInt32
    /// The pages that may send.
    package let origins: AllowedOrigins
    /// What is removed from its events.
    package let scrub: ScrubRules

    package init(
        project: Int64, events: UInt32, seconds: UInt32, origins: AllowedOrigins = .all, scrub: ScrubRules = .off
    ) {
        self.project = project
        self.events = events
        self.seconds = seconds
        self.origins = origins
        self.scrub = scrub
    }
}
