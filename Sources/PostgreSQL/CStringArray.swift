/// Strings as C takes several of them: an array of pointers to NUL-terminated bytes, nil for NULL.
struct CStringArray {
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []

    init(_ strings: [String?]) {
        for string in strings {
            offsets.append(string == nil ? nil : bytes.count)
            if let string {
                bytes.append(contentsOf: string.utf8)
                bytes.append(0)
            }
        }
    }

    /// Calls `body` with the pointers and a null one behind the last; they are valid inside it only.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: offsets.count + 1) { pointers in
                for (position, offset) in offsets.enumerated() {
                    pointers.initializeElement(
                        at: position,
                        to: offset.flatMap {
                            bytes.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self)
                        })
                }
                pointers.initializeElement(at: offsets.count, to: nil)
                return withExtendedLifetime(pointers) { body(UnsafePointer(pointers.baseAddress.unsafelyUnwrapped)) }
            }
        }
    }
}
