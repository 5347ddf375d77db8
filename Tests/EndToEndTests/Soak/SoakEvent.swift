/// An event of a soak. Its number makes its id and its message, so that what is stored tells whether it was changed.
struct SoakEvent {
    /// The first half of every id.
    static let prefix = "5ea50a4bad5eed00"

    let number: Int

    var id: String {
        let digits = String(number, radix: 16)
        return Self.prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    var message: String { "soak \(number)" }

    /// As a client sends it.
    var json: String {
        """
        {"event_id":"\(id)","message":"\(message)","level":"error","platform":"swift","tags":{"region":"eu-west-1"},\
        "stacktrace":{"frames":[{"function":"main","lineno":\(number % 1_000),"filename":"\(Self.filler)"}]}}
        """
    }

    private static let filler = String(repeating: "Sources/shop/Cart/", count: 20)
}
