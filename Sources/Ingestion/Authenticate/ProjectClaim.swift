/// Which project a request says it is for.
enum ProjectClaim: Equatable {
    /// It names none: the key decides.
    case unnamed
    case number(Int64)
    /// A name that no project can have.
    case invalid

    init(_ text: UnsafeRawBufferPointer) {
        var number: Int64 = 0
        // 18 digits always fit.
        guard (1...18).contains(text.count) else {
            self = .invalid
            return
        }
        for byte in text {
            guard (0x30...0x39).contains(byte) else {
                self = .invalid
                return
            }
            number = number * 10 + Int64(byte & 0xf)
        }
        self = .number(number)
    }

    func allows(_ project: Int64) -> Bool {
        switch self {
        case .unnamed: true
        case .number(let number): number == project
        case .invalid: false
        }
    }
}
