/// What a health check goes through. The raw value is the metric's label; its place in the list is its place in the file.
package enum HealthSubject: String, CaseIterable, Sendable {
    case events, bulk, storage
}

/// How the last health check of a subject ended.
package struct HealthReading: Equatable, Sendable {
    /// Microseconds since 1970.
    package let at: Int64
    /// Nanoseconds.
    package let duration: Int64
    /// 0 when it succeeded.
    package let failuresInRow: Int
}

/// How the last reload ended.
package struct ReloadReading: Equatable, Sendable {
    /// Counts the reloads.
    package let serial: UInt64
    /// Microseconds since 1970.
    package let at: Int64
    package let succeeded: Bool
}
