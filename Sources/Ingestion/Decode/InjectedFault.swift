#if DEBUG
    /// For tests, in debug builds only: a body with one of these words does to its process what a defect would.
    enum InjectedFault {
        /// Ends the process by a trap.
        private static let trap: StaticString = "mesher-fault-trap"
        /// Never comes to an end.
        private static let hang: StaticString = "mesher-fault-hang"

        static func act(on bytes: UnsafeRawBufferPointer) {
            if contains(trap, bytes) {
                let nothing: [Int] = []
                _ = nothing[bytes.count]
            }
            while contains(hang, bytes) {}
        }

        private static func contains(_ word: StaticString, _ bytes: UnsafeRawBufferPointer) -> Bool {
            guard bytes.count >= word.utf8CodeUnitCount else { return false }
            return (0...bytes.count - word.utf8CodeUnitCount).contains { bytes.starts(at: $0, with: word) }
        }
    }
#endif
