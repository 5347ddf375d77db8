/// What a health check goes through. The raw value is the metric's label; its place in the list is its place in the file.
package enum HealthSubject: String, CaseIterable, Sendable {
    case events, bulk, storage, stream
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

extension ScoreboardFile {
    /// The last reload, nil when there was none.
    package var lastReload: ReloadReading? {
        let serial = memory[Header.reloadSerial]
        guard serial > 0 else { return nil }
        return ReloadReading(
            serial: serial, at: Int64(clamping: memory[Header.reloadAt]), succeeded: memory[Header.reloadResult] == 2)
    }

    /// A reload has ended.
    ///
    /// - Parameter wall: now, in microseconds since 1970.
    package func recordReload(succeeded: Bool, wall: Int64) {
        memory[Header.reloadAt] = UInt64(clamping: wall)
        memory[Header.reloadResult] = succeeded ? 2 : 1
        memory.add(1, at: Header.reloadSerial)
    }

    /// The last result of a health check, nil when there was none yet.
    package func health(_ subject: HealthSubject) -> HealthReading? {
        let word = Header.health + 4 * subject.place
        guard memory[word] > 0 else { return nil }
        return HealthReading(
            at: Int64(clamping: memory[word]), duration: Int64(clamping: memory[word + 1]),
            failuresInRow: Int(clamping: memory[word + 2]))
    }

    /// A health check has ended.
    ///
    /// - Parameters:
    ///   - duration: nanoseconds.
    ///   - wall: now, in microseconds since 1970.
    /// - Returns: how many have failed in a row, this one included.
    package func recordHealth(_ subject: HealthSubject, isGood: Bool, duration: Int64, wall: Int64) -> Int {
        let word = Header.health + 4 * subject.place
        memory[word] = UInt64(clamping: wall)
        memory[word + 1] = UInt64(clamping: duration)
        memory[word + 2] = isGood ? 0 : memory[word + 2] &+ 1
        return Int(clamping: memory[word + 2])
    }

    /// A watchdog starts; it has checked nobody yet.
    package func forgetHealth() {
        for subject in HealthSubject.allCases {
            for word in 0..<3 { memory[Header.health + 4 * subject.place + word] = 0 }
        }
    }
}
